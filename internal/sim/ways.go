package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// Way is how a candidate, or the system in front of them, reacts to a mail.
type Way string

// The ways.
const (
	waySilent    Way = "says nothing"
	wayAnswer    Way = "answers"
	wayNew       Way = "answers in a new thread"
	wayPrivate   Way = "answers from another address in the thread"
	wayLater     Way = "answers from another address, and writes from it in a new thread later"
	wayParent    Way = "answers, and nothing but Exchange's parent id cites the mail"
	wayBare      Way = "answers under the same subject, citing nothing"
	wayOptOut    Way = "answers that no more mail is wanted"
	wayColleague Way = "has a colleague in copy who answers"
	wayOwner     Way = "is written to by the owner, by hand"
	wayAway      Way = "is away, says Gmail's responder"
	wayAwayExch  Way = "is away, says Exchange"
	wayAwayIn    Way = "is away, says Exchange within its organisation"
	wayBounce    Way = "does not exist, says the sender's own service"
	wayRemote    Way = "does not exist, says a remote system"
	waySoft      Way = "could not be reached this time"
	wayDelay     Way = "is reached late"
	wayPolicy    Way = "has a system that refuses the mail by a rule"
	wayLimit     Way = "is not written to, as the sender's limit is reached"
	wayForged    Way = "is said to be gone, in a report that cites nothing"
	wayReceipt   Way = "confirms that it was displayed"
	wayChallenge Way = "has a filter that asks for proof"
	wayMeeting   Way = "accepts a meeting"
	wayComplaint Way = "complains to the mail service"
)

// expected is what a way has to come to: the status in which the enrollment
// ends, unless all mail had left before; empty is that nothing changes.
type expected struct {
	status runner.Status
	class  classify.Class
}

// expectations are the promises about each way.
func (w Way) expected() expected {
	switch w {
	case wayAnswer, wayNew, wayPrivate, wayLater, wayParent, wayBare, wayOptOut:
		return expected{runner.StatusReplied, classify.Human}
	case wayColleague:
		return expected{"", classify.Human}
	case wayOwner:
		return expected{runner.StatusTookOver, classify.Human}
	case wayAway, wayAwayExch, wayAwayIn:
		return expected{"", classify.OutOfOffice}
	case wayBounce, wayRemote:
		return expected{runner.StatusBounced, classify.Bounce}
	case waySoft, wayForged:
		return expected{"", classify.Bounce}
	case wayDelay:
		return expected{"", classify.Delayed}
	case wayPolicy, wayLimit:
		return expected{runner.StatusHeld, classify.Bounce}
	case wayReceipt:
		return expected{"", classify.Receipt}
	case wayChallenge:
		return expected{runner.StatusHeld, classify.Challenge}
	case wayMeeting:
		return expected{runner.StatusHeld, classify.Meeting}
	case wayComplaint:
		return expected{runner.StatusUnsubscribed, classify.FeedbackReport}
	}
	return expected{}
}

// reports says that what comes is a mail system's report, which lies outside
// the thread of the mail or may do so: it is searched for at the pace of
// reading, not before each follow-up.
func (w Way) reports() bool {
	switch w {
	case wayBounce, wayRemote, waySoft, wayDelay, wayPolicy, wayLimit, wayForged, wayComplaint:
		return true
	}
	return false
}

func (w Way) away() bool { return w == wayAway || w == wayAwayExch || w == wayAwayIn }

// awayUntil is when those come back who are away.
func awayUntil() time.Time { return start().Add(7 * day).Truncate(day) }

// draws are the ways as often as they are drawn.
func draws(kind provider.Kind) []Way {
	ways := []Way{
		waySilent, waySilent, wayAnswer, wayAnswer, wayAnswer, wayNew, wayNew, wayPrivate, wayPrivate, wayLater, wayParent, wayBare, wayOptOut,
		wayColleague, wayOwner, wayAway, wayAwayExch, wayBounce, wayBounce, wayRemote, wayRemote, waySoft, wayDelay, wayPolicy, wayLimit, wayForged,
		wayReceipt, wayChallenge, wayMeeting, wayComplaint,
	}
	if kind == provider.MSGraph {
		ways = append(ways, wayAwayIn)
	}
	return ways
}

func (p *Plan) candidate(i int) Candidate {
	c := Candidate{Address: fmt.Sprintf("candidate%d@example.net", i), Sender: p.rnd.IntN(len(p.Senders))}
	if p.chance(0.3) {
		c.Zone = []string{"Europe/Lisbon", "America/New_York", "Asia/Tokyo"}[p.rnd.IntN(3)]
	}
	c.On, c.After = 1+p.rnd.IntN(p.Steps), p.upTo(30*time.Minute)
	if p.chance(0.5) {
		c.After = p.upTo(3 * day)
	}
	c.After += time.Second
	ways := draws(p.Senders[c.Sender].Kind)
	switch c.Way = ways[p.rnd.IntN(len(ways))]; {
	case c.Way == wayPrivate || c.Way == wayLater:
		c.Private = fmt.Sprintf("private%d@example.org", i)
		c.Again = p.upTo(2*day) + time.Hour
	case c.Way == wayColleague:
		c.Colleague = fmt.Sprintf("colleague%d@example.net", i)
	case c.Way.away():
		c.After = time.Second
	case c.Way.reports() || c.Way == wayReceipt:
		c.After = p.upTo(time.Hour)
	}
	return c
}

// twin enrolls a candidate over the other mailbox too.
func (p *Plan) twin() {
	i := slices.IndexFunc(p.Candidates, func(c Candidate) bool { return c.Way == wayAnswer || c.Way == wayNew })
	if len(p.Senders) < 2 || i < 0 {
		return
	}
	c := p.Candidates[i]
	p.Candidates = append(p.Candidates, Candidate{
		Address: c.Address, Sender: 1 - c.Sender, Way: waySilent, TwinOf: i + 1, Independent: p.chance(0.4),
	})
}

// behaviours are what a candidate does in the post office.
func (c *Candidate) behaviours(w *world) []postoffice.Behaviour {
	b := postoffice.Behaviour{On: c.On, After: c.After}
	act := func(do postoffice.Act) []postoffice.Behaviour { b.Do = do; return []postoffice.Behaviour{b} }
	custom := func(write func(postoffice.Reaction) []byte) []postoffice.Behaviour {
		b.Do, b.Write = postoffice.Custom, write
		return []postoffice.Behaviour{b}
	}
	refused := func(code string) []postoffice.Behaviour { b.Code = code; return act(postoffice.Bounce) }
	sender := w.plan.Senders[c.Sender].Address
	switch c.Way {
	case wayAnswer, wayNew:
		// Only what this sender sent is answered, not what another did.
		return custom(func(r postoffice.Reaction) []byte {
			if r.To.Addr != sender {
				return nil
			}
			return answer(r, c.Way == wayAnswer)
		})
	case wayPrivate:
		b.From = c.Private
		return act(postoffice.Answer)
	case wayLater:
		b.From = c.Private
		again := b
		again.Do, again.After = postoffice.AnswerNew, c.After+c.Again
		return append(act(postoffice.Answer), again)
	case wayParent:
		return custom(parentOnly)
	case wayBare:
		return custom(bare)
	case wayOptOut:
		b.Text = "Please remove me from your list and do not contact me again."
		return act(postoffice.Answer)
	case wayOwner:
		return custom(func(r postoffice.Reaction) []byte {
			w.byHand = append(w.byHand, note{sender: c.Sender, raw: fromOwner(r)})
			return nil
		})
	case wayAway, wayAwayExch, wayAwayIn:
		b.Until = awayUntil()
		return act(map[Way]postoffice.Act{
			wayAway: postoffice.OutOfOffice, wayAwayExch: postoffice.OutOfOfficeExchange, wayAwayIn: postoffice.OutOfOfficeInternal,
		}[c.Way])
	case wayBounce:
		return act(postoffice.Bounce)
	case wayRemote:
		return act(postoffice.BounceLater)
	case waySoft:
		return refused("4.4.7")
	case wayPolicy:
		return refused("5.7.1")
	case wayLimit:
		return refused("5.7.705")
	case wayDelay:
		return act(postoffice.BounceDelay)
	case wayForged:
		return custom(forgedReport)
	case wayReceipt:
		return act(postoffice.ReadReceipt)
	case wayChallenge:
		return custom(challenge)
	case wayMeeting:
		return custom(accepted)
	case wayComplaint:
		return custom(complaint)
	}
	return nil
}

// note is what the owner of a mailbox wrote by hand.
type note struct {
	sender int
	raw    []byte
}

// writeByHand puts what the owners wrote into their mailboxes.
func (w *world) writeByHand() {
	notes := w.byHand
	w.byHand = nil
	for _, n := range notes {
		w.services[n.sender].box.Put(postoffice.PutParams{Raw: n.raw, Labels: []string{postoffice.LabelSent}, Own: true})
	}
}
