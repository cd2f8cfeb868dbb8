package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/outreachkit/outreach/examples/internal/storytest"
	"github.com/outreachkit/outreach/internal/pgtest"
)

// asProgram makes the test binary the quickstart itself.
const asProgram = "OUTREACH_TEST_QUICKSTART"

var postgres = pgtest.Lazy{Config: pgtest.Config{Driver: "pgx"}}

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		code = 1
	}
	os.Exit(code)
}

// TestResume: stopped again and again, by Ctrl-C and by worse, the story ends
// as if it had never been stopped.
func TestResume(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var uninterrupted bytes.Buffer
	if err := run(t.Context(), true, "", &uninterrupted); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		cuts  []storytest.Cut
		where func(*testing.T) string
	}{
		{"SQLite", storytest.Cuts(), func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "a store #1?.db") }},
		{"PostgreSQL", storytest.Cuts()[2:4], func(t *testing.T) string { return "postgres:" + postgres.Empty(t) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := c.where(t)
			wrong, err := storytest.Resume(t.Context(), program, []string{asProgram + "=1"}, c.cuts, uninterrupted.String(), "-store", store)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wrong {
				t.Error(w)
			}
		})
	}
}

// TestBadStore: a mistake in the flag is said before anything begins.
func TestBadStore(t *testing.T) {
	for _, where := range []string{"outreach.db", "sqlite:", "mysql:root@localhost"} {
		if err := run(t.Context(), true, where, &bytes.Buffer{}); err == nil {
			t.Errorf("-store %s is taken", where)
		}
	}
}
