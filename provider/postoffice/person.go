package postoffice

import (
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Act is something a person, or the system in front of them, does with a mail.
type Act string

// The acts. A person without a behaviour stays silent.
const (
	// Answer writes back in the thread. With Behaviour.From it comes from
	// that address, as when an assistant answers.
	Answer Act = "answer"

	// AnswerNew writes a new mail that cites nothing.
	AnswerNew Act = "answer new"

	// OutOfOffice is a vacation responder as Gmail writes it;
	// OutOfOfficeExchange is one as Exchange writes it.
	OutOfOffice         Act = "out of office"
	OutOfOfficeExchange Act = "out of office exchange"

	// OutOfOfficeInternal is Exchange's to somebody of the same organisation:
	// no header says what it is, the message class does.
	OutOfOfficeInternal Act = "out of office internal"

	// Bounce refuses the mail and has the sender's own service report it in
	// the thread. BounceLater is the report of a remote system, outside the
	// thread. BounceDelay is a warning that delivery takes longer: the mail
	// is delivered.
	Bounce      Act = "bounce"
	BounceLater Act = "bounce later"
	BounceDelay Act = "bounce delay"

	// ReadReceipt confirms that the mail was displayed.
	ReadReceipt Act = "read receipt"

	// Custom writes whatever Behaviour.Write returns.
	Custom Act = "custom"
)

// Behaviour is what a person does on receiving mail.
type Behaviour struct {
	Do Act

	// On says on which mail this is done, counted from 1 for each sender's
	// mailbox. Zero is every mail.
	On int

	After time.Duration // how long it takes
	Text  string        // what it says; each act has a default
	From  string        // the address it comes from, if not the person's own
	Until time.Time     // return date of an out-of-office
	Code  string        // enhanced status of a bounce; 5.1.1 or 4.4.1 by default

	// Write makes the mail of a Custom act; nil bytes send nothing. It runs
	// with the office locked and must not call it.
	Write func(Reaction) []byte
}

// Reaction is what a Custom act knows.
type Reaction struct {
	Now  time.Time
	From provider.Address // the person
	To   provider.Address // whom to answer
	ID   string           // a fresh Message-ID, in angle brackets
	Mail []byte           // the mail as it was received
}

// Person is somebody without a mailbox here.
type Person struct {
	Address    string
	Name       string
	Behaviours []Behaviour
}

type person struct {
	Person
	received map[*Mailbox]int // by sender
}

// AddPerson puts a person into the world, or gives one there new behaviours.
// ErrTaken: the address belongs to a mailbox.
func (o *Office) AddPerson(p Person) error {
	key := provider.Normalize(p.Address)
	if key == "" {
		return fmt.Errorf("add a person: %w", ErrBadAddress)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byAddress[key] != nil {
		return fmt.Errorf("add a person: %w", ErrTaken)
	}
	if known := o.people[key]; known != nil {
		known.Person = p
		return nil
	}
	o.people[key] = &person{Person: p}
	return nil
}

// Write sends a mail from a person without being asked: a new mail, or with
// inReplyTo an answer to that Message-ID. ErrNoMailbox: to is nobody here.
func (o *Office) Write(from provider.Address, to, subject, inReplyTo, text string) (Message, error) {
	o.mu.Lock()
	box := o.byAddress[provider.Normalize(to)]
	if box == nil {
		o.mu.Unlock()
		return Message{}, fmt.Errorf("write: %w", ErrNoMailbox)
	}
	l := letter{
		from: from, to: provider.Address{Name: box.name, Addr: to}, subject: subject, now: o.clock.Now(), text: text,
		id: o.newID("w", domainOf(from.Addr)),
	}
	o.mu.Unlock()
	if inReplyTo != "" {
		l.refs = []string{"<" + provider.BareID(inReplyTo) + ">"}
	}
	return o.Deliver(Mail{To: to, Raw: l.bytes()})
}

// next says what becomes of the next mail from a mailbox, and what is done on
// it.
func (p *person) next(from *Mailbox) (Fate, []Behaviour) {
	fate := Delivered
	var acts []Behaviour
	for _, b := range p.Behaviours {
		if b.On != 0 && b.On != p.received[from]+1 {
			continue
		}
		if b.Do == Bounce || b.Do == BounceLater {
			fate = Bounced
		}
		acts = append(acts, b)
	}
	return fate, acts
}

// receive hands the mail to the person. The office is locked.
func (p *person) receive(from *Mailbox, sub Submission, raw []byte) {
	o := from.office
	fate, acts := p.next(from)
	if p.received == nil {
		p.received = make(map[*Mailbox]int)
	}
	p.received[from]++
	o.books.deliver(sub, provider.Normalize(p.Address), fate)
	for _, b := range acts {
		if fate == Bounced && b.Do != Bounce && b.Do != BounceLater {
			continue // nobody received it
		}
		o.later(b.After, func() { p.act(o, from, sub, b, raw) })
	}
}

func (p *person) act(o *Office, from *Mailbox, sub Submission, b Behaviour, raw []byte) {
	in := readLetter(raw)
	now := o.clock.Now()
	me := provider.Address{Name: p.Name, Addr: p.Address}
	if b.From != "" {
		me = provider.Address{Addr: b.From}
	}
	to := in.answerTo()
	if o.byAddress[provider.Normalize(to.Addr)] == nil {
		to = provider.Address{Name: from.name, Addr: from.Address()}
	}
	var out []byte
	var class string
	switch b.Do {
	case Answer:
		out = in.answer(me, to, o.newID("a", domainOf(me.Addr)), now, b.Text)
	case AnswerNew:
		out = letter{
			from: me, to: to, subject: "About your mail", now: now, id: o.newID("n", domainOf(me.Addr)),
			text: orText(b.Text, "I saw your mail and would like to hear more."),
		}.bytes()
	case OutOfOffice:
		out = in.vacation(me, to, o.newID("v", domainOf(me.Addr)), now, b)
	case OutOfOfficeExchange:
		out = in.exchangeVacation(me, to, o.newID("x", domainOf(me.Addr)), now, b)
	case OutOfOfficeInternal:
		out, class = in.internalVacation(me, to, o.newID("x", domainOf(me.Addr)), now, b)
	case Bounce, BounceDelay:
		if from.beliefs.ExchangeReports {
			out, class = in.exchangeReport(p.Address, from.Address(), o.newID("b", domainOf(from.Address())), now, b)
			break
		}
		out = in.ownReport(p.Address, from.Address(), o.newID("b", "googlemail.com"), now, b)
	case BounceLater:
		out = in.remoteReport(p.Address, from.Address(), o.newID("r", domainOf(p.Address)), now, b)
	case ReadReceipt:
		out = in.receipt(me, to, o.newID("d", domainOf(me.Addr)), now)
	case Custom:
		if b.Write != nil {
			out = b.Write(Reaction{Now: now, From: me, To: to, ID: o.newID("c", domainOf(me.Addr)), Mail: raw})
		}
	}
	if out == nil {
		return
	}
	switch b.Do {
	case Bounce, BounceDelay:
		mail := Mail{Raw: out, class: class}
		if sent := from.byNumber[sub.Number]; sent != nil && from.beliefs.ReportsJoinThread {
			mail.thread = sent.Thread
		}
		from.receive(mail)
	case BounceLater:
		from.receive(Mail{Raw: out}) // reports go to the envelope's sender
	default:
		written := b.Do == Answer || b.Do == AnswerNew || b.Do == Custom
		if own := o.byAddress[provider.Normalize(me.Addr)]; written && own != nil && own.owner == p {
			own.add(out, []string{LabelSent}, now, true, false, 0, own.delays.SentCopy)
		}
		o.byAddress[provider.Normalize(to.Addr)].receive(Mail{Raw: out, class: class})
	}
}
