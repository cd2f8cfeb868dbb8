package runner

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// TestStoredNames: each field of what is stored as JSON has a name there that
// is not Go's, so that renaming it in Go loses nothing.
func TestStoredNames(t *testing.T) {
	seen := make(map[reflect.Type]bool)
	for _, typ := range []reflect.Type{
		reflect.TypeFor[sequence.Sequence](), reflect.TypeFor[record](), reflect.TypeFor[intentMeta](), reflect.TypeFor[boxData](),
		reflect.TypeFor[restoration](), reflect.TypeFor[Event](), reflect.TypeFor[store.Entry](),
	} {
		named(t, typ, seen)
	}
	if len(seen) < 15 {
		t.Errorf("looked at %d types only", len(seen))
	}
}

func named(t *testing.T, typ reflect.Type, seen map[reflect.Type]bool) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		named(t, typ.Elem(), seen)
		return
	case reflect.Struct:
	default:
		return
	}
	if seen[typ] || typ.Implements(reflect.TypeFor[json.Marshaler]()) || typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return
	}
	seen[typ] = true
	names := make(map[string]bool)
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "" || name != strings.ToLower(name) || names[name]:
			t.Errorf("%s.%s is stored as %q", typ, f.Name, name)
		}
		names[name] = true
		named(t, f.Type, seen)
	}
}

// TestStoredForms holds what lies in outboxes and records.
func TestStoredForms(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for want, v := range map[string]any{
		`{"id":"e1","kind":"sent","at":"2026-03-02T09:00:00Z","enrollment":"n1","key":"k","of":"drip","mailbox":"m","link":"l","owner":"o","actor":"a","step":2,` +
			`"reason":"r","alias":"x","until":"2026-03-02T09:00:00Z","count":3}`: Event{
			ID: "e1", Kind: EventSent, At: at, Enrollment: "n1", Key: "k", Of: "drip", Mailbox: "m", Link: "l", Owner: "o", Actor: "a", Step: 2,
			Reason: "r", Alias: "x", Until: at, Count: 3,
		},
		`{"key":"k","conversation":"c","mailbox":"m","link":"l","owner":"o","actor":"a","recipient":"r","direction":"in","class":"human","evidence":"e","step":1,` +
			`"crossed":true,"ref":"f","message_id":"i","from":"x","to":"y","cc":"z","subject":"s","at":"2026-03-02T09:00:00Z","text":"t","fresh":"n","html":"h",` +
			`"parts":[{"part":"1","name":"a.pdf","content_type":"application/pdf","size":7,"content_id":"c","inline":true}],"opt_out":"stop","answer_needed":true,"answers":true}`: store.Entry{
			Key: "k", Conversation: "c", Mailbox: "m", Link: "l", Owner: "o", Actor: "a", Recipient: "r", Direction: "in", Class: "human", Evidence: "e", Step: 1,
			Crossed: true, Ref: "f", MessageID: "i", From: "x", To: "y", Cc: "z", Subject: "s", At: at, Text: "t", Fresh: "n", HTML: "h",
			Parts:  []store.Part{{Part: "1", Name: "a.pdf", ContentType: "application/pdf", Size: 7, ContentID: "c", Inline: true}},
			OptOut: "stop", AnswerNeeded: true, Answers: true,
		},
		`{"name":"Grace","addr":"grace@example.org"}`:                       provider.Address{Name: "Grace", Addr: "grace@example.org"},
		`{"id":"t","in_reply_to":"a@b","references":["a@b"],"subject":"s"}`: provider.Thread{ID: "t", InReplyTo: "a@b", References: []string{"a@b"}, Subject: "s"},
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("written as %s, %v; stored are %s", got, err, want)
		}
	}
}
