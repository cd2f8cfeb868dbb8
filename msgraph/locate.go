package msgraph

import (
	"context"
	"errors"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// Locate implements provider.Mailbox. It asks every folder for the
// Message-ID, and then, in case Exchange replaced it or its index lags, goes
// through what appeared in Sent Items since the cursor, by its delta and, since
// a delta may pass over a message, by a list, and looks for the key
// where mail lies that has not left. Last it asks for what was deleted for
// good and can still be recovered, since a delta may be silent about a copy
// that came and went between two rounds. Of an accepted mail Sent Items is
// asked for the key instead, and no other mail in it is looked at.
func (m *mailbox) Locate(ctx context.Context, key provider.SendKey) ([]provider.Located, error) {
	const op = "msgraph: locate"
	if !m.acc.Access.Includes(provider.AccessEnvelopes) {
		return nil, &provider.Error{Kind: provider.ErrOutcomeUnknown, Op: op, Reason: "access_" + string(m.acc.Access)}
	}
	if err := m.may(op, provider.AccessEnvelopes); err != nil {
		return nil, err
	}
	now := m.p.now()
	var v courier.View
	if err := m.byMessageID(ctx, op, key, &v); err != nil {
		return nil, err
	}
	folders := unsent()
	if key.Accepted {
		folders = append([]string{followed()[sentFolder]}, folders...)
	} else if len(v.Found) == 0 {
		if err := m.bySentFeed(ctx, op, key, &v); err != nil {
			return nil, err
		}
	}
	for _, folder := range folders {
		if len(v.Found) > 0 {
			break
		}
		if err := m.byKey(ctx, op, folder, key, &v); err != nil {
			return nil, err
		}
	}
	return v.Answer(op, key, m.p.limits.Settle, now)
}

// located are the fields by which Locate tells one mail from another.
func located() []string {
	return append(identifiers(), "internetMessageId", "receivedDateTime")
}

// sameID is the filter for a Message-ID, empty where there is none to ask for.
func sameID(key provider.SendKey) string {
	id := provider.BareID(key.MessageID)
	if id == "" || strings.ContainsAny(id, " \t\r\n") {
		return ""
	}
	return "internetMessageId eq " + quoted("<"+id+">")
}

// mostCopies is more than one mail has copies in a mailbox.
const mostCopies = 20

func (m *mailbox) byMessageID(ctx context.Context, op string, key provider.SendKey, v *courier.View) error {
	filter, top := sameID(key), int32(mostCopies)
	if filter == "" {
		return nil
	}
	pg, err := m.list(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
		return m.user().Messages().ToGetRequestInformation(ctx, &users.ItemMessagesRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMessagesRequestBuilderGetQueryParameters{Filter: &filter, Top: &top, Select: located()},
		})
	})
	if err != nil {
		return err
	}
	for i := range pg.Value {
		if err := m.found(ctx, op, &pg.Value[i], v); err != nil {
			return err
		}
	}
	return nil
}

// recoverable is the folder of what was deleted from Deleted Items, or past
// it (https://learn.microsoft.com/graph/api/resources/mailfolder).
const recoverable = "recoverableitemsdeletions"

// unsent are the folders beside Sent Items in which a copy may lie without
// its Message-ID being known. A copy that the owner moved elsewhere is one that
// left Sent Items, of which its delta tells.
func unsent() []string { return []string{"outbox", "drafts", recoverable} }

// byKey asks one folder for the Message-ID or the key. A mailbox without the
// folder says nothing.
func (m *mailbox) byKey(ctx context.Context, op, folder string, key provider.SendKey, v *courier.View) error {
	var terms []string
	if id := sameID(key); id != "" {
		terms = append(terms, id)
	}
	if key.Key != "" && !m.basic() {
		terms = append(terms, "singleValueExtendedProperties/Any(ep: ep/id eq "+quoted(propKey)+" and ep/value eq "+quoted(key.Key)+")")
	}
	for _, filter := range terms {
		top := int32(mostCopies)
		pg, err := m.list(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
			return m.user().MailFolders().ByMailFolderId(folder).Messages().ToGetRequestInformation(ctx, &users.ItemMailFoldersItemMessagesRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.ItemMailFoldersItemMessagesRequestBuilderGetQueryParameters{Filter: &filter, Top: &top, Select: located()},
			})
		})
		if errors.Is(err, provider.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, msg := range pg.Value {
			place := map[string]provider.Place{
				"outbox": provider.PlaceOutbox, "drafts": provider.PlaceDraft, recoverable: provider.PlaceTrash, followed()[sentFolder]: provider.PlaceSent,
			}[folder]
			if msg.Draft && place == provider.PlaceTrash {
				place = provider.PlaceDraft
			}
			v.Found = append(v.Found, provider.Located{
				Ref: provider.Ref(msg.ID), Thread: msg.Conversation, MessageID: msg.MessageID, Place: place, At: instant(msg.Received),
			})
		}
		if len(v.Found) > 0 {
			return nil
		}
	}
	return nil
}

// found notes a copy. What lies in the Inbox is what a mail to oneself
// became, and proves as much as the copy in Sent Items.
func (m *mailbox) found(ctx context.Context, op string, msg *message, v *courier.View) error {
	place, err := m.place(ctx, op, msg.Folder)
	if err != nil {
		return err
	}
	if msg.Draft && place != provider.PlaceOutbox {
		place = provider.PlaceDraft
	}
	v.Found = append(v.Found, provider.Located{
		Ref: provider.Ref(msg.ID), Thread: msg.Conversation, MessageID: msg.MessageID, Place: place, At: instant(msg.Received),
	})
	return nil
}

// bySentFeed looks at each message that came to Sent Items since the cursor,
// which is mail of the account's own, and at whether any left it for good.
func (m *mailbox) bySentFeed(ctx context.Context, op string, key provider.SendKey, v *courier.View) error {
	if key.Cursor == "" {
		v.Gap("no_cursor")
		return nil
	}
	pos, err := m.position(op, key.Cursor)
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for l, more := pos.Links[sentFolder], true; more; {
		pg, err := m.at(ctx, op, l)
		if errors.Is(err, provider.ErrCursorExpired) {
			v.Gap("cursor_expired")
			break
		}
		if err != nil {
			return err
		}
		if l, more, err = m.follow(op, pg); err != nil {
			return err
		}
		for i := range pg.Value {
			msg := &pg.Value[i]
			if msg.ID == "" || seen[msg.ID] {
				continue
			}
			seen[msg.ID] = true
			if err := m.look(ctx, op, msg, key, v); err != nil {
				return err
			}
		}
	}
	if len(v.Found) > 0 || key.From.IsZero() {
		return nil
	}
	return m.bySentList(ctx, op, seen, key, v)
}

// bySentList looks at what lies in Sent Items since the send and its delta
// did not tell.
func (m *mailbox) bySentList(ctx context.Context, op string, seen map[string]bool, key provider.SendKey, v *courier.View) error {
	filter := "receivedDateTime ge " + odataTime(key.From.Add(-courier.LocateMargin))
	for skip, top := int32(0), int32(listPage); ; {
		params := &users.ItemMailFoldersItemMessagesRequestBuilderGetQueryParameters{
			Filter: &filter, Top: &top, Select: identifiers(), Orderby: []string{"receivedDateTime desc"}, // Exchange sorts only by what the filter begins with
		}
		if skip > 0 {
			params.Skip = &skip
		}
		pg, err := m.list(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
			return m.user().MailFolders().ByMailFolderId(followed()[sentFolder]).Messages().ToGetRequestInformation(ctx,
				&users.ItemMailFoldersItemMessagesRequestBuilderGetRequestConfiguration{QueryParameters: params})
		})
		if err != nil {
			return err
		}
		for i := range pg.Value {
			msg := &pg.Value[i]
			if msg.ID == "" || seen[msg.ID] {
				continue
			}
			seen[msg.ID] = true
			if err := m.look(ctx, op, msg, key, v); err != nil {
				return err
			}
		}
		if pg.Next == "" || len(pg.Value) == 0 {
			return nil
		}
		skip += int32(max(1, len(pg.Value)-pageOverlap))
	}
}

// look compares one message with the key. One that was removed from Sent
// Items and is nowhere else any more may have been the copy.
func (m *mailbox) look(ctx context.Context, op string, at *message, key provider.SendKey, v *courier.View) error {
	if !validRef(provider.Ref(at.ID)) {
		v.Gap("message_id_unreadable")
		return nil
	}
	var props []string
	if !m.basic() {
		props = append(props, propKey)
	}
	msg, err := m.one(ctx, op, provider.Ref(at.ID), located(), props...)
	if errors.Is(err, provider.ErrNotFound) {
		v.Gap("deletion_in_span")
		return nil
	}
	if err != nil {
		return err
	}
	same := provider.BareID(key.MessageID) != "" && provider.BareID(msg.MessageID) == provider.BareID(key.MessageID) ||
		key.Key != "" && strings.TrimSpace(msg.property(propKey)) == key.Key
	if !same {
		return nil
	}
	return m.found(ctx, op, msg, v)
}

// one reads fields and properties of one message.
func (m *mailbox) one(ctx context.Context, op string, ref provider.Ref, fields []string, props ...string) (*message, error) {
	if !validRef(ref) {
		return nil, &provider.Error{Kind: provider.ErrNotFound, Op: op, Reason: "not_a_message_id"}
	}
	params := &users.ItemMessagesMessageItemRequestBuilderGetQueryParameters{Select: fields}
	if len(props) > 0 {
		params.Expand = expand(props...)
	}
	var msg message
	err := m.object(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
		return m.user().Messages().ByMessageId(string(ref)).ToGetRequestInformation(ctx, &users.ItemMessagesMessageItemRequestBuilderGetRequestConfiguration{QueryParameters: params})
	}, &msg)
	if err == nil && msg.ID == "" {
		return nil, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "answer_without_id"}
	}
	return &msg, err
}

// quoted writes a string as $filter takes it.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
