package classify

import (
	"testing"
)

// A verdict must not hang on the order in which a map is read: of two phrases
// at one place the longer is told first, and no phrase says two things.
func TestPhrasesAreOrdered(t *testing.T) {
	ordered(t, failureWords)
	for range 50 {
		b := newPhrasebook(map[string]int{"no such user": 1, "no such user here": 2, "no": 3, "no such": 4})
		var got []int
		b.find("sorry, no such user here", func(h hit[int]) bool { got = append(got, h.tag); return true })
		if len(got) != 4 || got[0] != 2 || got[1] != 1 || got[2] != 4 || got[3] != 3 {
			t.Fatalf("found in the order %v", got)
		}
	}
}

func ordered[T comparable](t *testing.T, b *phrasebook[T]) {
	t.Helper()
	for _, phrases := range b.byFirst {
		for i, p := range phrases {
			if i > 0 && len(phrases[i-1].text) < len(p.text) {
				t.Errorf("%q stands before the longer %q", phrases[i-1].text, p.text)
			}
			for _, q := range phrases[:i] {
				if p.text == q.text && p.tag != q.tag {
					t.Errorf("%q says two things", p.text)
				}
			}
		}
	}
}
