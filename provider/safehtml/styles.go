package safehtml

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// maxTag is how long a tag with a style may be, in bytes. The parser of styles
// takes time by the square of their length, and no mail program writes more.
const maxTag = 8 << 10

// plainStyles takes away styles that are too long, and those with escapes: what
// they say is left to each browser.
func plainStyles(doc string) string {
	if len(doc) <= maxTag && !strings.Contains(doc, `\`) {
		return doc
	}
	var b strings.Builder
	b.Grow(len(doc))
	z := html.NewTokenizer(strings.NewReader(doc))
	for {
		kind := z.Next()
		raw := z.Raw() // until the tag is read further
		if kind == html.ErrorToken {
			b.Write(raw)
			return b.String()
		}
		escaped := bytes.IndexByte(raw, '\\') >= 0
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken || len(raw) <= maxTag && !escaped {
			b.Write(raw)
			continue
		}
		long := len(raw) > maxTag
		t := z.Token()
		kept := t.Attr[:0]
		for _, a := range t.Attr {
			if a.Key != "style" || !long && !strings.Contains(a.Val, `\`) {
				kept = append(kept, a)
			}
		}
		t.Attr = kept
		b.WriteString(t.String())
	}
}
