package msgraph

import (
	"context"
	"net/url"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/provider"
)

const (
	deltaPage = "odata.maxpagesize=1000"
	listPage  = 1000 // the most that $top allows

	// pageOverlap is how many messages two pages of the mailbox share, so
	// that some may vanish between them and none is passed over.
	pageOverlap = 20
)

// start makes a cursor that begins now. Graph has no way to say "from now
// on" for messages, so each folder's delta begins with what came lately, and
// is followed to its end. That this filter holds for the whole life of the
// delta is documented; that it never tells more than 5,000 messages is why
// the mailbox is read besides.
func (m *mailbox) start(ctx context.Context, op string) (provider.Cursor, error) {
	now := m.p.now()
	pos := position{Since: now.Unix()}
	for i, folder := range followed() {
		pg, err := m.firstDelta(ctx, op, folder, now.Add(-overlap))
		for pages := 1; ; pages++ {
			if err != nil {
				return "", err
			}
			m.learn(i, pg)
			l, more, err2 := m.follow(op, pg)
			if err2 != nil {
				return "", err2
			}
			if !more {
				pos.Links = append(pos.Links, l)
				break
			}
			pg, err = m.at(ctx, op, l)
		}
	}
	for more := true; more; {
		var listed provider.Page
		if err := m.mailboxChanges(ctx, op, &pos, &listed); err != nil {
			return "", err
		}
		more = listed.More
	}
	pos.Since, pos.Round = now.Unix(), 0
	return m.cursor(op, pos)
}

// Changes implements provider.Mailbox. A round reads the delta of Inbox,
// Junk Email and Sent Items, which are quick and tell what vanished, and then
// lists what any folder received since a while before the last round began:
// a rule may file an answer anywhere. It returns at the end of the first page
// that is not the last of its kind, or of the round.
func (m *mailbox) Changes(ctx context.Context, since provider.Cursor) (provider.Page, error) {
	const op = "msgraph: changes"
	if err := m.may(op, provider.AccessEnvelopes); err != nil {
		return provider.Page{}, err
	}
	pos, err := m.position(op, since)
	if err != nil {
		return provider.Page{}, err
	}
	if pos.Round == 0 {
		pos.Round = m.p.now().Unix()
	}
	var out provider.Page
	for !out.More && pos.Folder < len(followed()) {
		if err := m.folderChanges(ctx, op, &pos, &out); err != nil {
			return provider.Page{}, err
		}
	}
	if !out.More {
		if err := m.mailboxChanges(ctx, op, &pos, &out); err != nil {
			return provider.Page{}, err
		}
	}
	out.Next, err = m.cursor(op, pos)
	if err != nil {
		return provider.Page{}, err
	}
	return out, nil
}

// folderChanges reads the next page of a folder's delta.
func (m *mailbox) folderChanges(ctx context.Context, op string, pos *position, out *provider.Page) error {
	pg, err := m.at(ctx, op, pos.Links[pos.Folder])
	if err != nil {
		return err
	}
	l, more, err := m.follow(op, pg)
	if err != nil {
		return err
	}
	m.learn(pos.Folder, pg)
	for i := range pg.Value {
		msg := &pg.Value[i]
		switch {
		case msg.ID == "":
		case msg.Removed != nil:
			out.Gone = append(out.Gone, provider.Ref(msg.ID))
		default:
			out.Items = append(out.Items, m.item(msg))
		}
	}
	pos.Links[pos.Folder], out.More = l, more
	if !more {
		pos.Folder++
	}
	return nil
}

// mailboxChanges reads the next page of what the mailbox received, newest
// first.
func (m *mailbox) mailboxChanges(ctx context.Context, op string, pos *position, out *provider.Page) error {
	filter := "receivedDateTime ge " + odataTime(time.Unix(pos.Since, 0).Add(-overlap))
	pg, err := m.messages(ctx, op, filter, listPage, pos.Skip, identifiers())
	if err != nil {
		return err
	}
	told := pos.Seen.set()
	for _, it := range out.Items { // by a folder's delta
		told[digestOf(string(it.Ref))] = true
	}
	listed := pos.Window.set()
	for i := range pg.Value {
		msg := &pg.Value[i]
		digest := digestOf(msg.ID)
		if msg.ID == "" || listed[digest] {
			continue
		}
		pos.Window, listed[digest] = pos.Window.with(digest), true
		if !told[digest] {
			out.Items = append(out.Items, m.item(msg))
		}
	}
	if pg.Next != "" && len(pg.Value) > 0 {
		pos.Skip += max(1, len(pg.Value)-pageOverlap)
		out.More = true
		return nil
	}
	pos.Since, pos.Round, pos.Folder, pos.Skip = pos.Round, 0, 0, 0
	pos.Seen, pos.Window = pos.Window, nil
	return nil
}

// item is what a line of a feed tells.
func (m *mailbox) item(msg *message) provider.Item {
	place, _ := m.p.folders.place(m.acc.Subject, msg.Folder)
	return provider.Item{
		Ref: provider.Ref(msg.ID), Thread: msg.Conversation, Place: place, Own: place == provider.PlaceSent, Draft: msg.Draft,
	}
}

// learn remembers a followed folder's id by what lies in it.
func (m *mailbox) learn(folder int, pg page) {
	for i := range pg.Value {
		if msg := &pg.Value[i]; msg.Removed == nil && msg.Folder != "" {
			m.p.folders.learn(m.acc.Subject, msg.Folder, []provider.Place{provider.PlaceInbox, provider.PlaceJunk, provider.PlaceSent}[folder])
			return
		}
	}
}

// follow returns where a delta goes on, and whether at once.
func (m *mailbox) follow(op string, pg page) (link, bool, error) {
	to, more := pg.Delta, false
	if pg.Next != "" {
		to, more = pg.Next, true
	}
	u, err := url.Parse(to)
	if err != nil || to == "" {
		return "", false, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "link_missing"}
	}
	rel := u.EscapedPath() + "?" + u.RawQuery
	if u.Host != m.p.host || !m.p.ours(rel) {
		return "", false, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "link_to_foreign_host"}
	}
	return link(rel), more, nil
}

func (m *mailbox) firstDelta(ctx context.Context, op, folder string, since time.Time) (page, error) {
	filter := "receivedDateTime ge " + odataTime(since)
	return m.list(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
		return m.user().MailFolders().ByMailFolderId(folder).Messages().Delta().ToGetRequestInformation(ctx, &users.ItemMailFoldersItemMessagesDeltaRequestBuilderGetRequestConfiguration{
			Headers:         preferPage(),
			QueryParameters: &users.ItemMailFoldersItemMessagesDeltaRequestBuilderGetQueryParameters{Filter: &filter, Select: identifiers()},
		})
	})
}

// at follows a link as it came, at the host that requests go to.
func (m *mailbox) at(ctx context.Context, op string, l link) (page, error) {
	return m.list(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
		base, err := url.Parse(m.p.ends.Graph)
		if err != nil {
			return nil, err
		}
		return users.NewItemMailFoldersItemMessagesDeltaRequestBuilder(base.Scheme+"://"+base.Host+string(l), m.adapter).
			ToGetRequestInformation(ctx, &users.ItemMailFoldersItemMessagesDeltaRequestBuilderGetRequestConfiguration{Headers: preferPage()})
	})
}

func preferPage() *abstractions.RequestHeaders {
	h := abstractions.NewRequestHeaders()
	h.Add("Prefer", deltaPage)
	return h
}

// messages lists messages of every folder, newest first.
func (m *mailbox) messages(ctx context.Context, op, filter string, top, skip int, fields []string) (page, error) {
	n, from := int32(top), int32(skip)
	params := &users.ItemMessagesRequestBuilderGetQueryParameters{Filter: &filter, Top: &n, Select: fields}
	// Exchange sorts only by what the filter begins with.
	params.Orderby = []string{"receivedDateTime desc"}
	if from > 0 {
		params.Skip = &from
	}
	return m.list(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
		return m.user().Messages().ToGetRequestInformation(ctx, &users.ItemMessagesRequestBuilderGetRequestConfiguration{QueryParameters: params})
	})
}

// odataTime writes an instant as $filter takes it, to the second.
func odataTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
