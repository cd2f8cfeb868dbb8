package runner

import (
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/provider/optout"
	"github.com/outreachkit/outreach/provider/quote"
	"github.com/outreachkit/outreach/provider/safehtml"
	"github.com/outreachkit/outreach/store"
)

// said is what a message says, as a conversation shows it.
type said struct {
	fresh string         // what is new in it
	html  string         // safe to show
	wish  optout.Finding // to get no more mail, if its author is asking for that
}

// read works out what the message says. It is asked once for each message.
func (j *judgement) read(p *safehtml.Policy) {
	if j.msg == nil {
		return
	}
	parts := quote.Split(quote.Body{Text: j.msg.Text, HTML: j.msg.HTML})
	j.said = said{fresh: parts.Fresh(), html: p.Sanitize(j.msg.HTML)}
	if j.direction == provider.DirectionIn && (j.verdict.Class == classify.Human || j.verdict.Class == classify.Unsure) {
		j.said.wish, _ = optout.Find(parts.Written())
	}
}

// offer tells the host that the recipient seems to want no more mail. Nothing
// else comes of it: a person confirms it with Unsubscribe.
func (j *judgement) offer(r *Runner, l *loaded, b *store.Batch, hit provider.Hit) {
	if j.said.wish.Kind == "" || hit.Copied {
		return
	}
	r.tell(l, b, Event{Kind: EventOptOut, At: j.env.Received, Reason: wishes[j.said.wish.Kind]})
}

// wishes says in words what was asked for. An event holds nothing of a mail.
var wishes = map[optout.Kind]string{
	optout.Unsubscribe: "the answer seems to ask to be unsubscribed",
	optout.Stop:        "the answer seems to ask for no more mail",
	optout.Erase:       "the answer seems to ask that the author's data be deleted",
}
