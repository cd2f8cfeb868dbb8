package linking_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
)

// gcm is an AEAD as Google Tink's are.
type gcm struct{ cipher.AEAD }

func newGCM(t *testing.T) gcm {
	t.Helper()
	block, err := aes.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm{aead}
}

func (g gcm) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	nonce := make([]byte, g.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return g.Seal(nonce, nonce, plaintext, associatedData), nil
}

func (g gcm) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	if len(ciphertext) < g.NonceSize() {
		return nil, fmt.Errorf("short")
	}
	return g.Open(nil, ciphertext[:g.NonceSize()], ciphertext[g.NonceSize():], associatedData)
}

func TestSealed(t *testing.T) {
	var logged bytes.Buffer
	w := newWorld(t, func(w *world) {
		w.cfg.Sealer, w.cfg.InsecurePlainTokens = newGCM(t), false
		w.cfg.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	})
	first, second := w.link("maria", marias), w.link("tom", toms)
	if err := w.profile(w.linker, first.ID); err != nil {
		t.Fatal(err)
	}
	links := w.mem.Tokens()
	a, err := links.Get(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := links.Get(t.Context(), second.ID)
	if err != nil {
		t.Fatal(err)
	}
	if json.Valid(a.Token) || bytes.Contains(a.Token, []byte("refresh")) {
		t.Error("the token lies open in the store")
	}
	stolen := b.Token
	b.Token = a.Token // another link's
	if _, err := links.CompareAndSwap(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	err = w.profile(w.linker, second.ID)
	wantIs(t, err, linking.ErrSealed)
	wantIs(t, err, provider.ErrApp)
	if !strings.Contains(logged.String(), second.ID) {
		t.Errorf("%q does not name the link", logged.String())
	}
	a.Token = append(stolen[:len(stolen)-1:len(stolen)-1], stolen[len(stolen)-1]^1) // tampered with
	if _, err := links.CompareAndSwap(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	wantIs(t, w.profile(w.linker, first.ID), linking.ErrSealed)
	// What does not open can still be unlinked.
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: first.ID}); err != nil {
		t.Error(err)
	}
}

// TestNothingLeaks greps everything that comes out of the package for what
// went into it.
func TestNothingLeaks(t *testing.T) {
	var out bytes.Buffer
	c := &counting{}
	w := newWorld(t, counted(c, true), func(w *world) { w.cfg.Logger = slog.New(slog.NewJSONHandler(&out, nil)) })
	q := w.visit(begin("maria"), marias, provider.AccessReplies)
	secrets := []string{q.Get("code"), q.Get("state")}
	done, err := w.complete("maria", q)
	if err != nil {
		t.Fatal(err)
	}
	l, err := w.mem.Tokens().Get(t.Context(), done.Link.ID)
	if err != nil {
		t.Fatal(err)
	}
	var tok map[string]any
	if err := json.Unmarshal(l.Token, &tok); err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, fmt.Sprint(tok["access"]), fmt.Sprint(tok["refresh"]))
	print := func(v any) { fmt.Fprintf(&out, "%v %+v %#v\n", v, v, v) }
	print(done)
	_, err = w.complete("maria", q)
	print(err)
	w.clock.Advance(2 * time.Hour)
	c.before = func() error {
		return &provider.Error{Kind: provider.ErrTemporary, Err: fmt.Errorf("body with %s", secrets[3])}
	}
	print(w.profile(w.linker, l.ID))
	c.before = nil
	w.prov.Withdraw(marias)
	print(w.profile(w.linker, l.ID))
	print(w.changes)
	opened, err := w.linker.Open(t.Context(), l.ID)
	print(opened.Account)
	print(err)
	for _, s := range secrets {
		if s == "" || s == "<nil>" {
			t.Fatal("a canary is missing")
		}
		if strings.Contains(out.String(), s) {
			t.Errorf("a secret came out:\n%s", out.String())
		}
	}
}
