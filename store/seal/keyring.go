package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"slices"
)

// Key is one key of a ring.
type Key struct {
	// ID is not secret. No two keys that a host ever had share one.
	ID uint32

	// Secret is 32 random bytes. NewKeyRing keeps no reference to them.
	Secret []byte
}

// KeyRingParams are NewKeyRing's.
type KeyRingParams struct {
	// Keys has at least one. The first seals, all open.
	Keys []Key

	// Rand gives the nonces, and must be as good as crypto/rand, which nil is.
	// With any other, calls of its Read are not serialized.
	Rand io.Reader
}

// KeyRing is a Sealer by AES-256-GCM that holds its keys in memory. It is safe
// for concurrent use, and never prints its keys.
type KeyRing struct {
	current uint32
	keys    map[uint32]ringKey
	rand    io.Reader
}

var (
	_ Sealer   = (*KeyRing)(nil)
	_ Rotating = (*KeyRing)(nil)
)

type ringKey struct {
	aead cipher.AEAD
	mac  func() hash.Hash // of associated data; a func, which no printing looks into
}

// The parts of a ciphertext; doc.go shows them.
const (
	version    = 0x81
	hintAt     = 1 + 4
	hintSize   = 8
	prefixSize = hintAt + hintSize
	nonceSize  = 12
	tagSize    = 16
	overhead   = prefixSize + nonceSize + tagSize
	keySize    = 32
)

// NewKeyRing returns a ring of the keys. Its errors are of type *ParamError,
// and name no secret.
func NewKeyRing(p KeyRingParams) (*KeyRing, error) {
	if len(p.Keys) == 0 {
		return nil, &ParamError{"Keys", "is empty; give the key that seals first"}
	}
	r := &KeyRing{current: p.Keys[0].ID, keys: make(map[uint32]ringKey, len(p.Keys)), rand: p.Rand}
	if r.rand == nil {
		r.rand = rand.Reader
	}
	for i, k := range p.Keys {
		bad := func(field, problem string) (*KeyRing, error) {
			return nil, &ParamError{fmt.Sprintf("Keys[%d]%s", i, field), problem}
		}
		if len(k.Secret) != keySize {
			return bad(".Secret", fmt.Sprintf("has %d bytes; generate 32 random ones", len(k.Secret)))
		}
		if !slices.ContainsFunc(k.Secret, func(b byte) bool { return b != k.Secret[0] }) {
			return bad(".Secret", "is one byte 32 times over; generate 32 random ones")
		}
		if _, ok := r.keys[k.ID]; ok {
			return bad(".ID", fmt.Sprintf("%d is another key's; each needs its own", k.ID))
		}
		block, err := aes.NewCipher(k.Secret)
		if err != nil {
			return bad(".Secret", err.Error())
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return bad("", err.Error())
		}
		hint, err := hkdf.Key(sha256.New, k.Secret, nil, "outreach seal: digest of associated data", keySize)
		if err != nil {
			return bad("", err.Error())
		}
		r.keys[k.ID] = ringKey{aead: aead, mac: func() hash.Hash { return hmac.New(sha256.New, hint) }}
	}
	return r, nil
}

// Encrypt implements Sealer. It fails only if Rand does, or the plaintext is
// larger than GCM allows, 64 GiB.
func (r *KeyRing) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	if uint64(len(plaintext)) > (1<<32-2)*aes.BlockSize {
		return nil, fmt.Errorf("seal: %d bytes are more than one message holds", len(plaintext))
	}
	k := r.keys[r.current]
	out := make([]byte, prefixSize+nonceSize, overhead+len(plaintext))
	out[0] = version
	binary.BigEndian.PutUint32(out[1:], r.current)
	nonce := out[prefixSize:]
	if _, err := io.ReadFull(r.rand, nonce); err != nil {
		return nil, fmt.Errorf("seal: no nonce: %w", err)
	}
	copy(out[hintAt:], k.digest(out[:hintAt], nonce, associatedData))
	return k.aead.Seal(out, nonce, plaintext, bind(out[:prefixSize], associatedData)), nil
}

// Decrypt implements Sealer. Its errors are of type *OpenError.
func (r *KeyRing) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	fail := func(kind Error, key uint32) ([]byte, error) {
		return nil, &OpenError{Kind: kind, Key: key, Length: len(ciphertext)}
	}
	switch {
	case len(ciphertext) > 0 && ciphertext[0] != version:
		return fail(ErrVersion, 0)
	case len(ciphertext) < overhead:
		return fail(ErrTooShort, 0)
	}
	id := binary.BigEndian.Uint32(ciphertext[1:])
	k, ok := r.keys[id]
	if !ok {
		return fail(ErrUnknownKey, id)
	}
	prefix, rest := ciphertext[:prefixSize], ciphertext[prefixSize:]
	nonce, sealed := rest[:nonceSize], rest[nonceSize:]
	plain, err := k.aead.Open(nil, nonce, sealed, bind(prefix, associatedData))
	if err == nil {
		return plain, nil
	}
	if !hmac.Equal(prefix[hintAt:], k.digest(prefix[:hintAt], nonce, associatedData)) {
		return fail(ErrMoved, id)
	}
	return fail(ErrTampered, id)
}

// Current implements Rotating.
func (r *KeyRing) Current(ciphertext []byte) bool {
	return len(ciphertext) >= overhead && ciphertext[0] == version && binary.BigEndian.Uint32(ciphertext[1:]) == r.current
}

// bind is what GCM authenticates beside the plaintext. The prefix has a fixed
// length, so that no two pairs give the same bytes.
func bind(prefix, associatedData []byte) []byte { return slices.Concat(prefix, associatedData) }

// digest tells why a ciphertext does not open. The nonce makes it another one
// each time, so that it doesn't show which records share associated data.
func (k ringKey) digest(prefix, nonce, associatedData []byte) []byte {
	mac := k.mac()
	mac.Write(prefix)
	mac.Write(nonce)
	mac.Write(associatedData)
	return mac.Sum(nil)[:hintSize]
}

// String hides the secret.
func (k Key) String() string { return fmt.Sprintf("seal.Key(%d, the secret hidden)", k.ID) }

// GoString hides the secret.
func (k Key) GoString() string { return k.String() }

// Format hides the secret from verbs that know no String, such as %d.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue hides the secret.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText hides the secret from encoders of JSON and the like.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String hides the keys.
func (p KeyRingParams) String() string {
	return fmt.Sprintf("seal.KeyRingParams(%d keys hidden)", len(p.Keys))
}

// GoString hides the keys.
func (p KeyRingParams) GoString() string { return p.String() }

// LogValue hides the keys.
func (p KeyRingParams) LogValue() slog.Value { return slog.StringValue(p.String()) }

// String hides the keys.
func (r KeyRing) String() string {
	return fmt.Sprintf("seal.KeyRing(key %d seals, the %d keys hidden)", r.current, len(r.keys))
}

// GoString hides the keys.
func (r KeyRing) GoString() string { return r.String() }

// Format hides the keys from verbs that know no String.
func (r KeyRing) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue hides the keys.
func (r KeyRing) LogValue() slog.Value { return slog.StringValue(r.String()) }
