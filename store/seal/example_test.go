package seal_test

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/outreachkit/outreach/store/seal"
)

// A ring before, during and after a rotation.
func Example() {
	first, second := make([]byte, 32), make([]byte, 32) // a host reads them from where it keeps its secrets
	_, _ = rand.Read(first)
	_, _ = rand.Read(second)
	old, err := seal.NewKeyRing(seal.KeyRingParams{Keys: []seal.Key{{ID: 2025, Secret: first}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	turned, err := seal.NewKeyRing(seal.KeyRingParams{Keys: []seal.Key{{ID: 2026, Secret: second}, {ID: 2025, Secret: first}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, _ := old.Encrypt([]byte("a token"), []byte("link 1"))

	opened, err := turned.Decrypt(token, []byte("link 1"))
	fmt.Println(string(opened), err)
	fmt.Println("sealed by the newest key:", turned.Current(token))

	again, _ := turned.Encrypt(opened, []byte("link 1"))
	fmt.Println("and after sealing it again:", turned.Current(again))

	_, err = turned.Decrypt(again, []byte("link 2"))
	fmt.Println(errors.Is(err, seal.ErrMoved))
	fmt.Println(turned)
	// Output:
	// a token <nil>
	// sealed by the newest key: false
	// and after sealing it again: true
	// true
	// seal.KeyRing(key 2026 seals, the 2 keys hidden)
}
