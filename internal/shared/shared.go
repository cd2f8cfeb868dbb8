// Package shared finds what tests read beside the module and no checkout
// brings: collections of real mail, and the mail services' OpenAPI contracts.
// They belong to others, so the repository does not hold them.
//
// OUTREACH_SHARED names the folder; without it that is ../shared beside the
// module. A test skips, by name, what is not there, and fails there if
// OUTREACH_REQUIRE_SHARED is 1. What may be in it:
//
//   - corpora/bounces: delivery reports as *.eml, and expected.tsv, which has
//     a row for each recipient of a report, below a row of headings: the
//     file's name, the recipient's number in it, the status (RFC 3463), the
//     SMTP code, the reason in a word, and true or false for a hard failure.
//   - corpora/quotes: replies as emails/*.txt, and under the same names in
//     trimmed what a person would keep of them.
//   - corpora/quotes-bodies: bodies of replies as *.txt, of which tests know
//     what must stay.
//   - corpora/odd-mime: mails as *.eml, in folders of any depth.
//   - contracts: gmail-openapi.strict.json and graph-mail-openapi.strict.json,
//     which are OpenAPI 3 descriptions without unknown properties.
package shared

import (
	"fmt"
	"os"
	"path/filepath"
)

// Find returns the path of what has this name below the shared folder, such as
// corpora/quotes. It is empty where there is no such thing, and an error where
// OUTREACH_REQUIRE_SHARED is 1.
func Find(name string) (string, error) {
	dir := os.Getenv("OUTREACH_SHARED")
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "..", "shared")
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	_, err := os.Stat(path)
	switch {
	case err == nil:
		return path, nil
	case !os.IsNotExist(err):
		return "", err
	case os.Getenv("OUTREACH_REQUIRE_SHARED") == "1":
		return "", fmt.Errorf("%s is not in the folder of OUTREACH_SHARED, and OUTREACH_REQUIRE_SHARED wants it", name)
	}
	return "", nil
}

// T is what Path needs of a *testing.T.
type T interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Path is Find for a test: it skips where there is no such thing, and fails on
// an error.
func Path(t T, name string) string {
	t.Helper()
	path, err := Find(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if path == "" {
		t.Skipf("%s is not here; set OUTREACH_SHARED to the folder that has it", name)
	}
	return path
}

// moduleRoot is where go.mod lies, from the package under test upwards.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the test")
		}
		dir = up
	}
}
