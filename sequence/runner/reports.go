package runner

import (
	"context"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// reportsDue reports whether delivery reports outside our threads may have
// come that no search has found yet: none has begun since the last mail that
// may be reported is older than provider.ReportSpan. So after an outage those
// of its time are looked for once more, however long it took.
func (d *boxData) reportsDue() bool {
	return !d.LastSend.IsZero() && d.Reported.Before(d.LastSend.Add(provider.ReportSpan))
}

// expectReports has delivery reports looked for from a send on.
func (d *boxData) expectReports(sent time.Time) {
	if !d.reportsDue() {
		d.Reported, d.ReportsFrom = sent, sent
	}
	d.ReportsFrom, d.LastSend = earlier(d.ReportsFrom, sent), later(d.LastSend, sent)
}

// keptSends is how far the stored LastSend may lie behind: a crash costs the
// search for reports that much of its end.
const keptSends = time.Minute

// aboutToSend stores that reports of a mail may come, before it leaves. Of
// many mails in a row it stores one a minute.
func (p *pass) aboutToSend(ctx context.Context, now time.Time) error {
	if p.keptSend.IsZero() {
		p.keptSend = p.data.LastSend
	}
	kept := p.data.reportsDue() && now.Sub(p.keptSend) < keptSends
	p.data.expectReports(now)
	if kept {
		return nil
	}
	p.keptSend = now
	return p.save(ctx)
}

// queries are what asks for mail of some senders, and for delivery reports
// where they are looked for. No report can be older than the first mail it
// could be about, or younger than the last by more than provider.ReportSpan:
// a report's header is not asked for outside of that.
func (p *pass) queries(senders []string, since, start time.Time, reports bool) []provider.Query {
	until := start.Add(ahead)
	q := provider.Query{From: senders, Since: since, To: until}
	if !reports {
		return []provider.Query{q}
	}
	r := provider.Query{
		From: senders, System: true, To: earlier(until, p.data.LastSend.Add(provider.ReportSpan)),
		Since: later(p.data.Reported.Add(-p.r.opts.SearchOverlap), p.data.ReportsFrom.Add(-provider.ClockSlack)),
	}
	if !r.Since.After(q.Since) && r.To.Equal(until) {
		return []provider.Query{r} // which asks for both
	}
	return []provider.Query{q, r}
}
