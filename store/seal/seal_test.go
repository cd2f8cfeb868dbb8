package seal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/outreachkit/outreach/store/seal"
)

// secret returns 32 bytes that differ by n.
func secret(n byte) []byte {
	s := make([]byte, 32)
	for i := range s {
		s[i] = n ^ byte(i*37)
	}
	return s
}

func ring(t testing.TB, ids ...uint32) *seal.KeyRing {
	t.Helper()
	var p seal.KeyRingParams
	for _, id := range ids {
		p.Keys = append(p.Keys, seal.Key{ID: id, Secret: secret(byte(id))})
	}
	r, err := seal.NewKeyRing(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sealed(t testing.TB, s seal.Sealer, plain, ad string) []byte {
	t.Helper()
	c, err := s.Encrypt([]byte(plain), []byte(ad))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantKind(t *testing.T, err error, kind seal.Error) {
	t.Helper()
	var oe *seal.OpenError
	if !errors.Is(err, kind) || !errors.As(err, &oe) {
		t.Errorf("got %v, want %v", err, kind)
	}
}

func TestRoundTrip(t *testing.T) {
	r := ring(t, 1)
	for _, plain := range []string{"", "x", strings.Repeat("long ", 10_000)} {
		for _, ad := range []string{"", "link 1", strings.Repeat("a", 1000)} {
			c := sealed(t, r, plain, ad)
			got, err := r.Decrypt(c, []byte(ad))
			if err != nil || string(got) != plain {
				t.Errorf("%d bytes, %d associated: got %d bytes, %v", len(plain), len(ad), len(got), err)
			}
			if len(c) != len(plain)+41 {
				t.Errorf("%d bytes became %d", len(plain), len(c))
			}
		}
	}
}

// TestEveryByte: a ciphertext with one byte changed, cut off or added does
// not open, wherever the byte is.
func TestEveryByte(t *testing.T) {
	r := ring(t, 1, 2)
	c := sealed(t, r, "the words", "link 1")
	for i := range c {
		for _, flip := range []byte{1, 0x80, 0xff, 3} { // 1 ^ 3 is key 2, which the ring has
			bad := bytes.Clone(c)
			bad[i] ^= flip
			plain, err := r.Decrypt(bad, []byte("link 1"))
			var oe *seal.OpenError
			if plain != nil || !errors.As(err, &oe) {
				t.Errorf("byte %d flipped by %#x opens: %q, %v", i, flip, plain, err)
			}
			if i >= 1+4+8+12 {
				wantKind(t, err, seal.ErrTampered)
			}
		}
		if _, err := r.Decrypt(c[:i], []byte("link 1")); err == nil {
			t.Errorf("its first %d bytes open", i)
		}
		if _, err := r.Decrypt(c[i+1:], []byte("link 1")); err == nil {
			t.Errorf("without its first %d bytes it opens", i+1)
		}
	}
	_, err := r.Decrypt(append(bytes.Clone(c), 0), []byte("link 1"))
	wantKind(t, err, seal.ErrTampered)
}

func TestWhyItDoesNotOpen(t *testing.T) {
	r := ring(t, 1)
	c := sealed(t, r, "the words", "link 1")
	other := seal.Key{ID: 1, Secret: secret(99)}
	same, err := seal.NewKeyRing(seal.KeyRingParams{Keys: []seal.Key{other}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Decrypt(c, []byte("link 2"))
	wantKind(t, err, seal.ErrMoved)
	_, err = r.Decrypt(c, nil)
	wantKind(t, err, seal.ErrMoved)
	_, err = ring(t, 2).Decrypt(c, []byte("link 1"))
	wantKind(t, err, seal.ErrUnknownKey)
	if !strings.Contains(err.Error(), "key 1,") {
		t.Errorf("%v does not name the key", err)
	}
	_, err = r.Decrypt(c[:40], []byte("link 1"))
	wantKind(t, err, seal.ErrTooShort)
	_, err = r.Decrypt(nil, []byte("link 1"))
	wantKind(t, err, seal.ErrTooShort)
	_, err = r.Decrypt([]byte(`{"access":"plain"}`), []byte("link 1"))
	wantKind(t, err, seal.ErrVersion)
	if _, err = same.Decrypt(c, []byte("link 1")); err == nil {
		t.Error("another secret with the same id opens it")
	}
	for _, e := range []error{err, &seal.OpenError{Kind: seal.ErrTampered}} {
		if strings.Contains(e.Error(), "words") || strings.Contains(e.Error(), "link") {
			t.Errorf("%v tells too much", e)
		}
	}
}

func TestRotation(t *testing.T) {
	old, both, turned, after := ring(t, 1), ring(t, 1, 2), ring(t, 2, 1), ring(t, 2)
	c := sealed(t, old, "words", "a")
	for name, r := range map[string]*seal.KeyRing{"old": old, "both": both, "turned": turned} {
		if got, err := r.Decrypt(c, []byte("a")); err != nil || string(got) != "words" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if !both.Current(c) || turned.Current(c) || after.Current(c) {
		t.Error("what the newest key sealed is not told from the rest")
	}
	n := sealed(t, turned, "words", "a")
	if !turned.Current(n) || !seal.Current(after, n) || seal.Current(plainAEAD{}, n) {
		t.Error("what the newest key sealed is not told from the rest")
	}
	if _, err := both.Decrypt(n, []byte("a")); err != nil {
		t.Error(err)
	}
	if turned.Current(nil) || turned.Current([]byte("{}")) || turned.Current(n[:40]) {
		t.Error("what nobody sealed is current")
	}
}

// plainAEAD is a Sealer and nothing else, as Google Tink's are.
type plainAEAD struct{}

func (plainAEAD) Encrypt(p, _ []byte) ([]byte, error) { return p, nil }
func (plainAEAD) Decrypt(c, _ []byte) ([]byte, error) { return c, nil }

func TestNonces(t *testing.T) {
	r := ring(t, 1)
	if bytes.Equal(sealed(t, r, "words", "a"), sealed(t, r, "words", "a")) {
		t.Error("the same nonce twice")
	}
	src := bytes.NewReader(bytes.Repeat([]byte("n"), 12+5))
	fixed, err := seal.NewKeyRing(seal.KeyRingParams{Keys: []seal.Key{{ID: 1, Secret: secret(1)}}, Rand: src})
	if err != nil {
		t.Fatal(err)
	}
	c := sealed(t, fixed, "words", "a")
	if !bytes.Contains(c, bytes.Repeat([]byte("n"), 12)) {
		t.Error("the nonce is not Rand's")
	}
	if c, err := fixed.Encrypt([]byte("words"), nil); c != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that ends gives %x, %v", c, err)
	}
}

func TestParams(t *testing.T) {
	k := seal.Key{ID: 1, Secret: secret(1)}
	for want, keys := range map[string][]seal.Key{
		"Keys":           nil,
		"Keys[0].Secret": {{ID: 1, Secret: []byte("canary")}},
		"Keys[1].Secret": {k, {ID: 2, Secret: make([]byte, 32)}},
		"Keys[1].ID":     {k, {ID: 1, Secret: secret(2)}},
	} {
		_, err := seal.NewKeyRing(seal.KeyRingParams{Keys: keys})
		var pe *seal.ParamError
		if !errors.As(err, &pe) || pe.Field != want || strings.Contains(err.Error(), "canary") {
			t.Errorf("want %s named, got %v", want, err)
		}
	}
	// The ring keeps nothing of what it was given.
	r, err := seal.NewKeyRing(seal.KeyRingParams{Keys: []seal.Key{k}})
	if err != nil {
		t.Fatal(err)
	}
	clear(k.Secret)
	if _, err := r.Decrypt(sealed(t, ring(t, 1), "words", "a"), []byte("a")); err != nil {
		t.Error(err)
	}
}

func TestKeysDontPrint(t *testing.T) {
	s := []byte("canary-canary-canary-canary-cana")
	k := seal.Key{ID: 7, Secret: s}
	p := seal.KeyRingParams{Keys: []seal.Key{k}}
	r, err := seal.NewKeyRing(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{k, &k, p, &p, p.Keys, r, *r, struct{ R *seal.KeyRing }{r}, seal.Box{Sealer: r}} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%o"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("told", "value", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("told", "value", v)
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Error(err)
		}
		for _, leak := range []string{"canary", "63616e617279", "99 97 110", "143 141 156", "0x63, 0x61", "Y2FuYXJ5"} {
			if strings.Contains(out.String(), leak) {
				t.Errorf("%T prints its keys:\n%s", v, out.String())
				break
			}
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	r := ring(t, 1)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			ad := fmt.Sprint("link ", i)
			for range 100 {
				c, err := r.Encrypt([]byte(ad), []byte(ad))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := r.Decrypt(c, []byte(ad)); err != nil || string(got) != ad {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

type temporary bool

func (temporary) Error() string     { return "the key service" }
func (t temporary) Temporary() bool { return bool(t) }

func TestTemporary(t *testing.T) {
	for err, want := range map[error]bool{
		nil:                                     false,
		context.Canceled:                        true,
		context.DeadlineExceeded:                true,
		temporary(true):                         true,
		temporary(false):                        false,
		io.ErrUnexpectedEOF:                     false,
		seal.ErrTampered:                        false,
		fmt.Errorf("open: %w", temporary(true)): true,

		&seal.Unavailable{Err: seal.ErrTampered}: true,
		&url.Error{Op: "Post", URL: "https://keys.example.com", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}: true,
	} {
		if got := seal.Temporary(err); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	// The fuzzer's processes must agree on the one ciphertext that opens.
	r, err := seal.NewKeyRing(seal.KeyRingParams{
		Keys: []seal.Key{{ID: 1, Secret: secret(1)}, {ID: 2, Secret: secret(2)}}, Rand: strings.NewReader("twelve bytes"),
	})
	if err != nil {
		f.Fatal(err)
	}
	c := sealed(f, r, "the words", "link 1")
	f.Add(c, []byte("link 1"))
	f.Add(c, []byte("link 2"))
	f.Add(c[:40], []byte("link 1"))
	f.Add([]byte{0x81}, []byte(nil))
	f.Add([]byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, data, ad []byte) {
		was := bytes.Clone(data)
		plain, err := r.Decrypt(data, ad)
		if !bytes.Equal(was, data) {
			t.Fatal("the ciphertext was changed")
		}
		if bytes.Equal(data, c) && string(ad) == "link 1" {
			if err != nil || string(plain) != "the words" {
				t.Fatalf("%q, %v", plain, err)
			}
			return
		}
		var oe *seal.OpenError
		if !errors.As(err, &oe) || plain != nil {
			t.Fatalf("what nobody sealed opens: %q, %v", plain, err)
		}
		r.Current(data)
	})
}

func BenchmarkEncrypt(b *testing.B) {
	bench(b, func(r *seal.KeyRing, plain, _ []byte) error { _, err := r.Encrypt(plain, ad); return err })
}

func BenchmarkDecrypt(b *testing.B) {
	bench(b, func(r *seal.KeyRing, _, c []byte) error { _, err := r.Decrypt(c, ad); return err })
}

var ad = []byte("link 0123456789")

func bench(b *testing.B, do func(r *seal.KeyRing, plain, c []byte) error) {
	for _, size := range []int{200, 10_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			r := ring(b, 1)
			plain := make([]byte, size)
			c := sealed(b, r, string(plain), string(ad))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := do(r, plain, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
