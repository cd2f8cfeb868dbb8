package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

const day = 24 * time.Hour

// start is a Monday.
func start() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

// Plan is what one seed decides before the world begins.
type Plan struct {
	Seed       uint64
	Senders    []Sender
	Candidates []Candidate
	Steps      int
	Trouble    float64       // how likely a fault or a crash is at each step
	Faulty     time.Duration // how long there are faults
	Durable    bool          // on SQLite instead of in memory
	Poll       time.Duration // how often a mailbox is read of which pushes come
	Feed       float64       // how likely the change feed mistreats an item
	Backup     time.Duration // when a backup is made, and
	Restore    time.Duration // when it is put back; zero is never

	rnd   *rand.Rand
	desks *rand.Rand
}

// Sender is one linked mailbox.
type Sender struct {
	Address string
	Kind    provider.Kind
	Access  provider.Access
	World   postoffice.Beliefs
	Google  gmailtest.Config
	Entra   msgraphtest.Config
	Delays  postoffice.Delays
	Filed   bool // a rule files what arrives into one folder after another
	Push    bool // the service pushes
}

// Candidate is somebody who is written to.
type Candidate struct {
	Address   string
	Private   string // a further address that some answer from
	Colleague string // somebody in copy
	Sender    int
	Way       Way
	On        int           // to which mail, from 1 on, and
	After     time.Duration // how long after it
	Again     time.Duration // how long after that there is more
	Zone      string

	Desk    time.Duration // how long after the host was told that they answered somebody answers them, zero is never
	Unasked bool          // after the beginning, rather, whether they answered or not

	// TwinOf is another candidate, from 1 on, who is the same person: written
	// to from another mailbox.
	TwinOf      int
	Independent bool // of what comes of the other
}

// key is the host's name of the enrollment.
func (c Candidate) key() string {
	if c.TwinOf > 0 {
		return c.Address + "/twin"
	}
	return c.Address
}

// answers reports whether the candidate writes back as a person does.
func (c Candidate) answers() bool { return c.Way.expected().status == runner.StatusReplied }

// Draw makes the plan of a seed.
func Draw(seed uint64) *Plan {
	p := &Plan{Seed: seed, rnd: rand.New(rand.NewPCG(seed, 0x6f75747265616368)), desks: rand.New(rand.NewPCG(seed, 2))}
	p.Steps, p.Trouble, p.Faulty = 1+p.rnd.IntN(3), p.rnd.Float64()*0.3, 9*day
	p.Durable = p.chance(0.2)
	p.Poll = 30*time.Minute + p.upTo(3*time.Hour)
	if p.chance(0.5) {
		p.Feed = p.rnd.Float64() * 0.3
	}
	if p.Durable && p.chance(0.6) {
		p.Backup = p.upTo(5 * day)
		p.Restore = p.Backup + p.upTo(3*day)
	}
	kinds := [][]provider.Kind{{provider.Gmail}, {provider.MSGraph}, {provider.Gmail, provider.MSGraph}}[p.rnd.IntN(3)]
	for i, kind := range kinds {
		p.Senders = append(p.Senders, p.sender(i, kind))
	}
	for i := range 3 + p.rnd.IntN(5) {
		p.Candidates = append(p.Candidates, p.candidate(i))
	}
	if p.chance(0.5) {
		p.twin()
	}
	p.drawDesks()
	return p
}

func (p *Plan) chance(of float64) bool { return p.rnd.Float64() < of }

func (p *Plan) upTo(d time.Duration) time.Duration {
	return time.Duration(p.rnd.Int64N(int64(d))).Truncate(time.Second)
}

func (p *Plan) sender(i int, kind provider.Kind) Sender {
	s := Sender{Address: fmt.Sprintf("maria%d@agency.example.com", i), Kind: kind, Access: provider.AccessReplies}
	switch n := p.rnd.IntN(100); {
	case n < 10:
		s.Access = provider.AccessSend
	case n < 22:
		s.Access = provider.AccessEnvelopes
	}
	s.World = postoffice.GmailBeliefs()
	if kind == provider.MSGraph {
		s.World = postoffice.GraphBeliefs()
	}
	s.World.KeepsMessageID = !p.chance(0.15)
	s.World.SentCopyKeepsID = !p.chance(0.1)
	s.World.SentCopyMissing = p.chance(0.1)
	s.World.EqualSubjectsMerge = p.chance(0.2)
	s.World.KeepsReferences = !p.chance(0.1)
	life := []time.Duration{time.Hour, 12 * time.Hour}[p.rnd.IntN(2)]
	s.Google.TokenLife, s.Entra.TokenLife = life, life
	s.Google.Beliefs = gmailtest.Beliefs{RotatesRefreshTokens: p.chance(0.5), HistoryWithoutLabels: p.chance(0.5), ShortScopes: p.chance(0.5), NoIssuer: p.chance(0.5)}
	s.Entra.Beliefs = msgraphtest.Beliefs{
		FullScopes: p.chance(0.5), SendsIssuer: p.chance(0.5), SentCopyHeaders: p.chance(0.5), DropsCustomHeaders: p.chance(0.2),
		PropertyIDsAsAsked: p.chance(0.5), DeltaWithoutProperties: p.chance(0.5), DeltaSkipsBrief: p.chance(0.5), DeltaReplays: p.chance(0.5),
	}
	if p.chance(0.3) {
		s.Entra.Drafts = p.upTo(10 * time.Minute)
	}
	if p.chance(0.3) {
		s.Entra.Outbox = p.upTo(20 * time.Minute)
	}
	if p.chance(0.3) {
		s.Entra.PageSize = 22 + p.rnd.IntN(10)
	}
	s.Delays = postoffice.Delays{Delivery: p.upTo(2 * time.Minute), Visible: p.upTo(3 * time.Minute), SentCopy: p.upTo(7 * time.Minute)}
	if p.chance(0.1) {
		s.Delays.Visible = p.upTo(20 * time.Hour)
	}
	s.Filed = p.chance(0.3)
	s.Push = p.chance(0.5)
	s.Google.Beliefs.PushesText, s.Google.Beliefs.PushesURLSafe = p.chance(0.5), p.chance(0.3)
	s.Entra.Beliefs.ShortensPushes = p.chance(0.3)
	return s
}

// recognises reports whether the service leaves enough on a sent mail for its
// copy, and with it its thread, to be found.
func (s Sender) recognises() bool {
	if s.World.SentCopyMissing {
		return false
	}
	key := s.Kind == provider.Gmail || !s.Entra.Beliefs.DropsCustomHeaders && s.Access == provider.AccessReplies
	return key || s.World.KeepsMessageID && s.World.SentCopyKeepsID
}

// cites reports whether a report that quotes the header of a mail quotes
// something that the mail is known by.
func (s Sender) cites() bool {
	return s.Kind == provider.Gmail || !s.Entra.Beliefs.DropsCustomHeaders || s.World.KeepsMessageID
}

// joins reports whether an answer comes into the thread of the mail that it
// answers: else one from another address is nothing that may be read.
func (s Sender) joins() bool { return s.recognises() && s.World.SentCopyKeepsID }

// String is the plan for people.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d steps, trouble %.2f, durable %t, feed %.2f\n", p.Seed, p.Steps, p.Trouble, p.Durable, p.Feed)
	if p.Restore > 0 {
		fmt.Fprintf(&b, "  the backup of %v is put back at %v\n", p.Backup, p.Restore)
	}
	for _, s := range p.Senders {
		fmt.Fprintf(&b, "  %s %s access %s world %+v", s.Address, s.Kind, s.Access, s.World)
		if s.Kind == provider.MSGraph {
			fmt.Fprintf(&b, " graph %+v drafts %v outbox %v page %d", s.Entra.Beliefs, s.Entra.Drafts, s.Entra.Outbox, s.Entra.PageSize)
		} else {
			fmt.Fprintf(&b, " google %+v", s.Google.Beliefs)
		}
		fmt.Fprintf(&b, " delays %+v filed %t push %t\n", s.Delays, s.Filed, s.Push)
	}
	for _, c := range p.Candidates {
		fmt.Fprintf(&b, "  %s of sender %d in %q, who %s, on mail %d after %v", c.key(), c.Sender, c.Zone, c.Way, c.On, c.After)
		if c.Desk > 0 {
			fmt.Fprintf(&b, ", from the desk after %v, unasked %t", c.Desk, c.Unasked)
		}
		if c.TwinOf > 0 {
			fmt.Fprintf(&b, ", independent %t", c.Independent)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
