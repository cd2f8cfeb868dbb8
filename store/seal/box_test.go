package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/outreachkit/outreach/store/seal"
)

func TestBox(t *testing.T) {
	plain := seal.Box{}
	strict := seal.Box{Sealer: ring(t, 1)}
	lenient := seal.Box{Sealer: ring(t, 1), Plain: true}
	words := []byte(`{"words":1}`)
	c, err := strict.Seal(words, "intent 1")
	if err != nil || bytes.Contains(c, []byte("words")) || !strict.Current(c) {
		t.Fatalf("%q, %v", c, err)
	}
	for _, tt := range []struct {
		name string
		box  seal.Box
		data []byte
		what string
		want error
	}{
		{"plain in a plain box", plain, words, "intent 1", nil},
		{"sealed in a plain box", plain, c, "intent 1", seal.ErrSealed},
		{"plain in a strict box", strict, words, "intent 1", seal.ErrPlain},
		{"sealed in a strict box", strict, c, "intent 1", nil},
		{"plain in a lenient box", lenient, words, "intent 1", nil},
		{"sealed in a lenient box", lenient, c, "intent 1", nil},
		{"moved", lenient, c, "intent 2", seal.ErrMoved},
		{"cut off", lenient, c[:20], "intent 1", seal.ErrTooShort},
		{"a mark alone", lenient, c[:1], "intent 1", seal.ErrTooShort},
	} {
		got, err := tt.box.Open(tt.data, tt.what)
		if !errors.Is(err, tt.want) || tt.want == nil && !bytes.Equal(got, words) || tt.want != nil && got != nil {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	for _, b := range []seal.Box{plain, strict} {
		if none, err := b.Seal(nil, "intent 1"); none != nil || err != nil {
			t.Errorf("nothing became %q, %v", none, err)
		}
		if none, err := b.Open(nil, "intent 1"); none != nil || err != nil {
			t.Errorf("nothing became %q, %v", none, err)
		}
	}
	turned := seal.Box{Sealer: ring(t, 2, 1)}
	if !strict.Current(c) || turned.Current(c) || strict.Current(words) || plain.Current(c) || !plain.Current(words) || !strict.Current(nil) {
		t.Error("what is as it would be sealed now is not told from the rest")
	}
}
