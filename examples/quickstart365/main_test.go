package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/examples/internal/story"
	"github.com/outreachkit/outreach/examples/internal/storytest"
)

// results runs it with -json.
func results(t *testing.T, both bool) []story.Result {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), true, both, "", &out); err != nil {
		t.Fatal(err)
	}
	var rs []story.Result
	for line := range strings.Lines(out.String()) {
		var r story.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		rs = append(rs, r)
	}
	return rs
}

// TestQuickstart365: what the quickstart shows of Gmail, this shows of Graph.
func TestQuickstart365(t *testing.T) {
	rs := results(t, false)
	if len(rs) != 1 {
		t.Fatalf("%d results", len(rs))
	}
	for _, wrong := range storytest.Check(rs[0], "msgraph", false) {
		t.Error(wrong)
	}
}

// TestBoth: mail crosses over between the two services, and stays in one
// conversation on both ends.
func TestBoth(t *testing.T) {
	rs := results(t, true)
	if len(rs) != 2 {
		t.Fatalf("%d results", len(rs))
	}
	for i, service := range []string{"gmail", "msgraph"} {
		for _, wrong := range storytest.Check(rs[i], service, true) {
			t.Errorf("%s: %s", service, wrong)
		}
	}
}

// TestTold is what a person reads.
func TestTold(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), false, false, "", &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range storytest.Told("maria.silva@consulting.example.com") {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story does not tell %q", want)
		}
	}
}
