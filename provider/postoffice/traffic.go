package postoffice

import (
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Traffic describes mail that has nothing to do with anybody's outreach.
type Traffic struct {
	To string // the mailbox's address. Required
	N  int    // how many mails

	// First is when the first of them was received, Every the time between
	// two. A zero First is now.
	First time.Time
	Every time.Duration
}

// DeliverUnrelated fills a mailbox with mail of colleagues, newsletters,
// notices, automatic answers and delivery reports about mail of others. All
// of it is marked unrelated in the books. Equal traffic is equal mail.
func (o *Office) DeliverUnrelated(t Traffic) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.byAddress[provider.Normalize(t.To)]
	if m == nil {
		return fmt.Errorf("deliver unrelated mail: %w", ErrNoMailbox)
	}
	first := t.First
	if first.IsZero() {
		first = o.clock.Now()
	}
	to := provider.Address{Name: m.name, Addr: m.Address()}
	for i := range t.N {
		at := first.Add(time.Duration(i) * t.Every)
		m.receive(Mail{Raw: o.unrelated(i, to, at), Unrelated: true, Received: at})
	}
	return nil
}

func (o *Office) unrelated(i int, to provider.Address, at time.Time) []byte {
	l := letter{to: to, now: at}
	switch i % 8 {
	case 0, 1, 2:
		l.from = provider.Address{Name: fmt.Sprintf("Colleague %d", i%40), Addr: fmt.Sprintf("colleague%d@office.example.net", i%40)}
		l.subject = fmt.Sprintf("Minutes of meeting %d", i)
		l.text = "Please find the minutes on the shared drive."
	case 3:
		l.from = provider.Address{Name: fmt.Sprintf("Colleague %d", i%40), Addr: fmt.Sprintf("colleague%d@office.example.net", i%40)}
		l.subject = fmt.Sprintf("Re: Minutes of meeting %d", i-3)
		l.refs = []string{fmt.Sprintf("<elsewhere%d@office.example.net>", i)}
		l.text = "Agreed."
	case 4, 5:
		l.from = provider.Address{Name: "The Weekly", Addr: fmt.Sprintf("news%d@letters.example.org", i%5)}
		l.subject = fmt.Sprintf("Issue %d: what happened this week", i)
		l.extra = []Field{
			{"List-Id", fmt.Sprintf("<weekly%d.letters.example.org>", i%5)},
			{"List-Unsubscribe", "<https://letters.example.org/leave>"}, {"Precedence", "bulk"},
		}
		l.text = "Read on our web site."
	case 6:
		l.from = provider.Address{Addr: "noreply@shop.example.org"}
		l.subject = fmt.Sprintf("Your order %d is on its way", i)
		l.extra = []Field{{"Auto-Submitted", "auto-generated"}}
		l.text = "It will arrive tomorrow."
	default:
		in := received{
			id: fmt.Sprintf("<other%d@office.example.net>", i), subject: "Invoice",
			header: []Field{{"From", to.Addr}, {"To", "gone@elsewhere.example.org"}, {"Subject", "Invoice"}, {"Message-ID", fmt.Sprintf("<other%d@office.example.net>", i)}},
		}
		return in.remoteReport("gone@elsewhere.example.org", to.Addr, o.newID("u", "elsewhere.example.org"), at, Behaviour{Do: BounceLater})
	}
	l.id = o.newID("u", domainOf(l.from.Addr))
	return l.bytes()
}
