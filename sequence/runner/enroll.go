package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// EnrollParams puts one recipient into one sequence over one link. Key, Link,
// Recipient and Sequence are required.
type EnrollParams struct {
	// Key is the host's own name for this run, unique for ever: the same Key
	// again is the same enrollment, never a second one.
	Key string

	// Link is whose mailbox sends. Actor is the host's user who acts; empty
	// is the link's owner.
	Link  string
	Actor string

	// Recipient is whom the sequence is for. Cc and Bcc get every mail too;
	// what they write does not count as the recipient's answer.
	Recipient provider.Address
	Cc, Bcc   []provider.Address

	// FromName is the display name beside the link's address. Empty leaves
	// the address alone.
	FromName string

	// From is the address to send from. Empty is the mailbox's own; an alias
	// must be proven by a Preview with the same From: mail to it reaches this
	// mailbox, and mail from it leaves under its name. Any other address is
	// provider.ErrSenderNotAllowed. If the proof is lost later, what is left to
	// send is held until there is a new one.
	From string

	Sequence *sequence.Sequence

	// Data is what the Renderer fills the words in with. Without a Renderer it
	// must be empty: the words leave as they stand.
	Data map[string]string

	// Zone is the IANA name of the recipient's time zone. Empty is the
	// sequence's own.
	Zone string
}

// SendParams sends a single mail the way a sequence does. Subject and Text or
// HTML are required beside Key, Link and To.
type SendParams struct {
	Key      string // as in EnrollParams
	Link     string
	Actor    string
	To       provider.Address
	Cc, Bcc  []provider.Address
	FromName string
	From     string // as in EnrollParams
	Subject  string
	Text     string
	HTML     string
	Data     map[string]string
}

// Enroll begins a recipient's run. It makes no request to the mail service:
// the first step leaves on a later Tick. Enrolling again with the same Key,
// link, recipient and sequence returns the enrollment as it now is, whatever
// speaks against a new one by now: that is what to do after store.ErrUnknown
// and after a crash. All other parameters are those of the first time.
//
// Beside the package's errors it returns sequence.ErrInvalid or
// provider.ErrInvalid for a field that can't be used, and what
// Mailboxes.Open returns for a link that can't.
//
// A Runner whose Store works inside a transaction of the host's enrolls in
// that: see sqlstore.Store.WithTx and its example.
func (r *Runner) Enroll(ctx context.Context, p EnrollParams) (Enrollment, error) {
	return r.enroll(ctx, p, kindDrip)
}

// Send queues a single mail: a sequence of one step, due at once. Answers to
// it are seen and logged like those to a drip. The same Key is the same mail;
// its errors are those of Enroll.
func (r *Runner) Send(ctx context.Context, p SendParams) (Enrollment, error) {
	switch {
	case strings.TrimSpace(p.Subject) == "":
		return Enrollment{}, &provider.FieldError{Op: "runner: send", Field: "Subject", Problem: "is empty"}
	case strings.TrimSpace(p.Text) == "" && strings.TrimSpace(p.HTML) == "":
		return Enrollment{}, &provider.FieldError{Op: "runner: send", Field: "Text", Problem: "and HTML are both empty"}
	}
	seq := &sequence.Sequence{ID: "mail", Steps: []sequence.Step{{ID: 1, Subject: p.Subject, Text: p.Text, HTML: p.HTML}}}
	return r.enroll(ctx, EnrollParams{
		Key: p.Key, Link: p.Link, Actor: p.Actor, Recipient: p.To, Cc: p.Cc, Bcc: p.Bcc,
		FromName: p.FromName, From: p.From, Sequence: seq, Data: p.Data,
	}, kindMail)
}

func (r *Runner) enroll(ctx context.Context, p EnrollParams, kind string) (Enrollment, error) {
	l, words, err := r.begin(&p, kind)
	if err != nil {
		return Enrollment{}, err
	}
	// What was enrolled stays so, whatever speaks against it now.
	if was, err := r.enrolledBefore(ctx, l); !errors.Is(err, ErrNotFound) {
		return was, err
	}
	if err := r.admit(ctx, l, &p, kind); err != nil {
		return Enrollment{}, err
	}
	err = r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error { return r.enter(l, b, words, kind) })
	if errors.Is(err, store.ErrConflict) {
		was, err := r.enrolledBefore(ctx, l)
		if errors.Is(err, ErrNotFound) {
			// Its id derives from Config.Key, so under another one it is not found.
			err = fmt.Errorf("%w: it was enrolled under another Config.Key, and the runner needs the secret it had then: %w", ErrKeyTaken, store.ErrConflict)
		}
		return was, err
	}
	if err != nil {
		return Enrollment{}, err
	}
	return r.view(l), nil
}

// begin makes an enrollment from its parameters, and the bytes of its
// sequence.
func (r *Runner) begin(p *EnrollParams, kind string) (*loaded, []byte, error) {
	if err := r.check(p, kind); err != nil {
		return nil, nil, err
	}
	words, err := json.Marshal(p.Sequence)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: the sequence: %w", opOf(kind), err)
	}
	sum := sha256.Sum256(words)
	l := &loaded{
		seq: p.Sequence,
		row: store.Enrollment{
			ID: r.enrollmentID(kind, p.Key), HostKey: kind + "/" + p.Key, Kind: kind, Link: p.Link,
			Recipient: provider.Normalize(p.Recipient.Addr), Sequence: hex.EncodeToString(sum[:]),
		},
		rec: record{
			To: p.Recipient, FromName: p.FromName, Cc: slices.Clone(p.Cc), Bcc: slices.Clone(p.Bcc),
			Zone: p.Zone, Vars: maps.Clone(p.Data),
		},
	}
	if personal(kind) {
		l.rec.Words = words
	}
	return l, words, nil
}

// opOf is the method that makes enrollments of a kind, as errors name it.
func opOf(kind string) string {
	if kind == kindDrip {
		return "runner: enroll"
	}
	if kind == kindMail {
		return "runner: send"
	}
	return "runner: " + kind // preview and reply
}

// personal reports whether the words of an enrollment are about one person.
func personal(kind string) bool { return kind == kindMail || kind == kindReply }

// admit finds what speaks against an enrollment, and fills in where it
// belongs.
func (r *Runner) admit(ctx context.Context, l *loaded, p *EnrollParams, kind string) error {
	linked, err := r.cfg.Mailboxes.Open(ctx, p.Link)
	if err != nil {
		return fmt.Errorf("%s: open link %s: %w", opOf(kind), p.Link, err)
	}
	if p.Actor == "" {
		p.Actor = linked.Owner
	}
	if err := r.allowed(ctx, p, linked, kind); err != nil {
		return err
	}
	if l.rec.From, err = r.sender(ctx, p.From, linked, kind); err != nil {
		return err
	}
	now := r.cfg.Now()
	l.row.Mailbox, l.row.Owner, l.row.Actor, l.row.Created = mailboxID(linked), linked.Owner, p.Actor, now
	if _, err := r.cfg.Store.EnsureMailbox(ctx, l.row.Mailbox, p.Link); err != nil {
		return fmt.Errorf("%s: %w", opOf(kind), err)
	}
	return nil
}

// enter writes a new enrollment into the batch.
func (r *Runner) enter(l *loaded, b *store.Batch, words []byte, kind string) error {
	if !personal(kind) {
		b.Definitions = []store.Definition{{Hash: l.row.Sequence, Data: words}}
	}
	if kind != kindPreview {
		b.Index = append(b.Index, store.IndexRow{
			Kind: store.IndexAddress, Value: indexed(l.row.Recipient), Mailbox: l.row.Mailbox,
			Enrollment: l.row.ID, Until: l.row.Created.Add(r.opts.TrackFor),
		})
	}
	return r.happen(l, b, sequence.Event{Kind: sequence.EventEnrolled, At: sequence.InstantOf(l.row.Created)}, "")
}

// enrolledBefore returns the enrollment that has the key already, if it is
// the same one. ErrNotFound: none has.
func (r *Runner) enrolledBefore(ctx context.Context, l *loaded) (Enrollment, error) {
	ls, err := r.load(ctx, []string{l.row.ID})
	if err != nil {
		return Enrollment{}, err
	}
	if len(ls) == 0 {
		return Enrollment{}, ErrNotFound
	}
	was := ls[0].row
	for _, f := range []struct{ name, was, is string }{
		{"Link", was.Link, l.row.Link}, {"Recipient", was.Recipient, l.row.Recipient}, {"Sequence", was.Sequence, l.row.Sequence},
	} {
		if f.was != f.is {
			return Enrollment{}, fmt.Errorf("%w: its %s differs; a new key would be a new run, and the recipient get its mails again", ErrKeyTaken, f.name)
		}
	}
	return r.view(ls[0]), nil
}

// check finds what is wrong with the parameters by themselves.
func (r *Runner) check(p *EnrollParams, kind string) error {
	op := opOf(kind)
	bad := func(field, problem string) error {
		return &provider.FieldError{Op: op, Field: field, Problem: problem}
	}
	switch {
	case p.Key == "":
		return bad("Key", "is empty; give your own unique name for this run")
	case len(p.Key) > 512:
		return bad("Key", "is longer than 512 bytes")
	case plain(p.Key) != p.Key:
		return bad("Key", "is not UTF-8 or has a NUL")
	case plain(p.Actor) != p.Actor:
		return bad("Actor", "is not UTF-8 or has a NUL")
	case p.Link == "":
		return bad("Link", "is empty; give the id of a link")
	case p.Sequence == nil:
		return bad("Sequence", "is nil")
	case strings.ContainsAny(p.FromName, "\r\n\x00"):
		return bad("FromName", "has a line break or NUL")
	case len(p.Data) > 0 && r.cfg.Renderer == Renderer(verbatim{}):
		return bad("Data", "is set, and there is no Config.Renderer to fill the words in with it: they would leave as they stand")
	}
	if err := p.Sequence.Validate(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if err := recipientOK(op, "Recipient", &p.Recipient); err != nil {
		return err
	}
	if p.From != "" {
		from := provider.Address{Addr: p.From}
		if err := recipientOK(op, "From", &from); err != nil {
			return err
		}
		p.From = from.Addr
	}
	for i := range p.Cc {
		if err := recipientOK(op, fmt.Sprintf("Cc[%d]", i), &p.Cc[i]); err != nil {
			return err
		}
	}
	for i := range p.Bcc {
		if err := recipientOK(op, fmt.Sprintf("Bcc[%d]", i), &p.Bcc[i]); err != nil {
			return err
		}
	}
	for field, zone := range map[string]string{"Zone": p.Zone, "Sequence.Zone": p.Sequence.Zone} {
		if zone == "" {
			continue
		}
		if zone == "Local" {
			return bad(field, "must not depend on this machine; give an IANA name such as Europe/Berlin")
		}
		if loc, err := r.cfg.Zones(zone); err != nil || loc == nil {
			return bad(field, fmt.Sprintf("%q is not a known time zone; give an IANA name such as Europe/Berlin", zone))
		}
	}
	return nil
}

func recipientOK(op, field string, a *provider.Address) error {
	if strings.ContainsAny(a.Name, "\r\n\x00") {
		return &provider.FieldError{Op: op, Field: field + ".Name", Problem: "has a line break or NUL"}
	}
	parsed, err := provider.ParseAddress(op, field, a.Addr)
	if err != nil {
		return err
	}
	if provider.Normalize(parsed.Addr) == "" || parsed.Addr != strings.TrimSpace(a.Addr) {
		return &provider.FieldError{Op: op, Field: field, Problem: "is not a plain mail address; give one like ada@example.com and the name beside it"}
	}
	a.Addr = parsed.Addr
	return nil
}

// allowed finds what speaks against sending over this link.
func (r *Runner) allowed(ctx context.Context, p *EnrollParams, linked provider.Linked, kind string) error {
	if kind != kindPreview && linked.Account.Owns(p.Recipient.Addr) {
		return fmt.Errorf("%w (Recipient)", ErrSelfRecipient)
	}
	may, err := r.mayAct(ctx, p.Actor, linked)
	if err != nil {
		return fmt.Errorf("%s: MayAct: %w", opOf(kind), err)
	}
	if !may {
		return fmt.Errorf("%w (Actor %q, link %s)", ErrNotAllowed, p.Actor, p.Link)
	}
	if n := 1 + len(p.Cc) + len(p.Bcc); linked.Limits.MaxRecipients > 0 && n > linked.Limits.MaxRecipients {
		return &provider.FieldError{Op: opOf(kind), Field: "Cc", Problem: fmt.Sprintf(
			"with To and Bcc makes %d recipients; the mail service takes %d", n, linked.Limits.MaxRecipients)}
	}
	if kind == kindPreview {
		return nil
	}
	if kind == kindDrip && len(p.Sequence.Steps) > 1 {
		switch {
		case !linked.Abilities.ThreadReplies && !p.Sequence.AcceptBlind:
			return fmt.Errorf("runner: enroll: link %s has access %q and sees no answers: relink with access %q, or set Sequence.AcceptBlind and report answers: %w",
				p.Link, linked.Account.Access, provider.AccessReplies, ErrAbilities)
		case linked.Abilities.ThreadReplies && !linked.Abilities.SenderReplies && !p.Sequence.AcceptThreadOnly:
			return fmt.Errorf("runner: enroll: link %s has access %q and misses answers in a new thread: relink with access %q, or set Sequence.AcceptThreadOnly: %w",
				p.Link, linked.Account.Access, provider.AccessReplies, ErrAbilities)
		}
	}
	hit, err := r.cfg.Store.Suppressed(ctx, []string{r.suppressionHash(p.Recipient.Addr)})
	if err != nil {
		return fmt.Errorf("%s: %w", opOf(kind), err)
	}
	if len(hit) > 0 {
		return fmt.Errorf("%w (Recipient)", ErrSuppressed)
	}
	return nil
}

// enrollmentID derives from the host's key, so that after a restore from a
// backup the same enrollment has the same id and the same Message-IDs.
func (r *Runner) enrollmentID(kind, key string) string {
	return derive(r.cfg.Key, "enrollment", kind, key)
}

func (r *Runner) suppressionHash(addr string) string {
	return derive(r.cfg.Key, "suppression", provider.Normalize(addr))
}

// mailboxID names a mailbox to the store by what never changes.
func mailboxID(l provider.Linked) string {
	return string(l.Kind) + "/" + l.Account.Subject
}
