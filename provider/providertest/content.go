package providertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

// withAttachment is the header and body of a mail with text in two forms and
// an attachment.
func withAttachment() (contentType, body string) {
	return `Content-Type: multipart/mixed; boundary="outer"`, strings.Join([]string{
		"--outer", `Content-Type: multipart/alternative; boundary="inner"`, "",
		"--inner", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "", "Gr=C3=BC=C3=9Fe",
		"--inner", "Content-Type: text/html; charset=utf-8", "", "<p>Hello</p>", "--inner--", "",
		"--outer", `Content-Type: application/pdf; name="cv.pdf"`, `Content-Disposition: attachment; filename="cv.pdf"`,
		"Content-Transfer-Encoding: base64", "", "JVBERi1zdWl0ZQ==", "--outer--",
	}, "\r\n")
}

// bounceOf is a delivery report about out, for an address.
func bounceOf(out *provider.Outgoing, failed string) (contentType, body string) {
	return `Content-Type: multipart/report; report-type=delivery-status; boundary="report"`, strings.Join([]string{
		"--report", "Content-Type: text/plain", "", "It could not be delivered to " + failed + ".",
		"--report", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.org", "",
		"Final-Recipient: rfc822; " + failed, "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 no such user", "",
		"--report", "Content-Type: text/rfc822-headers", "", "From: " + out.From.Addr, "To: " + out.To[0].Addr, "Subject: A position",
		"Message-ID: " + out.MessageID, provider.KeyHeader + ": " + out.Key, "", "--report--",
	}, "\r\n")
}

func contentTests() tests {
	return tests{
		"Portal": func(t *testing.T, w *world) {
			need(t, w.Faults.Portal != nil, "fault Portal")
			l := w.reader(t)
			raw, id := w.incoming("carol@example.org", "Yes", "Gladly.")
			env := w.arrive(t, l, raw, id)
			warrant := w.warrant(t, l, env)
			w.Faults.Portal()
			_, err := l.Content(t.Context(), warrant)
			is(t, err, provider.ErrTemporary)
		},
		"TextAndAttachment": func(t *testing.T, w *world) {
			l := w.reader(t)
			kind, body := withAttachment()
			raw, id := w.incoming("carol@example.org", "My CV", body, kind)
			env := w.arrive(t, l, raw, id)
			warrant := w.warrant(t, l, env)
			msg, err := l.Content(t.Context(), warrant)
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(msg.Text) != "Grüße" || strings.TrimSpace(msg.HTML) != "<p>Hello</p>" || msg.Defect != nil {
				t.Errorf("text %q, HTML %q, defect %v", msg.Text, msg.HTML, msg.Defect)
			}
			if msg.Envelope.Ref != env.Ref || msg.Envelope.MessageID != id {
				t.Errorf("content of %s %s, want %s %s", msg.Envelope.Ref, msg.Envelope.MessageID, env.Ref, id)
			}
			if len(msg.Attachments) != 1 {
				t.Fatalf("attachments %+v, want one", msg.Attachments)
			}
			a := msg.Attachments[0]
			if a.Name != "cv.pdf" || a.ContentType != "application/pdf" || a.Inline {
				t.Errorf("attachment %+v", a)
			}
			rc, err := l.Attachment(t.Context(), warrant, a.Part)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(rc)
			if string(data) != "%PDF-suite" || err != nil || rc.Close() != nil {
				t.Errorf("attachment holds %q, %v", data, err)
			}
			_, err = l.Attachment(t.Context(), warrant, "no-such-part")
			is(t, err, provider.ErrNotFound)
		},
		"NoWarrant": func(t *testing.T, w *world) {
			l := w.reader(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			env := w.arrive(t, l, raw, id)
			foreign := l.account
			foreign.Subject = "another-subject"
			other := w.warrant(t, &link{account: foreign}, env)
			for name, warrant := range map[string]provider.Warrant{"zero": {}, "foreign": other} {
				before := Requests{}
				if w.Requests != nil {
					before = w.Requests()
				}
				_, err := l.Content(t.Context(), warrant)
				is(t, err, provider.ErrNoWarrant)
				rc, err := l.Attachment(t.Context(), warrant, "1")
				is(t, err, provider.ErrNoWarrant)
				if rc != nil {
					t.Errorf("%s: an attachment was opened", name)
				}
				if w.Requests != nil && w.Requests() != before {
					t.Errorf("%s: a request was made", name)
				}
			}
			if w.Reads != nil {
				if _, contents := w.Reads(id); contents != 0 {
					t.Errorf("content was read %d times without a warrant", contents)
				}
			}
		},
		"Report": func(t *testing.T, w *world) {
			l := w.reader(t)
			out := w.compose("gone@example.org", "A position")
			w.send(t, l, out)
			kind, body := bounceOf(out, "gone@example.org")
			raw, id := w.incoming("mailer-daemon@mx.example.org", "Undelivered", body, kind)
			msg, err := l.Content(t.Context(), w.warrant(t, l, w.arrive(t, l, raw, id)))
			if err != nil {
				t.Fatal(err)
			}
			r := msg.Report
			if r == nil || r.Type != "delivery-status" || len(r.Recipients) != 1 {
				t.Fatalf("report %+v", r)
			}
			rec := r.Recipients[0]
			if rec.Final != "gone@example.org" || rec.Action != "failed" || rec.Status != "5.1.1" || !strings.Contains(rec.Diagnostic, "550") {
				t.Errorf("recipient %+v", rec)
			}
			if provider.BareID(r.OriginalMessageID) != provider.BareID(out.MessageID) || r.OriginalKey != out.Key {
				t.Errorf("about %q with key %q, want %q with %q", r.OriginalMessageID, r.OriginalKey, out.MessageID, out.Key)
			}
		},
		"Malformed": func(t *testing.T, w *world) {
			l := w.reader(t)
			for name, c := range map[string]struct{ kind, body string }{
				"broken off": {`Content-Type: multipart/mixed; boundary="b"`, "--b\r\nContent-Type: text/plain\r\n\r\nReadable words\r\n--b\r\nContent-Type: text/html\r\n\r\n<p"},
				"bad base64": {"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64", "UmVhZGFibGUgd29yZHM=\r\n!!!*!!"},
			} {
				raw, id := w.incoming("carol@example.org", "Hello", c.body, c.kind)
				msg, err := l.Content(t.Context(), w.warrant(t, l, w.arrive(t, l, raw, id)))
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if msg.Defect == nil || !strings.Contains(msg.Text, "Readable words") {
					t.Errorf("%s: text %q, defect %v", name, msg.Text, msg.Defect)
				}
			}
		},
		"UnknownCharset": func(t *testing.T, w *world) {
			l := w.reader(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Readable words \xe9", "Content-Type: text/plain; charset=x-nobody-knows")
			msg, err := l.Content(t.Context(), w.warrant(t, l, w.arrive(t, l, raw, id)))
			if err != nil || !strings.Contains(msg.Text, "Readable words") || !utf8.ValidString(msg.Text) {
				t.Errorf("%+v, %v", msg, err)
			}
		},
		"NotFound": func(t *testing.T, w *world) {
			need(t, w.Faults.Delete != nil, "fault Delete")
			l := w.reader(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			warrant := w.warrant(t, l, w.arrive(t, l, raw, id))
			w.Faults.Delete(t, id)
			_, err := l.Content(t.Context(), warrant)
			is(t, err, provider.ErrNotFound)
		},
	}
}

// secrets are canaries that no error may repeat.
const (
	canaryToken = "canary-token-7d19c2"
	canaryBody  = "canary-body-40be8f"
	canaryAddr  = "canary-addr-c663a1"
	canaryCode  = "canary-code-91e3b0"
)

// clean checks that an error repeats no canary and is of the contract's type.
func clean(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	typed(t, err)
	for _, format := range []string{"%v", "%+v", "%s", "%q"} {
		text := fmt.Sprintf(format, err)
		for _, canary := range []string{canaryToken, canaryBody, canaryAddr, canaryCode} {
			if strings.Contains(text, canary) {
				t.Errorf("%s: the error repeats %s", what, canary)
			}
		}
	}
}

// every calls each method of a mailbox that may fail, and hands over its
// name and error.
func (w *world) every(ctx context.Context, box provider.Mailbox, warrant provider.Warrant, ref provider.Ref, cursor provider.Cursor, note func(string, error)) {
	out := w.compose(canaryAddr+"@example.org", "A position")
	out.Raw = append(out.Raw, canaryBody...)
	_, err := box.Profile(ctx)
	note("Profile", err)
	_, err = box.Send(ctx, out)
	note("Send", err)
	_, err = box.Locate(ctx, w.keyOf(out, cursor))
	note("Locate", err)
	_, err = box.Changes(ctx, cursor)
	note("Changes", err)
	_, err = box.Search(ctx, provider.Query{From: []string{canaryAddr + "@example.org"}, Since: w.Now()})
	note("Search", err)
	_, err = box.Envelope(ctx, ref)
	note("Envelope", err)
	_, err = box.Content(ctx, warrant)
	note("Content", err)
	rc, err := box.Attachment(ctx, warrant, "1")
	if rc != nil {
		_ = rc.Close()
	}
	note("Attachment", err)
}

// fixed is a TokenSource that hands out one token.
type fixed struct{ tok *oauth2.Token }

func (f fixed) Token(context.Context) (*oauth2.Token, error)  { return f.tok, nil }
func (f fixed) Refused(context.Context, *oauth2.Token, error) {}

func errorTests() tests {
	return tests{
		"NoSecretOverABadToken": func(t *testing.T, w *world) {
			l := w.reader(t)
			raw, id := w.incoming(canaryAddr+"@example.org", "Hello", canaryBody)
			env := w.arrive(t, l, raw, id)
			box := w.Provider.Open(l.account, fixed{&oauth2.Token{AccessToken: canaryToken, TokenType: "Bearer", Expiry: w.Now().AddDate(1, 0, 0)}})
			w.every(t.Context(), box, w.warrant(t, l, env), env.Ref, l.profile(t).Cursor, func(name string, err error) {
				if err == nil {
					t.Errorf("%s works with a token that nobody issued", name)
				}
				clean(t, name, err)
				if errors.Is(err, provider.ErrOutcomeUnknown) && name != "Locate" {
					t.Errorf("%s: %v over a refused token", name, err)
				}
			})
		},
		"NoSecretOverFaults": func(t *testing.T, w *world) {
			need(t, w.Faults.Answer != nil, "fault Answer")
			l := w.reader(t)
			raw, id := w.incoming(canaryAddr+"@example.org", "Hello", canaryBody)
			env := w.arrive(t, l, raw, id)
			warrant, cursor := w.warrant(t, l, env), l.profile(t).Cursor
			for _, status := range []int{400, 403, 404, 429, 500, 503} {
				w.Faults.Answer(status)
				w.every(t.Context(), l, warrant, env.Ref, cursor, func(name string, err error) {
					clean(t, fmt.Sprintf("%s over %d", name, status), err)
					w.Faults.Answer(status)
				})
				l.absorb(t)
			}
		},
		"NoSecretInTokens": func(t *testing.T, w *world) {
			_, err := w.Provider.Exchange(t.Context(), provider.Callback{
				Code: canaryCode, Verifier: canaryToken, Nonce: suiteNonce, RedirectURL: suiteRedirect,
			})
			if err == nil {
				t.Error("a made-up code is accepted")
			}
			clean(t, "Exchange", err)
			_, g := w.Consent(t, w.Address, w.most(t))
			g.Token = &oauth2.Token{AccessToken: canaryToken, RefreshToken: canaryToken + "-refresh"}
			_, err = w.Provider.Refresh(t.Context(), g)
			is(t, err, provider.ErrRelink)
			clean(t, "Refresh", err)
			clean(t, "Revoke", w.Provider.Revoke(t.Context(), g))
		},
		"ContextEnded": func(t *testing.T, w *world) {
			l := w.reader(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			env := w.arrive(t, l, raw, id)
			warrant, cursor := w.warrant(t, l, env), l.profile(t).Cursor
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			w.every(ctx, l, warrant, env.Ref, cursor, func(name string, err error) {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v does not wrap the context's error", name, err)
				}
			})
		},
		"Unusable": func(t *testing.T, w *world) {
			need(t, w.Faults.RevokeGrant != nil, "fault RevokeGrant")
			l := w.sender(t)
			w.Faults.RevokeGrant()
			out := w.compose("carol@example.org", "A position")
			_, err := l.Send(t.Context(), out)
			proof(t, err)
			_, err = l.Send(t.Context(), out) // by now the source has heard that the token is refused
			is(t, err, provider.ErrRelink)
			w.accepted(t, out, 0)
		},
	}
}

// absorb uses up a fault that no request has met yet.
func (l *link) absorb(t *testing.T) {
	_, err := l.Profile(t.Context())
	typed(t, err)
}
