package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/examples/internal/story"
	"github.com/outreachkit/outreach/examples/internal/storytest"
)

// TestQuickstart holds what the quickstart promises, by the fake's books.
func TestQuickstart(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), true, "", &out); err != nil {
		t.Fatal(err)
	}
	var r story.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range storytest.Check(r, "gmail", false) {
		t.Error(wrong)
	}
}

// TestTold is what a person reads.
func TestTold(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), false, "", &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range storytest.Told("maria.silva@agency.example.com") {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story does not tell %q", want)
		}
	}
}
