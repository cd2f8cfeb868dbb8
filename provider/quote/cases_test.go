package quote_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/provider/quote"
)

// sample is a body and its fresh text.
type sample struct{ name, body, fresh string }

// samples reads testdata: "=== name", a body, "--- fresh", the fresh text.
func samples(t testing.TB, file string) []sample {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	for part := range strings.SplitSeq("\n"+string(data), "\n=== ") {
		if part == "" {
			continue
		}
		head, fresh, ok := strings.Cut("\n"+part+"\n", "\n--- fresh\n")
		name, body, _ := strings.Cut(strings.TrimPrefix(head, "\n"), "\n")
		if !ok || name == "" {
			t.Fatalf("%s: a case is malformed: %q", file, part)
		}
		out = append(out, sample{name, body, strings.Trim(fresh, "\n")})
	}
	return out
}

func TestCases(t *testing.T) {
	for _, file := range []string{"text.txt", "html.txt"} {
		for _, c := range samples(t, file) {
			t.Run(strings.TrimSuffix(file, ".txt")+"/"+c.name, func(t *testing.T) {
				b := quote.Body{Text: c.body}
				if file == "html.txt" {
					b = quote.Body{HTML: c.body}
				}
				p := quote.Split(b)
				if got := p.Fresh(); got != c.fresh {
					t.Errorf("fresh is\n%s\n\nwant\n%s", got, c.fresh)
					for _, piece := range p.Pieces {
						t.Logf("%s %q", piece.Kind, piece.Text)
					}
				}
			})
		}
	}
}
