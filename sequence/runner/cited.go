package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/store"
)

// returned finds the conversation whose mail's headers a report returns, which
// outweigh the thread that it lies in: that may be the thread of somebody else's
// mail with the same subject, or of several. Without one the hits stay.
func (p *pass) returned(ctx context.Context, msg *provider.Message, hits []provider.Hit, ls map[string]*loaded) ([]provider.Hit, map[string]*loaded, error) {
	if cited := citedHits(msg, hits, ls); len(cited) > 0 {
		for i := range cited {
			cited[i].Evidence = provider.EvidenceReport
		}
		return cited, ls, nil
	}
	if msg.Report == nil || provider.BareID(msg.Report.OriginalMessageID) == "" {
		return hits, ls, nil
	}
	rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, []store.IndexKey{indexKey(store.IndexMessageID, provider.BareID(msg.Report.OriginalMessageID))})
	if err != nil {
		return nil, nil, fmt.Errorf("runner: match: %w", err)
	}
	found, err := p.r.load(ctx, enrollmentIDs(rows))
	if err != nil || len(found) == 0 {
		return hits, ls, err
	}
	hits, ls = nil, make(map[string]*loaded)
	for _, l := range found {
		hits, ls[l.id()] = append(hits, provider.Hit{Key: l.id(), Evidence: provider.EvidenceReport}), l
	}
	return hits, ls, nil
}

// citedHits keeps of a possible report's hits those whose mail its content
// cites. Anyone can write from a system sender's address.
func citedHits(msg *provider.Message, hits []provider.Hit, ls map[string]*loaded) []provider.Hit {
	if msg.Report == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(hits), func(h provider.Hit) bool {
		l := ls[h.Key]
		return l == nil || !l.wrote(provider.BareID(msg.Report.OriginalMessageID), msg.Report.OriginalKey)
	})
}

// idsUnknown reports whether a mail in one of the conversations may bear a
// Message-ID that nobody has read back yet.
func idsUnknown(hits []provider.Hit, ls map[string]*loaded) bool {
	return slices.ContainsFunc(hits, func(h provider.Hit) bool {
		l := ls[h.Key]
		return l != nil && slices.ContainsFunc(l.mails(), func(m sentMail) bool { return m.Real == "" })
	})
}

// likelyHit leaves of the conversations that a delivery report may be about,
// where its content can't be read, the one with the newest mail: of those
// whose subject it repeats, if it repeats any. A person has to look at it, so
// a wrong guess costs a wait, and no address is given up.
func likelyHit(env *provider.Envelope, hits []provider.Hit, ls map[string]*loaded) []provider.Hit {
	left := func(h provider.Hit, ok func(sentMail) bool) bool {
		l := ls[h.Key]
		return l != nil && slices.ContainsFunc(l.rec.Mails, func(m sentMail) bool { return !env.Received.Before(m.At.Truncate(time.Second)) && ok(m) })
	}
	hits = slices.DeleteFunc(slices.Clone(hits), func(h provider.Hit) bool { return !left(h, func(sentMail) bool { return true }) })
	subject := strings.ToLower(env.Subject)
	named := slices.DeleteFunc(slices.Clone(hits), func(h provider.Hit) bool {
		return !left(h, func(m sentMail) bool { return m.Subject != "" && strings.Contains(subject, strings.ToLower(m.Subject)) })
	})
	if len(named) > 0 {
		hits = named
	}
	if len(hits) == 0 {
		return nil
	}
	return []provider.Hit{slices.MaxFunc(hits, func(a, b provider.Hit) int { return lastMail(ls[a.Key]).Compare(lastMail(ls[b.Key])) })}
}

// unread is the verdict on a system sender's message of which the headers are
// all that can be read.
func unread(v classify.Verdict) classify.Verdict {
	switch v.Class {
	case classify.Bounce, classify.Delayed, classify.Receipt:
		return v
	}
	return classify.Verdict{Class: classify.Unsure, Evidence: "a system sender's message that can't be read"}
}

// wrote reports whether a mail of the enrollment has this Message-ID or key.
func (l *loaded) wrote(id, key string) bool {
	return slices.ContainsFunc(l.mails(), func(m sentMail) bool {
		return key != "" && m.Key == key ||
			id != "" && (provider.BareID(m.MessageID) == id || provider.BareID(m.Real) == id)
	})
}
