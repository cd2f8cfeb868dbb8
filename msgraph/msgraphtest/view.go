package msgraphtest

import (
	"strings"
	"sync"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// view is one message as a request sees it.
type view struct {
	*parsed
	call   *call
	msg    postoffice.Message
	folder string
}

func (c *call) view(m postoffice.Message) *view {
	return &view{parsed: c.s.parsed(m), call: c, msg: m, folder: folderOf(m.Labels)}
}

// parsed is what a message's bytes say, which never changes. Requests share
// it.
type parsed struct {
	raw     func() []postoffice.Field
	header  func() provider.Envelope
	content func() *provider.Message
	words   func() [][]string // what a word of a search without a property is looked up in
}

// parsed returns what is known of a message; what must be parsed is when it
// is first asked for.
func (s *Server) parsed(m postoffice.Message) *parsed {
	if known, ok := s.views.Load(m.Number); ok {
		return known.(*parsed)
	}
	raw := sync.OnceValue(func() []postoffice.Field {
		fields, _ := postoffice.Split(m.Raw)
		return fields
	})
	p := &parsed{
		raw: raw,
		header: sync.OnceValue(func() provider.Envelope {
			var list []mimemsg.Field
			for _, f := range raw() {
				list = append(list, mimemsg.Field{Name: f.Name, Value: f.Value})
			}
			return mimemsg.ReadHeader(list)
		}),
		content: sync.OnceValue(func() *provider.Message {
			msg, _ := mimemsg.Read(m.Raw) // what is broken is as far as it can be read
			return msg
		}),
	}
	p.words = sync.OnceValue(func() [][]string {
		out := [][]string{tokenized(m.Subject), tokenized(p.text())}
		for _, a := range p.header().From {
			out = append(out, tokenized(a.Name+" "+a.Addr))
		}
		return out
	})
	kept, _ := s.views.LoadOrStore(m.Number, p)
	return kept.(*parsed)
}

// list reads the addresses of a field that an Envelope doesn't have.
func (p *parsed) list(name string) []provider.Address {
	var fields []mimemsg.Field
	for _, f := range p.raw() {
		if strings.EqualFold(f.Name, name) {
			fields = append(fields, mimemsg.Field{Name: "To", Value: f.Value})
		}
	}
	return mimemsg.ReadHeader(fields).To
}

// first is the value of a field as it stands, empty without one.
func (p *parsed) first(name string) string {
	for _, f := range p.raw() {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// text is the body without its HTML.
func (p *parsed) text() string {
	m := p.content()
	if m.Text != "" || m.HTML == "" {
		return m.Text
	}
	return withoutTags(m.HTML)
}

// withoutTags is what a reader sees of simple HTML.
func withoutTags(s string) string {
	var out strings.Builder
	for s != "" {
		text, rest, found := strings.Cut(s, "<")
		out.WriteString(text)
		if !found {
			break
		}
		_, s, _ = strings.Cut(rest, ">")
		out.WriteByte(' ')
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&nbsp;", " ", "&amp;", "&").Replace(out.String())
}
