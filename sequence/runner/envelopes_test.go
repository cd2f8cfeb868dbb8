package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// overHeaders is a world whose link reads headers alone; wide says that it
// also finds senders and knows reports by them.
func overHeaders(t *testing.T, on storage, wide bool) *world {
	t.Helper()
	w := newWorld(t, on)
	if wide {
		abilities := postoffice.DefaultAbilities()
		abilities[provider.AccessEnvelopes] = provider.Abilities{
			Offered: true, Locate: provider.ReachMailbox, ThreadReplies: true, SenderReplies: true,
			AutoReplies: provider.DetectHeaders, Reports: provider.DetectSender, Preview: true,
		}
		w.prov = postoffice.NewProvider(w.office, postoffice.ProviderConfig{Abilities: abilities})
	}
	w.open.access = provider.AccessEnvelopes
	return w
}

func threadOnly(p *runner.EnrollParams) {
	s := threeSteps()
	s.AcceptThreadOnly = true
	p.Sequence = s
}

// noContent checks that nothing of any text was requested.
func (w *world) noContent() {
	w.t.Helper()
	for _, r := range w.office.Books().Reads() {
		if r.Contents > 0 {
			w.t.Errorf("%d contents of message %d of %s were read", r.Contents, r.Number, r.Mailbox)
		}
	}
	w.sound()
}

// TestHeadersStopTheDrip: an answer in the thread stops the drip and is logged
// without its text, whatever happened to the feed meanwhile.
func TestHeadersStopTheDrip(t *testing.T) { onEachStore(t, testHeadersStopTheDrip) }

func testHeadersStopTheDrip(t *testing.T, on storage) {
	for name, during := range map[string]func(*world){
		"as it is":          func(*world) {},
		"an expired cursor": func(w *world) { w.box.ExpireChanges() },
		"a throttled gap": func(w *world) {
			w.box.ExpireChanges()
			w.prov.Inject(postoffice.Rule{Op: postoffice.OpSearch, Fault: postoffice.FaultThrottle, RetryAfter: time.Minute})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := overHeaders(t, on, false)
			w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 2*time.Hour + time.Minute})
			id := w.enroll("grace@example.net", threadOnly).ID
			w.pass(2 * time.Hour)
			w.want(id, runner.StatusActive, 1)
			w.clock.Advance(5 * time.Minute) // the answer is there, and unread
			during(w)
			w.pass(8 * day)
			w.want(id, runner.StatusReplied, 1)
			entries := w.conversation(id)
			last := entries[len(entries)-1]
			if last.Direction != runner.DirectionIn || last.Class != "human" || !last.AnswerNeeded || last.Text != "" || last.HTML != "" || last.Subject == "" {
				t.Errorf("the answer is logged as %+v", last)
			}
			w.noContent()
		})
	}
}

// TestHeadersAfterALostAnswer: the thread of a mail of unknown outcome is
// learned late, and an answer in it is not lost.
func TestHeadersAfterALostAnswer(t *testing.T) { onEachStore(t, testHeadersAfterALostAnswer) }

func testHeadersAfterALostAnswer(t *testing.T, on storage) {
	w := overHeaders(t, on, false)
	w.proven()
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Second})
	id := w.enroll("grace@example.net", threadOnly).ID
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseAfter})
	w.tick()
	w.pass(8 * day)
	w.want(id, runner.StatusReplied, 1)
	if n := w.mails("grace@example.net"); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
	w.noContent()
}

// TestHeadersTellMachines: an out-of-office, whose return date no header tells,
// puts the drip off for a while, and a report in the thread is for a person,
// since no header tells why.
func TestHeadersTellMachines(t *testing.T) { onEachStore(t, testHeadersTellMachines) }

func testHeadersTellMachines(t *testing.T, on storage) {
	w := overHeaders(t, on, false)
	w.person("away@example.net", postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Second, Until: start.Add(5 * day)})
	w.person("gone@example.net", postoffice.Behaviour{Do: postoffice.Bounce, On: 1, After: time.Minute})
	away, gone := w.enroll("away@example.net", threadOnly).ID, w.enroll("gone@example.net", threadOnly).ID
	w.pass(5 * day)
	w.want(away, runner.StatusActive, 1)
	if kinds := w.events.kinds(away); !strings.Contains(kinds, "auto_replied") {
		t.Errorf("the absence was not seen: %s", kinds)
	}
	if e := w.want(gone, runner.StatusHeld, 1); !e.Flagged {
		t.Error("nobody is told of the report")
	}
	w.pass(30 * day)
	if e := w.get(away); e.StepsSent < 2 {
		t.Errorf("the drip does not go on after the absence: %+v", e)
	}
	w.want(gone, runner.StatusHeld, 1)
	w.noContent()
}

// TestHeadersOfAReportElsewhere: where reports are known by their sender
// alone, the conversation that one is most likely about is held, and no other.
func TestHeadersOfAReportElsewhere(t *testing.T) { onEachStore(t, testHeadersOfAReportElsewhere) }

func testHeadersOfAReportElsewhere(t *testing.T, on storage) {
	w := overHeaders(t, on, true)
	b := w.box.Beliefs()
	b.ReportsJoinThread = false
	w.box.SetBeliefs(b)
	w.person("ada@example.net")
	w.person("gone@example.net")
	ada := w.enroll("ada@example.net").ID
	w.pass(2 * time.Hour)
	gone := w.enroll("gone@example.net", func(p *runner.EnrollParams) {
		p.Sequence = threeSteps()
		p.Sequence.Steps[0].Subject = "Another role"
	}).ID
	w.pass(time.Hour)
	raw := strings.Join([]string{
		"From: Mail Delivery System <MAILER-DAEMON@mx.example.net>", "To: " + sender, "Subject: Undeliverable: Another role",
		"Message-ID: <report.1@mx.example.net>", "Date: " + w.clock.Now().Format(time.RFC1123Z), "", "It could not be delivered.", "",
	}, "\r\n")
	if _, err := w.office.Deliver(postoffice.Mail{To: sender, Raw: []byte(raw)}); err != nil {
		t.Fatal(err)
	}
	w.pass(4 * day)
	if e := w.want(gone, runner.StatusHeld, 1); !e.Flagged || e.Reason == "" {
		t.Errorf("nobody is told of the report: %+v", e)
	}
	w.want(ada, runner.StatusActive, 2)
	w.noContent()
}

// TestHeadersAreNotEnough: a link that misses answers in a new thread takes no
// sequence that needs them, and says which access does.
func TestHeadersAreNotEnough(t *testing.T) { onEachStore(t, testHeadersAreNotEnough) }

func testHeadersAreNotEnough(t *testing.T, on storage) {
	w := overHeaders(t, on, false)
	_, err := w.run.Enroll(t.Context(), runner.EnrollParams{Key: "k", Link: link, Recipient: provider.Address{Addr: "ada@example.net"}, Sequence: threeSteps()})
	wantIs(t, err, runner.ErrAbilities)
	if err != nil && !strings.Contains(err.Error(), string(provider.AccessReplies)) {
		t.Errorf("the access that is missing is not named: %v", err)
	}
	w.enroll("ada@example.net", threadOnly)
}

// TestHeadersStepUp: what was to be looked at again is, after a link stepped
// up or down.
func TestHeadersStepUp(t *testing.T) { onEachStore(t, testHeadersStepUp) }

func testHeadersStepUp(t *testing.T, on storage) {
	for _, steps := range [][2]provider.Access{{provider.AccessEnvelopes, provider.AccessReplies}, {provider.AccessReplies, provider.AccessEnvelopes}} {
		w := overHeaders(t, on, false)
		w.open.access = steps[0]
		w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 2*time.Hour + time.Minute})
		id := w.enroll("grace@example.net", threadOnly).ID
		w.pass(2 * time.Hour)
		w.clock.Advance(5 * time.Minute)
		w.box.ExpireChanges()
		w.open.access = steps[1]
		w.pass(8 * day)
		w.want(id, runner.StatusReplied, 1)
		w.sound()
	}
}

// TestNarrowedLink: a link that was linked anew with less access than a
// sequence needs holds its follow-ups, and goes on once it has it again. What
// came meanwhile is found.
func TestNarrowedLink(t *testing.T) { onEachStore(t, testNarrowedLink) }

func testNarrowedLink(t *testing.T, on storage) {
	for name, does := range map[string][]postoffice.Behaviour{
		"with an answer": {{Do: postoffice.AnswerNew, On: 1, After: 2 * day}}, "without one": nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			w.person("grace@example.net", does...)
			id := w.enroll("grace@example.net").ID
			w.person("ben@example.net")
			patient := w.enroll("ben@example.net", threadOnly).ID
			w.tick()
			w.pass(day)
			w.open.access = provider.AccessEnvelopes
			w.pass(5 * day)
			w.want(id, runner.StatusActive, 1)
			w.want(patient, runner.StatusActive, 2)
			if text := w.explained(id); !strings.Contains(text, "in a new thread") {
				t.Errorf("explained as:\n%s", text)
			}
			w.open.access = provider.AccessReplies
			if err := w.run.Notify(t.Context(), link); err != nil {
				t.Fatal(err)
			}
			w.pass(9 * day)
			if does != nil {
				w.want(id, runner.StatusReplied, 1)
			} else {
				w.want(id, runner.StatusCompleted, 3)
			}
			w.sound()
		})
	}
}
