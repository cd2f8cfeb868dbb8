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
// is the context's, or has a method Temporary that returns true.
func Temporary(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}
