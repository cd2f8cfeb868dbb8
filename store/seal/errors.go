package seal

import "fmt"

// Error is the type of this package's constant errors.
type Error string

func (e Error) Error() string { return "seal: " + string(e) }

// Why a ciphertext does not open, matched with errors.Is.
const (
	ErrTooShort   = Error("the ciphertext is cut off, or was not sealed by a KeyRing")
	ErrVersion    = Error("the ciphertext was not sealed by a KeyRing, or by a later version of it")
	ErrUnknownKey = Error("the ring lacks the key that sealed it")
	ErrTampered   = Error("the ciphertext was changed, or another secret has its key's id")
	ErrMoved      = Error("it was sealed with other associated data: it belongs to another record, or its first 25 bytes were changed")

	// ErrPlain and ErrSealed are a Box's: bytes that are plain where they
	// should be sealed, and sealed where no Sealer is at hand.
	ErrPlain  = Error("the record is not sealed: allow plain ones, if it was written before sealing was switched on")
	ErrSealed = Error("the record is sealed: give the Sealer that sealed it")
)

// OpenError says why KeyRing did not open a ciphertext. It matches its Kind,
// and says nothing of what is inside.
type OpenError struct {
	Kind Error

	// Key is the ID of the key that the ciphertext names; zero for ErrTooShort
	// and ErrVersion.
	Key uint32

	// Length is the ciphertext's.
	Length int
}

func (e *OpenError) Error() string {
	switch e.Kind {
	case ErrTooShort, ErrVersion:
		return fmt.Sprintf("%v (%d bytes)", e.Kind, e.Length)
	}
	return fmt.Sprintf("%v (key %d, %d bytes)", e.Kind, e.Key, e.Length)
}

// Is reports whether target is the kind of the error.
func (e *OpenError) Is(target error) bool { return target == e.Kind }

// ParamError says which of KeyRingParams can't be used, and why.
type ParamError struct{ Field, Problem string }

func (e *ParamError) Error() string { return "seal: new key ring: " + e.Field + " " + e.Problem }
