package seal

import (
	"context"
	"errors"
)

// Sealer encrypts and authenticates. Google Tink's AEAD is one.
// Implementations are safe for concurrent use, keep none of their arguments
// and return memory that is the caller's.
type Sealer interface {
	// Encrypt seals plaintext, and binds it to associatedData, which is
	// authenticated and not part of what is returned.
	Encrypt(plaintext, associatedData []byte) ([]byte, error)

	// Decrypt returns the plaintext, and an error if ciphertext was not
	// sealed with the same associatedData, by a key that is known here. An
	// error that Temporary knows says that this could not be told now.
	Decrypt(ciphertext, associatedData []byte) ([]byte, error)
}

// Rotating is what a Sealer may do as well, so that what older keys sealed can
// be told from what needs no rewriting.
type Rotating interface {
	// Current reports whether the newest key sealed it. It does not open it,
	// so it proves nothing.
	Current(ciphertext []byte) bool
}

// Current reports whether the newest key of s sealed it. A Sealer that is not
// Rotating can't tell, which is false.
func Current(s Sealer, ciphertext []byte) bool {
	r, ok := s.(Rotating)
	return ok && r.Current(ciphertext)
}

// Temporary reports whether an error of Decrypt says nothing about the
// ciphertext: the key service is down, or the caller gave up. Such an error
// is the context's or a net.Error, or has a method Temporary that returns
// true, as Unavailable has. What no such error says counts as a record that
// does not open, and is given up: see doc.go on key services.
func Temporary(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	// A refused connection is not Temporary by its own word, and says nothing
	// about the ciphertext all the same.
	var network interface {
		Timeout() bool
		Temporary() bool
	}
	if errors.As(err, &network) {
		return true
	}
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// Unavailable is what a Sealer over a key service returns when the service
// could not be asked, or did not answer. Temporary is true of it.
type Unavailable struct{ Err error }

func (e *Unavailable) Error() string {
	if e.Err == nil {
		return "seal: the key service can't be reached"
	}
	return "seal: the key service can't be reached: " + e.Err.Error()
}

// Temporary is true.
func (e *Unavailable) Temporary() bool { return true }

// Unwrap returns what happened.
func (e *Unavailable) Unwrap() error { return e.Err }
