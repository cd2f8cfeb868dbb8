package linking

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

func TestRecord(t *testing.T) {
	link := store.Link{ID: "l1"}
	rec, err := recordOf(link)
	if err != nil || rec.Version != recordVersion {
		t.Fatalf("no record reads as %+v, %v", rec, err)
	}
	link.Data = []byte(`{"v":7,"asked":"replies","later":{"a":[1,2]}}`)
	if rec, err = recordOf(link); err != nil || rec.Asked != provider.AccessReplies {
		t.Fatalf("read %+v, %v", rec, err)
	}
	rec.Asked = ""
	if err := keepRecord(&link, rec); err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(link.Data, &got); err != nil {
		t.Fatal(err)
	}
	if string(got["later"]) != `{"a":[1,2]}` || string(got["v"]) != "7" {
		t.Errorf("what a newer program wrote became %s", link.Data)
	}
	if _, ok := got["asked"]; ok {
		t.Errorf("a field that was emptied came back: %s", link.Data)
	}
}

func TestRecordThatIsNone(t *testing.T) {
	for _, data := range []string{"canary", `[]`, `{"asked":7}`, `{"asked":"canary`} {
		_, err := recordOf(store.Link{ID: "l1", Data: []byte(data)})
		if err == nil || !strings.Contains(err.Error(), "link l1") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error is %v", data, err)
		}
	}
}

// TestRecordOfTheFirstVersion: a record as it lies in databases reads, and is
// written, as it was; a fault is kept as codes, never in words.
func TestRecordOfTheFirstVersion(t *testing.T) {
	const stored = `{"breaks":[{"at":"2026-03-02T09:00:00Z","fault":{"kind":"relink","reason":"invalid_grant","token":true}}],` +
		`"fault":{"kind":"relink","reason":"invalid_grant","cause":"grant_revoked","token":true},"v":1}`
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	rec := record{
		Fault:  fault{Kind: provider.ErrRelink, Reason: "invalid_grant", Cause: provider.ReasonGrantRevoked, Token: true},
		Breaks: []brk{{At: at, Fault: fault{Kind: provider.ErrRelink, Reason: "invalid_grant", Token: true}}},
	}
	var link store.Link
	if err := keepRecord(&link, rec); err != nil || string(link.Data) != stored {
		t.Errorf("written as %s, %v", link.Data, err)
	}
	got, err := recordOf(store.Link{Data: []byte(stored)})
	if err != nil || got.Fault != rec.Fault || len(got.Breaks) != 1 || got.Breaks[0] != rec.Breaks[0] {
		t.Errorf("read as %+v, %v", got, err)
	}
}
