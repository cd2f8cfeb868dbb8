package msgraph_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

const ada = "ada@example.net"

// newPushDrip is a drip whose mailbox is watched, and of which pushes are
// known to come. Ada answers the first mail so long after it.
func newPushDrip(t *testing.T, cfg msgraphtest.Config, answers time.Duration) (*drip, string) {
	t.Helper()
	d := newWatchedDrip(t, cfg)
	d.host = d.run.PushHandler(d.prov)
	id := d.enroll(ada, postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: answers})
	d.pass(time.Hour)
	deliver(t, d.fakeMicrosoft, "<1@example.net>")
	d.office.Clock().Advance(10 * time.Second)
	d.pass(0)
	if s := d.status(); !s.Watched || s.Doubtful {
		t.Fatalf("the mailbox is not watched, or its pushes are doubted: %+v", s)
	}
	return d, id
}

func newWatchedDrip(t *testing.T, cfg msgraphtest.Config) *drip {
	t.Helper()
	d := newDripOf(t, cfg, 5*time.Minute)
	d.cfg.Push = &runner.PushConfig{}
	run, err := runner.New(d.cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.run = run
	return d
}

func (d *drip) status() runner.PushStatus {
	d.t.Helper()
	s, err := d.run.PushStatus(d.t.Context(), "link")
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// TestPushedAnswer: what becomes of an answer by what becomes of its push.
func TestPushedAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		fault msgraphtest.Fault
		after time.Duration // when it is seen at the latest
		times int           // how often something is pushed
	}{
		"at once":             {msgraphtest.Call, 0, 1},
		"twice":               {msgraphtest.RepeatPush, 0, 2},
		"late":                {msgraphtest.DelayPush, time.Hour, 1},
		"not at all":          {msgraphtest.DropPush, time.Hour, 0},
		"missed, and told so": {msgraphtest.MissPush, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d, id := newPushDrip(t, msgraphtest.Config{}, 2*time.Hour+50*time.Minute)
			d.pass(105 * time.Minute) // the next poll is a quarter of an hour away
			before := len(d.microsoft.Pushes())
			d.microsoft.Inject(msgraphtest.Rule{Op: "push", Fault: c.fault, Delay: 10 * time.Minute})
			d.office.Clock().Advance(6 * time.Minute) // the answer is there
			d.pass(0)
			if c.after > 0 {
				d.want(id, ada, runner.StatusActive, 1)
				d.pass(c.after)
			}
			d.want(id, ada, runner.StatusReplied, 1)
			if n := len(d.microsoft.Pushes()) - before; n != c.times {
				t.Errorf("pushed %d times, want %d", n, c.times)
			}
		})
	}
}

// TestLifecycle: what Graph tells of a subscription is acted on at the next
// Tick.
func TestLifecycle(t *testing.T) {
	for name, happen := range map[string]func(d *drip){
		"removed":          func(d *drip) { d.microsoft.RemoveSubscriptions(maria, true) },
		"to be authorized": func(d *drip) { d.microsoft.RequireReauthorization(maria) },
	} {
		t.Run(name, func(t *testing.T) {
			d, id := newPushDrip(t, msgraphtest.Config{}, 4*time.Hour)
			happen(d)
			d.office.Clock().Advance(time.Minute)
			d.pass(0)
			if subs := d.microsoft.Subscriptions(maria); len(subs) != 1 || subs[0].Paused {
				t.Fatalf("Graph holds %+v", subs)
			}
			d.office.Clock().Advance(time.Minute)
			d.pass(0)
			d.pass(3*time.Hour - 4*time.Minute)
			d.office.Clock().Advance(5 * time.Minute) // the answer is there
			d.pass(0)
			d.want(id, ada, runner.StatusReplied, 1)
		})
	}
}

// TestSubscriptionLives: for a month there is one subscription at every
// moment, whatever life Graph gives it.
func TestSubscriptionLives(t *testing.T) {
	for name, b := range map[string]msgraphtest.Beliefs{"three days": {}, "a week": {WeekOfPushes: true}, "cut short": {ShortensPushes: true}} {
		t.Run(name, func(t *testing.T) {
			d, id := newPushDrip(t, msgraphtest.Config{Beliefs: b}, 100*day)
			for range 28 * 4 {
				for range 3 {
					d.office.Clock().Advance(2 * time.Hour)
					d.pass(0)
				}
				subs := d.microsoft.Subscriptions(maria)
				if len(subs) != 1 || subs[0].Expires.Sub(d.office.Clock().Now()) < 10*time.Hour {
					t.Fatalf("at %v Graph holds %+v", d.office.Clock().Now(), subs)
				}
			}
			d.want(id, ada, runner.StatusCompleted, 3)
			if err := d.run.StopPush(t.Context(), d.linked); err != nil {
				t.Fatal(err)
			}
			if subs := d.microsoft.Subscriptions(maria); len(subs) != 0 {
				t.Errorf("after StopPush Graph holds %+v", subs)
			}
		})
	}
}

// TestHostDown: while the host's address does not answer, no subscription can
// be made. The mailbox is polled.
func TestHostDown(t *testing.T) {
	d := newWatchedDrip(t, msgraphtest.Config{})
	d.host = http.NotFoundHandler()
	id := d.enroll(ada, postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 20 * time.Hour})
	d.pass(19 * time.Hour)
	if n := d.told(runner.EventMailboxFlagged); n != 1 {
		t.Errorf("somebody was told %d times", n)
	}
	d.pass(2 * time.Hour)
	d.want(id, ada, runner.StatusReplied, 1)
	if subs := d.microsoft.Subscriptions(maria); len(subs) != 0 {
		t.Errorf("Graph holds %+v", subs)
	}
}

// TestForgedNotification: who knows the address, and even the subscription,
// has no mailbox read.
func TestForgedNotification(t *testing.T) {
	d, _ := newPushDrip(t, msgraphtest.Config{}, 100*day)
	sub := d.microsoft.Subscriptions(maria)[0]
	body := func(id, state string) string {
		return `{"value":[{"subscriptionId":"` + id + `","clientState":"` + state + `","changeType":"created","resource":"me/messages/x"}]}`
	}
	for name, c := range map[string]struct {
		body string
		read bool
	}{
		"a genuine one":        {body(sub.ID, sub.ClientState), true},
		"another clientState":  {body(sub.ID, "guessed"), false},
		"no clientState":       {body(sub.ID, ""), false},
		"unknown subscription": {body("7f105c7d-2dc5-4530-97cd-4e7ae6534c07", sub.ClientState), false},
	} {
		t.Run(name, func(t *testing.T) {
			d.pass(time.Minute)
			rec := httptest.NewRecorder()
			d.host.ServeHTTP(rec, post(t, pushURL, c.body))
			if rec.Code != http.StatusAccepted {
				t.Errorf("status %d: a stranger is told what is known here", rec.Code)
			}
			before := d.box.Requests()[postoffice.RequestChanges]
			d.office.Clock().Advance(20 * time.Second)
			d.pass(0)
			if read := d.box.Requests()[postoffice.RequestChanges] > before; read != c.read {
				t.Errorf("the mailbox is read: %v", read)
			}
		})
	}
}
