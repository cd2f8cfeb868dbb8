package runner

import (
	"cmp"
	"context"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

// pacedError says that the mailbox has sent as fast as it may.
type pacedError struct{ until time.Time }

func (e *pacedError) Error() string { return "runner: the mailbox sends no faster" }

// pace splits a limit of mails a minute into a burst and an even rest, so
// that no minute has more, wherever it begins.
func pace(perMinute int) (burst int, gap time.Duration) {
	burst = max(1, perMinute/6)
	return burst, time.Minute / time.Duration(max(1, perMinute-burst))
}

// paced returns when the next mail may leave.
func (p *pass) paced() time.Time {
	n := p.linked.Limits.SendsPerMinute
	if n <= 0 {
		return time.Time{}
	}
	burst, gap := pace(n)
	at := p.data.Pace.Add(-time.Duration(burst-1) * gap)
	// A clock that was set back must not silence the mailbox.
	if now := p.r.cfg.Now(); at.After(now.Add(2 * time.Minute)) {
		return now
	}
	return at
}

// paceSend counts a mail, whatever becomes of it.
func (p *pass) paceSend(now time.Time) {
	n := p.linked.Limits.SendsPerMinute
	if n <= 0 {
		return
	}
	_, gap := pace(n)
	p.data.Pace = later(p.data.Pace, now).Add(gap)
}

// stopFor is how long a mailbox does not send after its mail service refused
// it for its volume or its reputation. The limits count over 24 hours
// (https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits#sending-limits);
// a block that an administrator must lift is noticed again after it.
const stopFor = 24 * time.Hour

// refusesMailbox stops sending, and not the candidates, when a report that
// cites mail of ours says that the sender was refused. Reading goes on.
func (p *pass) refusesMailbox(ctx context.Context, j *judgement, ls map[string]*loaded) error {
	if j.direction == provider.DirectionOwn {
		return nil
	}
	cited := false
	for id, hit := range j.hits {
		cited = cited || ls[id] != nil && j.cites(ls[id], hit)
	}
	if !cited {
		return nil
	}
	status, limited := "", false
	for _, f := range j.verdict.Failed {
		if f.Kind == classify.Limit {
			status, limited = f.Status, true
		}
	}
	until := j.env.Received.Add(stopFor)
	if !limited || !until.After(p.r.cfg.Now()) || !until.After(p.data.StoppedUntil) {
		return nil
	}
	told := p.data.StoppedUntil.After(p.r.cfg.Now())
	p.data.StoppedUntil, p.data.StopReason = until, cmp.Or(status, "its sending limit is reached")
	if told {
		return nil
	}
	return p.announce(ctx, EventMailboxStopped, p.data.StopReason)
}

// startAgain ends a stop whose time has come.
func (p *pass) startAgain(ctx context.Context) error {
	if p.data.StoppedUntil.IsZero() || p.data.StoppedUntil.After(p.r.cfg.Now()) {
		return nil
	}
	p.data.StoppedUntil, p.data.StopReason = time.Time{}, ""
	return p.announce(ctx, EventMailboxBack, "")
}
