package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/outreachkit/outreach/examples/internal/storytest"
)

// asProgram makes the test binary the program itself.
const asProgram = "OUTREACH_TEST_QUICKSTART365"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestResume: stopped again and again, by Ctrl-C and by worse, the story ends
// as if it had never been stopped: the links of Entra and the cursors of
// Graph are good in the next process, too.
func TestResume(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var uninterrupted bytes.Buffer
	if err := run(t.Context(), true, false, "", &uninterrupted); err != nil {
		t.Fatal(err)
	}
	wrong, err := storytest.Resume(t.Context(), program, []string{asProgram + "=1"}, storytest.Cuts()[3:], uninterrupted.String(),
		"-store", "sqlite:"+filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}
