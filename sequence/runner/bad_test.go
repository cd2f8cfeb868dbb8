package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

func wantIs(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("the error is %v, want %v", err, target)
	}
}

func onlyTom(_ context.Context, actor string, l provider.Linked) (bool, error) {
	return actor == l.Owner || actor == "tom", nil
}

// TestBadInput holds that bad input is refused with an error that names the
// thing, and that nothing is half-done behind it.
func TestBadInput(t *testing.T) { onEachStore(t, testBadInput) }

func testBadInput(t *testing.T, on storage) {
	cases := []struct {
		name   string
		change func(*runner.EnrollParams)
		is     error
		names  string
	}{
		{"no steps", func(p *runner.EnrollParams) { p.Sequence.Steps = nil }, sequence.ErrInvalid, "Steps"},
		{"a negative delay", func(p *runner.EnrollParams) { p.Sequence.Steps[1].Days = -1 }, sequence.ErrInvalid, "Steps[1].Days"},
		{"an unknown zone", func(p *runner.EnrollParams) { p.Zone = "Europe/Atlantis" }, provider.ErrInvalid, "Zone"},
		{"an unknown zone of the sequence", func(p *runner.EnrollParams) { p.Sequence.Zone = "Mars/Olympus" }, provider.ErrInvalid, "Sequence.Zone"},
		{"the machine's zone", func(p *runner.EnrollParams) { p.Zone = "Local" }, provider.ErrInvalid, "Zone"},
		{"no address", func(p *runner.EnrollParams) { p.Recipient.Addr = "grace" }, provider.ErrInvalid, "Recipient"},
		{"two addresses", func(p *runner.EnrollParams) { p.Recipient.Addr = "a@example.net, b@example.net" }, provider.ErrInvalid, "Recipient"},
		{"a name in the address", func(p *runner.EnrollParams) { p.Recipient.Addr = "Grace <grace@example.net>" }, provider.ErrInvalid, "Recipient"},
		{"a line break in the address", func(p *runner.EnrollParams) { p.Recipient.Addr = "a@example.net\r\nBcc: eve@example.org" }, provider.ErrInvalid, "Recipient"},
		{"a line break in the name", func(p *runner.EnrollParams) { p.Recipient.Name = "Grace\nBcc: eve@example.org" }, provider.ErrInvalid, "Recipient.Name"},
		{"a line break in the sender's name", func(p *runner.EnrollParams) { p.FromName = "Maria\nBcc: eve@example.org" }, provider.ErrInvalid, "FromName"},
		{"a line break in the subject", func(p *runner.EnrollParams) { p.Sequence.Steps[0].Subject = "Hi\r\nBcc: eve@example.org" }, sequence.ErrInvalid, "Steps[0].Subject"},
		{"a bad copy", func(p *runner.EnrollParams) { p.Cc = []provider.Address{{Addr: "ok@example.net"}, {Addr: "bad"}} }, provider.ErrInvalid, "Cc[1]"},
		{"the sender", func(p *runner.EnrollParams) { p.Recipient.Addr = "Maria@Agency.example.com" }, runner.ErrSelfRecipient, "Recipient"},
		{"the sender's alias", func(p *runner.EnrollParams) { p.Recipient.Addr = "ms@agency.example.com" }, runner.ErrSelfRecipient, "Recipient"},
		{"no key", func(p *runner.EnrollParams) { p.Key = "" }, provider.ErrInvalid, "Key"},
		{"no link", func(p *runner.EnrollParams) { p.Link = "" }, provider.ErrInvalid, "Link"},
		{"no sequence", func(p *runner.EnrollParams) { p.Sequence = nil }, provider.ErrInvalid, "Sequence"},
		{"an unknown link", func(p *runner.EnrollParams) { p.Link = "link-9" }, provider.ErrRelink, "link-9"},
		{"another's mailbox", func(p *runner.EnrollParams) { p.Actor = "eve" }, runner.ErrNotAllowed, "eve"},
	}
	w := newWorld(t, on)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := runner.EnrollParams{Key: "k", Link: link, Recipient: provider.Address{Addr: "grace@example.net"}, Sequence: threeSteps()}
			c.change(&p)
			_, err := w.run.Enroll(t.Context(), p)
			wantIs(t, err, c.is)
			if err != nil && !strings.Contains(err.Error(), c.names) {
				t.Errorf("the error %q does not name %s", err, c.names)
			}
			rows, err := w.store.List(t.Context(), store.ListEnrollments{})
			if err != nil || len(rows) != 0 {
				t.Errorf("left behind: %v, %v", rows, err)
			}
		})
	}
	w.tick()
	if n := len(w.office.Books().Submissions()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

func TestConfigNamesTheField(t *testing.T) {
	good := newWorld(t, onMemstore).cfg
	for field, change := range map[string]func(*runner.Config){
		"Store":             func(c *runner.Config) { c.Store = nil },
		"Mailboxes":         func(c *runner.Config) { c.Mailboxes = nil },
		"Key":               func(c *runner.Config) { c.Key = []byte("short") },
		"Domain":            func(c *runner.Config) { c.Domain = "localhost" },
		"Options.Freshness": func(c *runner.Config) { c.Options.Freshness = -time.Second },
		"Options":           func(c *runner.Config) { c.Options.Workers = -1 },
	} {
		cfg := good
		change(&cfg)
		_, err := runner.New(cfg)
		wantIs(t, err, provider.ErrInvalid)
		if err != nil && !strings.Contains(err.Error(), field) {
			t.Errorf("%q does not name %s", err, field)
		}
	}
}

func TestEnrollIsIdempotent(t *testing.T) { onEachStore(t, testEnrollIsIdempotent) }

func testEnrollIsIdempotent(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	a := w.enroll("grace@example.net")
	b := w.enroll("grace@example.net")
	if a.ID != b.ID {
		t.Error("the same key made two enrollments")
	}
	w.tick()
	w.tick()
	if n := w.mails("grace@example.net"); n != 1 {
		t.Errorf("%d mails", n)
	}
	_, err := w.run.Enroll(t.Context(), runner.EnrollParams{
		Key: "cand/grace@example.net", Link: link, Recipient: provider.Address{Addr: "other@example.net"}, Sequence: threeSteps(),
	})
	wantIs(t, err, runner.ErrKeyTaken)
}

// TestNarrowLinks holds that a link that can't see answers is refused where
// a sequence needs them, naming what is missing.
func TestNarrowLinks(t *testing.T) { onEachStore(t, testNarrowLinks) }

func testNarrowLinks(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.open.access = provider.AccessSend
	p := runner.EnrollParams{Key: "k", Link: link, Recipient: provider.Address{Addr: "grace@example.net"}, Sequence: threeSteps()}
	_, err := w.run.Enroll(t.Context(), p)
	wantIs(t, err, runner.ErrAbilities)
	if err != nil && !strings.Contains(err.Error(), string(provider.AccessReplies)) {
		t.Errorf("%q does not name the access that is missing", err)
	}

	w.person("grace@example.net")
	p.Sequence.AcceptBlind = true
	e, err := w.run.Enroll(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	w.tick()
	w.pass(4 * day)
	w.want(e.ID, runner.StatusActive, 2)
	if _, err := w.run.RecordReply(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	w.pass(10 * day)
	w.want(e.ID, runner.StatusReplied, 2)
}

// odd is a mailbox whose service names threads strangely.
type odd struct{ provider.Mailbox }

func (o odd) Envelope(ctx context.Context, ref provider.Ref) (*provider.Envelope, error) {
	env, err := o.Mailbox.Envelope(ctx, ref)
	if err == nil {
		env.Thread += "\xff\x00"
		env.References = append(env.References, "<"+strings.Repeat("x", 3*store.MaxIndexValue)+"@example.net>")
	}
	return env, err
}

// TestStrangeNames: what a service names things, and what a mail cites, may be
// longer than a database can index, or no text at all. The mail is read like
// any other.
func TestStrangeNames(t *testing.T) { onEachStore(t, testStrangeNames) }

func testStrangeNames(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return odd{mb} }
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.AnswerNew, After: time.Hour})
	id := w.enroll("grace@example.net").ID
	w.pass(3 * time.Hour)
	w.want(id, runner.StatusReplied, 1)
	w.sound()
}

// TestDataNeedsRenderer: words with gaps don't leave as they stand.
func TestDataNeedsRenderer(t *testing.T) {
	w := newWorld(t, onMemstore, func(c *runner.Config) { c.Renderer = nil })
	_, err := w.run.Enroll(t.Context(), runner.EnrollParams{
		Key: "k", Link: link, Recipient: provider.Address{Addr: "ada@example.net"}, Sequence: threeSteps(), Data: map[string]string{"first": "Ada"},
	})
	var field *provider.FieldError
	if !errors.As(err, &field) || field.Field != "Data" {
		t.Errorf("data that nobody fills in: %v", err)
	}
}

// TestOtherKey: a host that lost its secret is told so.
func TestOtherKey(t *testing.T) { onEachStore(t, testOtherKey) }

func testOtherKey(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.enroll("ada@example.net")
	w.cfg.Key = []byte("another secret of thirty-two bytes")
	w.run = w.runner()
	_, err := w.run.Enroll(t.Context(), runner.EnrollParams{
		Key: "cand/ada@example.net", Link: link, Recipient: provider.Address{Addr: "ada@example.net"}, Sequence: threeSteps(),
	})
	if !errors.Is(err, runner.ErrKeyTaken) || !strings.Contains(err.Error(), "Config.Key") {
		t.Errorf("a key that was enrolled under another secret: %v", err)
	}
}
