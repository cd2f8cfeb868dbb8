package shared_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/outreachkit/outreach/internal/contracttest"
	"github.com/outreachkit/outreach/internal/shared"
)

// ending notes how a test was ended.
type ending struct{ how string }

func (*ending) Helper() {}
func (e *ending) Skipf(string, ...any) {
	if e.how == "" {
		e.how = "skipped"
	}
}
func (e *ending) Fatalf(string, ...any) { e.how = "failed" }

// TestPath holds that what is not there is skipped, unless it must not be.
func TestPath(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("OUTREACH_SHARED", dir)
	if err := os.MkdirAll(filepath.Join(dir, "corpora", "there"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ required, name, how string }{
		{"", "corpora/there", ""}, {"1", "corpora/there", ""}, {"", "corpora/none", "skipped"}, {"1", "corpora/none", "failed"},
	} {
		t.Setenv("OUTREACH_REQUIRE_SHARED", c.required)
		e := &ending{}
		path := shared.Path(e, c.name)
		if e.how != c.how || (path != "") != (c.how == "") {
			t.Errorf("%+v: %q, at %q", c, e.how, path)
		}
		if c.how == "" {
			continue
		}
		contract, err := contracttest.Load("none.json", "")
		if contract != nil || (err != nil) != (c.required == "1") {
			t.Errorf("%+v: a contract that is not there: %v, %v", c, contract, err)
		}
	}
}
