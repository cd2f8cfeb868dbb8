package provider

import (
	"slices"
	"strings"
	"time"
)

// Evidence is what connects a message with mail of ours, strongest first.
type Evidence string

// The kinds of evidence.
const (
	EvidenceNone      Evidence = ""
	EvidenceReference Evidence = "reference" // In-Reply-To, References or Exchange's parent id cite our Message-ID
	EvidenceThread    Evidence = "thread"    // the service put it into the thread of our mail
	EvidenceAddress   Evidence = "address"   // it comes from a recipient of ours, after our mail to them
	EvidenceReport    Evidence = "report"    // a listed system sender, soon after a send of ours: may be a delivery report
)

// Direction is who wrote a matched message.
type Direction string

// The directions.
const (
	DirectionNone   Direction = ""
	DirectionIn     Direction = "in"     // someone else wrote it
	DirectionOwn    Direction = "own"    // the account wrote it and it is not one of our sends
	DirectionSent   Direction = "sent"   // it is the sent copy of one of our sends
	DirectionReport Direction = "report" // it may be a delivery report; read the content to know
)

// ReportSpan is how long after a send of ours mail from a system sender may
// be read as its delivery report.
const ReportSpan = 5 * 24 * time.Hour

// Sent is one conversation as Match needs to know it.
type Sent struct {
	// Key is the caller's name for the conversation, returned in Hit.Key.
	Key string

	// MessageIDs are all ids of the mail we sent in it: as supplied and as
	// the service replaced them. With or without angle brackets.
	MessageIDs []string

	// SendKeys are the KeyHeader values of that mail: they tell our own copy
	// where the service replaced its Message-ID.
	SendKeys []string

	// Threads are the service's thread ids of that mail.
	Threads []string

	// Recipients are the addresses of the person the conversation is with:
	// the one we wrote to, and those that they answered from.
	Recipients []string

	// Copied are the addresses that we put in To or Cc beside the recipient.
	// What they write in the thread is not an answer of the recipient.
	Copied []string

	// First and Last are when the first and the last mail left.
	First, Last time.Time
}

// Known is what Match compares an envelope with.
type Known struct {
	Account Account
	Sent    []Sent

	// NoReports switches off reading delivery reports that lie outside the
	// threads of our mail.
	NoReports bool
}

// Hit is one conversation a message belongs to.
type Hit struct {
	Key      string
	Evidence Evidence

	// Copied says that the author is somebody whom we put in copy: part of
	// the conversation and no answer.
	Copied bool

	// Recipient says that the author is the person the conversation is with,
	// under one of the addresses that are known of them.
	Recipient bool
}

// Matched is the verdict of Match. Without hits nothing of the message may be
// read and the Warrant is zero.
type Matched struct {
	Direction Direction
	Hits      []Hit
	Warrant   Warrant
}

// Warrant permits reading the content of one message. Only Match makes one.
// A Warrant is not to be stored: store Matched's evidence and match again.
type Warrant struct {
	ref      Ref
	mailbox  string
	evidence Evidence
}

// Ref is the message it permits to read.
func (w Warrant) Ref() Ref { return w.ref }

// Evidence is why it may be read.
func (w Warrant) Evidence() Evidence { return w.evidence }

// Permits reports whether w is good in the mailbox of the account with this
// subject. The zero Warrant is good nowhere.
func (w Warrant) Permits(subject string) bool {
	return w.evidence != EvidenceNone && w.ref != "" && w.mailbox == subject
}

// Match says which of our conversations a message belongs to, from its
// envelope alone. It is pure: same envelope, same knowledge, same verdict.
//
// The strongest evidence decides: citing a Message-ID of ours outweighs
// lying in a thread of ours, because services merge threads of equal subject,
// and within a thread a known recipient's own conversation outweighs the
// others in it, as does a recipient's conversation elsewhere: two candidates
// in one thread keep their own, and what somebody in copy writes there belongs
// to the conversation that they are part of. The recipient's address counts alone only for
// mail received after our first mail to it, give or take ClockSlack. A draft
// matches nothing.
func Match(env *Envelope, known *Known) Matched {
	if env == nil || known == nil || env.Ref == "" || known.Account.Subject == "" || env.Draft || env.Place == PlaceDraft {
		return Matched{}
	}
	verdict := func(d Direction, hits []Hit) Matched {
		if len(hits) == 0 {
			return Matched{}
		}
		return Matched{Direction: d, Hits: hits, Warrant: Warrant{
			ref: env.Ref, mailbox: known.Account.Subject, evidence: hits[0].Evidence,
		}}
	}
	if isOwn(env, known) {
		if hits := ownCopies(env, known.Sent); len(hits) > 0 {
			return verdict(DirectionSent, hits)
		}
		return verdict(DirectionOwn, addressed(env, cited(env, known.Sent), known.Sent))
	}
	// A list that we wrote to sends our mail back, maybe under a From of its
	// own: the same Message-ID is the same mail, and no answer. The key does
	// not count here, because a program that answers may copy it.
	if hits := sameMail(known.Sent, env.MessageID); len(hits) > 0 {
		return verdict(DirectionSent, hits)
	}
	hits := cited(env, known.Sent)
	if len(hits) == 0 || merelyThread(hits) {
		if own := byAddress(env, known.Sent); len(own) > 0 {
			hits = own
		}
	}
	if len(hits) > 0 {
		return verdict(DirectionIn, hits)
	}
	if !known.NoReports && IsSystemSender(env.From) {
		return verdict(DirectionReport, reported(env, known.Sent))
	}
	return Matched{}
}

// merelyThread reports whether nothing but lying in their threads ties a
// message to conversations none of which its author belongs to.
func merelyThread(hits []Hit) bool {
	if hits[0].Evidence != EvidenceThread {
		return false
	}
	return !slices.ContainsFunc(hits, func(h Hit) bool { return h.Copied || h.Recipient })
}

// addressed leaves, of several conversations in whose thread the account
// wrote something that cites none of them, those with whom it wrote to.
func addressed(env *Envelope, hits []Hit, sent []Sent) []Hit {
	if len(hits) < 2 || hits[0].Evidence != EvidenceThread {
		return hits
	}
	to := slices.Concat(env.To, env.Cc)
	theirs := slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool {
		return !slices.ContainsFunc(sent, func(s Sent) bool { return s.Key == h.Key && containsAny(s.Recipients, to) })
	})
	if len(theirs) == 0 {
		return hits
	}
	return theirs
}

// isOwn trusts the service's word first, but for what a recipient of ours
// signs: a user's rule may file an answer among the sent mail. From may be
// forged, but a forged own address must not pass as an answer either. A message
// that somebody else signs too is theirs: an answer must not be missed because
// it names us.
func isOwn(env *Envelope, known *Known) bool {
	others := slices.DeleteFunc(slices.Clone(env.From), func(a Address) bool { return known.Account.Owns(a.Addr) })
	if env.Own || env.Place == PlaceSent || env.Place == PlaceOutbox {
		return !slices.ContainsFunc(known.Sent, func(s Sent) bool { return containsAny(s.Recipients, others) })
	}
	return len(env.From) > 0 && len(others) == 0
}

// ownCopies finds the conversations of which env, written by the account, is
// a mail we sent.
func ownCopies(env *Envelope, sent []Sent) []Hit {
	hits := sameMail(sent, append([]string{env.MessageID}, env.Header["X-Google-Original-Message-Id"]...)...)
	for _, s := range sent {
		if slices.ContainsFunc(env.Header[KeyHeader], func(key string) bool { return slices.Contains(s.SendKeys, strings.TrimSpace(key)) }) &&
			!slices.ContainsFunc(hits, func(h Hit) bool { return h.Key == s.Key }) {
			hits = append(hits, Hit{Key: s.Key, Evidence: EvidenceReference})
		}
	}
	return hits
}

// sameMail finds the conversations in which a mail with one of these
// Message-IDs was sent.
func sameMail(sent []Sent, ids ...string) []Hit {
	var hits []Hit
	for _, s := range sent {
		if slices.ContainsFunc(s.MessageIDs, func(own string) bool {
			own = BareID(own)
			return own != "" && slices.ContainsFunc(ids, func(id string) bool { return BareID(id) == own })
		}) {
			hits = append(hits, Hit{Key: s.Key, Evidence: EvidenceReference})
		}
	}
	return hits
}

// cited finds the conversations whose mail env cites, or else those of its
// thread.
func cited(env *Envelope, sent []Sent) []Hit {
	refs := make(map[string]bool)
	for _, ids := range [][]string{env.InReplyTo, env.References, env.Header["X-Ms-Exchange-Parent-Message-Id"]} {
		for _, id := range ids {
			if id = BareID(id); id != "" {
				refs[id] = true
			}
		}
	}
	var byRef, byThread, byBoth, byCopied []Hit
	for _, s := range sent {
		copied := containsAny(s.Copied, env.From)
		from := containsAny(s.Recipients, env.From)
		inThread := env.Thread != "" && slices.Contains(s.Threads, env.Thread)
		if slices.ContainsFunc(s.MessageIDs, func(id string) bool { return refs[BareID(id)] }) {
			byRef = append(byRef, Hit{Key: s.Key, Evidence: EvidenceReference, Copied: copied && !from, Recipient: from})
			continue
		}
		switch {
		case inThread && from:
			byBoth = append(byBoth, Hit{Key: s.Key, Evidence: EvidenceThread, Recipient: true})
		case inThread && copied:
			byCopied = append(byCopied, Hit{Key: s.Key, Evidence: EvidenceThread, Copied: true})
		case inThread:
			byThread = append(byThread, Hit{Key: s.Key, Evidence: EvidenceThread})
		}
	}
	switch {
	case len(byRef) > 0:
		return byRef
	case len(byBoth) > 0:
		return byBoth
	case len(byCopied) > 0:
		return byCopied
	}
	return byThread
}

func byAddress(env *Envelope, sent []Sent) []Hit {
	var hits []Hit
	for _, s := range sent {
		if s.First.IsZero() || before(env.Received, s.First) {
			continue
		}
		if containsAny(s.Recipients, env.From) {
			hits = append(hits, Hit{Key: s.Key, Evidence: EvidenceAddress, Recipient: true})
		}
	}
	return hits
}

// ClockSlack is how far the clocks of a host and of a mail service may be
// apart: what was received no longer than this before our mail by these clocks
// counts as received after it.
const ClockSlack = 2 * time.Minute

// before compares a service's time with ours. Machines answer within a second,
// and services tell whole seconds: without slack their answer to us would seem
// to come before our mail.
func before(received, sent time.Time) bool {
	return received.Before(sent.Add(-ClockSlack))
}

// reported finds the conversations a system sender's message may be about.
// X-Failed-Recipients, where present and legible, rules out everyone it does
// not name.
func reported(env *Envelope, sent []Sent) []Hit {
	var failed []Address
	legible := true
	for _, line := range env.Header["X-Failed-Recipients"] {
		for addr := range strings.SplitSeq(line, ",") {
			addr = strings.Trim(addr, " \t<>")
			failed = append(failed, Address{Addr: addr})
			legible = legible && Normalize(addr) != ""
		}
	}
	var hits []Hit
	for _, s := range sent {
		if s.Last.IsZero() || before(env.Received, s.First) || env.Received.After(s.Last.Add(ReportSpan)) {
			continue
		}
		if len(failed) > 0 && legible && !containsAny(s.Recipients, failed) && !containsAny(s.Copied, failed) {
			continue
		}
		hits = append(hits, Hit{Key: s.Key, Evidence: EvidenceReport})
	}
	return hits
}

func containsAny(list []string, addrs []Address) bool {
	for _, a := range addrs {
		key := Normalize(a.Addr)
		if key != "" && slices.ContainsFunc(list, func(s string) bool { return Normalize(s) == key }) {
			return true
		}
	}
	return false
}

// BareID returns a Message-ID without angle brackets and surrounding space,
// the form in which ids are compared and indexed.
func BareID(id string) string {
	id = strings.TrimSpace(id)
	id = strings.TrimPrefix(id, "<")
	return strings.TrimSuffix(id, ">")
}

// IsSystemSender reports whether mail from these addresses may be a delivery
// report: the local parts that mail systems reserve for it (RFC 2142, RFC
// 3464 section 2) and Exchange's own. Anyone can write from such an address,
// so a report counts only once its content cites mail of ours.
func IsSystemSender(from []Address) bool {
	return slices.ContainsFunc(from, func(a Address) bool {
		addr := Normalize(a.Addr)
		local, domain, _ := strings.Cut(addr, "@")
		switch local {
		case "mailer-daemon", "postmaster":
			return true
		case "nobody":
			return domain == "gmail.com"
		}
		return strings.HasPrefix(local, "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e")
	})
}
