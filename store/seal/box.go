package seal

import (
	"fmt"
	"slices"
)

// Box seals the bytes of columns that were plain once: it marks what it
// seals, so that both can be told apart. Plain bytes in it never begin with
// the mark, as JSON, mail and text never do.
type Box struct {
	// Sealer seals. Nil leaves all plain, and opens nothing that is sealed.
	Sealer Sealer

	// Plain opens plain bytes as well, where there is a Sealer. It is for the
	// time after sealing was switched on: as long as it is set, who can write
	// to the database can put plain bytes in the place of sealed ones.
	Plain bool
}

// mark is the first byte of all that a Box sealed: U+0001 is in no mail
// header and no JSON outside a string.
const mark = 0x01

// Seal returns data sealed for the record that what names, such as
// "intent 42". No bytes stay no bytes.
func (b Box) Seal(data []byte, what string) ([]byte, error) {
	if b.Sealer == nil || len(data) == 0 {
		return data, nil
	}
	sealed, err := b.Sealer.Encrypt(data, []byte(what))
	if err != nil {
		return nil, fmt.Errorf("seal: %s could not be sealed: %w", what, err)
	}
	return slices.Concat([]byte{mark}, sealed), nil
}

// Open returns what Seal was given. Its errors name the record; Temporary
// tells whether to try again.
func (b Box) Open(data []byte, what string) ([]byte, error) {
	switch sealed := marked(data); {
	case len(data) == 0, !sealed && b.Sealer == nil, !sealed && b.Plain:
		return data, nil
	case !sealed:
		return nil, fmt.Errorf("%w: %s", ErrPlain, what)
	case b.Sealer == nil:
		return nil, fmt.Errorf("%w: %s", ErrSealed, what)
	}
	plain, err := b.Sealer.Decrypt(data[1:], []byte(what))
	if err != nil {
		return nil, fmt.Errorf("seal: %s does not open: %w", what, err)
	}
	return plain, nil
}

// Current reports whether data is as Seal would leave it now: sealed by the
// newest key, or plain where there is no Sealer.
func (b Box) Current(data []byte) bool {
	if len(data) == 0 || b.Sealer == nil {
		return !marked(data)
	}
	return marked(data) && Current(b.Sealer, data[1:])
}

// marked reports whether a Box sealed data.
func marked(data []byte) bool { return len(data) > 0 && data[0] == mark }
