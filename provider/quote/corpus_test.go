package quote_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/internal/shared"
	"github.com/outreachkit/outreach/provider/quote"
)

// score counts how well fresh texts fit those that a person would keep.
type score struct {
	mails, exact int
	lost, left   int // lines
	lostIn       []string
}

// lines are the lines of a text that are not blank, without space at their ends.
func linesOf(s string) []string {
	var out []string
	for l := range strings.SplitSeq(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// add compares what was kept with what was to be kept, and tells what differs.
func (s *score) add(t *testing.T, name, got, want string) {
	t.Helper()
	s.mails++
	have, wanted := linesOf(got), linesOf(want)
	if strings.Join(have, "\n") == strings.Join(wanted, "\n") {
		s.exact++
		return
	}
	count := make(map[string]int)
	for _, l := range have {
		count[l]++
	}
	for _, l := range wanted {
		if count[l]--; count[l] < 0 {
			s.lost++
			s.lostIn = append(s.lostIn, name)
			t.Logf("%s: lost %q", name, l)
		}
	}
	count = make(map[string]int)
	for _, l := range wanted {
		count[l]++
	}
	for _, l := range have {
		if count[l]--; count[l] < 0 {
			s.left++
			t.Logf("%s: left %q", name, l)
		}
	}
}

func (s score) percent() float64 { return 100 * float64(s.exact) / float64(max(s.mails, 1)) }

// TestQuotesCorpus measures on real mail that is labelled with what a person
// would keep, and holds a floor. The half that is held out was measured first
// when the rules for the other half were done: 82.4 % exact. It has been looked
// at since, so that its figure is no longer one of mail never seen.
func TestQuotesCorpus(t *testing.T) {
	dir := shared.Path(t, "corpora/quotes")
	files, err := filepath.Glob(filepath.Join(dir, "emails", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no mails in %s: %v", dir, err)
	}
	var all, held score
	for _, f := range files {
		mail, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, "trimmed", filepath.Base(f)))
		if err != nil {
			t.Fatal(err)
		}
		fresh := quote.Fresh(string(mail))
		all.add(t, filepath.Base(f), fresh, string(want))
		if sha256.Sum256(mail)[0]%2 == 1 {
			held.add(t, filepath.Base(f), fresh, string(want))
		}
	}
	t.Logf("all: %d mails, exact %.1f %%, %d lines lost, %d left", all.mails, all.percent(), all.lost, all.left)
	t.Logf("held out: %d mails, exact %.1f %%, %d lines lost, %d left", held.mails, held.percent(), held.lost, held.left)
	if all.percent() < 93 || all.lost > 0 {
		t.Errorf("exact %.1f %%, want at least 93; %d lines lost in %v, want none", all.percent(), all.lost, all.lostIn)
	}
	if held.percent() < 88 {
		t.Errorf("held out: exact %.1f %%, want at least 88", held.percent())
	}
}

// TestBodiesCorpus runs real bodies without labels through the properties
// that hold for every body.
func TestBodiesCorpus(t *testing.T) {
	dir := shared.Path(t, "corpora/quotes-bodies")
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no bodies in %s: %v", dir, err)
	}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		properties(t, quote.Body{Text: string(body)})
	}
}
