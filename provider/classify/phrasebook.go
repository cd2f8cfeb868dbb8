package classify

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// phrasebook finds phrases in text that normalize has prepared. A phrase
// begins where a word does and may end within one, so that "unknown user"
// finds "unknown users". Looking takes time in proportion to the text,
// however many phrases there are.
type phrasebook[T any] struct {
	byFirst map[string][]phrase[T] // by the first word
	may     [1 << 12]bool          // by sketch: whether any phrase begins so
}

// sketch tells most words that no phrase begins with from those that one
// does, for less than the map takes.
func sketch(word string) int {
	n := len(word)
	return (int(word[0])*7 + int(word[n-1])*131 + int(word[n/2])*1009 + n) & (1<<12 - 1)
}

type phrase[T any] struct {
	text string
	tag  T
}

func newPhrasebook[T any](groups map[string]T) *phrasebook[T] {
	b := &phrasebook[T]{byFirst: make(map[string][]phrase[T])}
	for lines, tag := range groups {
		for line := range strings.SplitSeq(lines, "\n") {
			for text := range strings.SplitSeq(line, ";") {
				text = strings.TrimLeft(strings.TrimSpace(text), "'(<[") // a phrase begins with its first word
				if text != "" {
					first := text[:wordEnd(text)]
					b.byFirst[first] = append(b.byFirst[first], phrase[T]{text, tag})
					b.may[sketch(first)] = true
				}
			}
		}
	}
	for _, phrases := range b.byFirst { // the groups come in no order
		slices.SortFunc(phrases, func(p, q phrase[T]) int {
			return cmp.Or(cmp.Compare(len(q.text), len(p.text)), strings.Compare(p.text, q.text))
		})
	}
	return b
}

// hit is a phrase that was found.
type hit[T any] struct {
	tag     T
	at, end int
}

// find calls yield for each phrase in text, in the order of the text, until
// it returns false. Of several at one place all are told, the longest first.
func (b *phrasebook[T]) find(text string, yield func(hit[T]) bool) {
	for i := 0; i < len(text); {
		n := wordEnd(text[i:])
		if n == 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		if word := text[i : i+n]; !b.may[sketch(word)] {
			i += n
			continue
		}
		for _, p := range b.byFirst[text[i:i+n]] {
			if strings.HasPrefix(text[i:], p.text) && !yield(hit[T]{p.tag, i, i + len(p.text)}) {
				return
			}
		}
		i += n
	}
}

// has reports whether any phrase is in text.
func (b *phrasebook[T]) has(text string) bool {
	found := false
	b.find(text, func(hit[T]) bool {
		found = true
		return false
	})
	return found
}

// wordEnd returns the length of the word that s begins with, 0 if none. Each
// sign of the scripts that put no spaces between words is a word of its own.
func wordEnd(s string) int {
	i := 0
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
				break
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if unspaced(r) {
			if i == 0 {
				return size
			}
			break
		}
		if !letter(r) {
			break
		}
		i += size
	}
	return i
}

// letter reports whether r belongs to a word. Package unicode's tables take
// long for the letters that mail has most of after the Latin ones.
func letter(r rune) bool {
	if 0x0410 <= r && r <= 0x0481 || 0x00C0 <= r && r <= 0x024F && r != '×' && r != '÷' || 0x03B1 <= r && r <= 0x03CE {
		return true
	}
	return unicode.IsLetter(r) || unicode.IsMark(r)
}

// unspaced reports whether r is of a script without spaces between words.
func unspaced(r rune) bool {
	return 0x2E80 <= r && r <= 0x9FFF || 0xAC00 <= r && r <= 0xD7AF || 0xF900 <= r && r <= 0xFAFF || 0xFF00 <= r && r <= 0xFFEF || 0x0E00 <= r && r <= 0x0E7F
}
