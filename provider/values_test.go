package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

func TestErrorMatchesKindAndCause(t *testing.T) {
	cause := &fs.PathError{Op: "open", Path: "secret-path", Err: fs.ErrNotExist}
	err := fmt.Errorf("runner: %w", &Error{
		Kind: ErrThrottled, Op: "gmail: send", Reason: "rateLimitExceeded", RetryAfter: 90 * time.Second,
		Until: time.Date(2026, 3, 2, 10, 0, 0, 0, time.FixedZone("", 3600)), Err: cause,
	})
	if !errors.Is(err, ErrThrottled) || errors.Is(err, ErrTemporary) || !errors.Is(err, fs.ErrNotExist) {
		t.Error("the kind, and only the kind, and the cause should match")
	}
	if e, ok := errors.AsType[*fs.PathError](err); !ok || e != cause {
		t.Error("the cause is out of reach")
	}
	want := "runner: gmail: send: throttled (rateLimitExceeded), retry after 1m30s, ask again at 2026-03-02T09:00:00Z"
	if err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if got := (&Error{Kind: ErrNotFound}).Error(); got != "not found" {
		t.Errorf("%q", got)
	}
	if got := ErrNotFound.Error(); got != "provider: not found" {
		t.Errorf("%q", got)
	}
}

func kinds() []ErrorKind {
	return []ErrorKind{
		ErrRelink, ErrAccess, ErrApp, ErrThrottled, ErrTemporary, ErrOutcomeUnknown, ErrNotSettled, ErrNotSent, ErrRejected, ErrTooLarge,
		ErrMailboxUnusable, ErrNotFound, ErrCursorExpired, ErrNoWarrant, ErrSenderNotAllowed, ErrInvalid,
	}
}

// TestKindsAreCodes: what records keep of a kind never changes, and no words
// are kept.
func TestKindsAreCodes(t *testing.T) {
	const kept = `["relink","access","app","throttled","temporary","outcome_unknown","not_settled","not_sent","rejected","too_large",` +
		`"mailbox_unusable","not_found","cursor_expired","no_warrant","sender_not_allowed","invalid"]`
	if got, err := json.Marshal(kinds()); err != nil || string(got) != kept {
		t.Errorf("%s, %v, and stored records say %s", got, err, kept)
	}
	const words = "relink required, access not granted, app set-up at fault, throttled, temporary failure, outcome unknown, not settled, not sent, rejected, " +
		"message too large, mailbox unusable, not found, cursor expired, no warrant, sender not allowed, invalid value"
	var texts []string
	for _, k := range kinds() {
		texts = append(texts, k.Text())
		if got := (&Error{Op: "gmail: send", Kind: k}).Error(); got != "gmail: send: "+k.Text() || k.Error() != "provider: "+k.Text() {
			t.Errorf("%q reads %q and %q", k, got, k.Error())
		}
	}
	if got := strings.Join(texts, ", "); got != words {
		t.Errorf("they read %s", got)
	}
}

func TestKindsAreDistinct(t *testing.T) {
	kinds := kinds()
	for i, a := range kinds {
		for j, b := range kinds {
			if errors.Is(&Error{Kind: a}, b) != (i == j) {
				t.Errorf("%q and %q", a, b)
			}
		}
	}
}

func TestFieldError(t *testing.T) {
	err := fmt.Errorf("build: %w", &FieldError{Op: "mime: build", Field: "Header[X-Team]", Problem: "is empty"})
	if !errors.Is(err, ErrInvalid) || !errors.Is(err, ErrRejected) || errors.Is(err, ErrTemporary) {
		t.Error("a FieldError is invalid and rejected")
	}
	if want := "build: mime: build: Header[X-Team]: is empty"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]Address{
		"ada@example.com":                        {Addr: "ada@example.com"},
		"Ada Lovelace <Ada@Example.com>":         {Name: "Ada Lovelace", Addr: "Ada@Example.com"},
		`"Lovelace, Ada" <ada@example.com>`:      {Name: "Lovelace, Ada", Addr: "ada@example.com"},
		"=?utf-8?q?Ad=C3=A4?= <ada@example.com>": {Name: "Adä", Addr: "ada@example.com"},
		"jürgen@müller.example":                  {Addr: "jürgen@müller.example"},
		"o'brien+tag@example.com":                {Addr: "o'brien+tag@example.com"},
	} {
		if got, err := ParseAddress("test", "To", in); err != nil || got != want {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "ada", "@example.com", "ada@", "ada@example.com, bob@example.com", "ada@example.com\r\nBcc: x@example.com",
		"ada@example.com\x00", "ada @example .com extra", `"with space"@example.com`, "=?utf-8?q?Ada=0D=0ABcc:_x?= <ada@example.com>",
	} {
		got, err := ParseAddress("test", "To", in)
		f, ok := errors.AsType[*FieldError](err)
		if !ok || f.Field != "To" || got != (Address{}) {
			t.Errorf("%q is read as %+v, %v", in, got, err)
		}
	}
}

func TestParseAddressKeepsTheValueToItself(t *testing.T) {
	if _, err := ParseAddress("test", "To", "canary-71a0@"); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v", err)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"ada@example.com", "Ada <ada@example.com>", `"a b"@example.com`, "a@[1.2.3.4]", "=?utf-8?q?=0D=0A?= <a@b.c>", "a@b@c", "\xff@x.y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress("fuzz", "To", s)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("%T", err)
			}
			return
		}
		key := Normalize(a.Addr)
		if key == "" {
			t.Fatalf("%q is accepted and can't be compared", s)
		}
		if strings.ContainsAny(a.Addr+a.Name, "\r\n\x00") {
			t.Fatalf("%q has a line break in its address or name", s)
		}
		if !(Account{Address: a.Addr}).Owns(strings.ToUpper(a.Addr)) && strings.ToLower(strings.ToUpper(a.Addr)) == key {
			t.Fatalf("%q does not own itself", a.Addr)
		}
	})
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{" Ada@Example.COM ", "ada", "@", "a@b@c", "İ@x.y", "a@b\n", "\u00a0a@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key := Normalize(s)
		if again := Normalize(key); again != key {
			t.Fatalf("%q becomes %q, then %q", s, key, again)
		}
		if key != "" && (!strings.Contains(key, "@") || strings.ContainsAny(key, " \t\r\n<>\x00")) {
			t.Fatalf("%q becomes %q", s, key)
		}
	})
}

func TestAddressString(t *testing.T) {
	if got := (Address{Name: "Ada", Addr: "ada@example.com"}).String(); got != "Ada <ada@example.com>" {
		t.Error(got)
	}
	if got := (Address{Addr: "ada@example.com"}).String(); got != "ada@example.com" {
		t.Error(got)
	}
}

func TestOwns(t *testing.T) {
	acc := Account{Address: "Ada@Example.com", Addresses: []string{"recruiting@example.com", ""}}
	for addr, want := range map[string]bool{
		" ada@example.com": true, "RECRUITING@example.com": true, "bob@example.com": false, "": false, "ada": false, "ada+x@example.com": false,
	} {
		if acc.Owns(addr) != want {
			t.Errorf("%q: %v", addr, !want)
		}
	}
	if (Account{}).Owns("") {
		t.Error("an empty account owns the empty address")
	}
}

func TestAccessIncludes(t *testing.T) {
	order := []Access{"", AccessSend, AccessEnvelopes, AccessReplies}
	for i, a := range order {
		for j, b := range order {
			if want := i >= j && j > 0; a.Includes(b) != want {
				t.Errorf("%q includes %q: %v", a, b, !want)
			}
		}
	}
	if AccessReplies.AtMost(AccessSend) != AccessSend || AccessSend.AtMost(AccessReplies) != AccessSend || AccessReplies.AtMost("") != "" {
		t.Error("AtMost does not return the lesser access")
	}
	if AccessReplies.Includes("everything") || Access("everything").Includes(AccessSend) {
		t.Error("an unknown access includes or is included")
	}
}

func TestDeparted(t *testing.T) {
	for _, p := range []Place{PlaceUnknown, PlaceInbox, PlaceSent, PlaceJunk, PlaceTrash, PlaceOther, PlaceDraft, PlaceOutbox} {
		if want := p != PlaceDraft && p != PlaceOutbox; (Located{Place: p}).Departed() != want {
			t.Errorf("a copy in %q: %v", p, !want)
		}
	}
}

// TestSecretsAreNotPrinted prints values with planted canaries in all the
// ways that end up in logs.
func TestSecretsAreNotPrinted(t *testing.T) {
	const canary = "canary-4f1d"
	grant := Grant{
		Token: &oauth2.Token{AccessToken: canary + "a", RefreshToken: canary + "r"}, Access: AccessReplies,
		Identity: Identity{Subject: canary + "s", Address: canary + "@example.com"}, Scopes: []string{canary},
	}
	callback := Callback{Code: canary + "c", Verifier: canary + "v", Nonce: canary + "n"}
	type holder struct {
		Grant    Grant
		Callback *Callback
	}
	for name, v := range map[string]any{
		"grant": grant, "*grant": &grant, "callback": callback, "*callback": &callback, "slice": []any{grant, callback},
		"map": map[string]Grant{"g": grant}, "struct": holder{grant, &callback},
	} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if s := fmt.Sprintf(format, v); strings.Contains(s, canary) || strings.Contains(s, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s with %s: %s", name, format, s)
			}
		}
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).Info("linked", "grant", grant, "pointer", &grant, slog.Any("callback", callback), "cb", &callback)
		if strings.Contains(b.String(), canary) || !strings.Contains(b.String(), "hidden") {
			t.Errorf("%s: %s", name, b.String())
		}
	}
}
