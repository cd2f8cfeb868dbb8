package msgraphtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider/postoffice"
)

const (
	deltaPage = 10

	// mostFiltered is how many messages a delta that began with $filter tells
	// in all (https://learn.microsoft.com/graph/api/message-delta).
	mostFiltered = 5000
)

// deltaToken is what a link of a delta carries: all that the first request
// asked for, and how far the client is. It is opaque to clients.
type deltaToken struct {
	Folder string `json:"f"`
	Select string `json:"s,omitempty"`
	Expand string `json:"x,omitempty"`
	Kind   string `json:"c,omitempty"` // changeType
	Filter string `json:"q,omitempty"`
	Top    int    `json:"t,omitempty"`
	Told   int    `json:"n,omitempty"` // messages told so far, under a filter

	First  bool  `json:"i,omitempty"` // still telling what lay there at the beginning
	Before int64 `json:"b,omitempty"` // of those, the ones with smaller numbers come next
	At     int64 `json:"p"`           // changes up to here are told
	Round  int64 `json:"r,omitempty"` // where the round before this began
}

// The options that carry the token.
const (
	skipToken  = "$skiptoken"
	sinceToken = "$deltatoken"
)

func (t deltaToken) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func readDeltaToken(s string) (deltaToken, bool) {
	var t deltaToken
	b, err := base64.RawURLEncoding.DecodeString(s)
	return t, err == nil && json.Unmarshal(b, &t) == nil && t.Folder != ""
}

// delta tells the changes of one folder
// (https://learn.microsoft.com/graph/delta-query-messages).
func (c *call) delta() *failure {
	if c.path[0] != "mailFolders" {
		return badQuery("Change tracking is not supported against 'microsoft.graph.message' without a folder.")
	}
	name, f := c.folder(c.path[1])
	if f != nil {
		return f
	}
	t, f := c.deltaToken(name)
	if f != nil {
		return f
	}
	if t.Folder != folderID(c.box, name) {
		return c.lost()
	}
	want, f := c.shape(options{"$select": t.Select, "$expand": t.Expand})
	if f != nil {
		return f
	}
	if c.s.cfg.Beliefs.DeltaWithoutProperties {
		want.extended = nil
	}
	match := func(*view) bool { return true }
	if t.Filter != "" {
		parsed, err := parseFilter(t.Filter)
		if err != nil {
			return badFilter(err)
		}
		match = parsed.match
	}
	size := t.Top
	if size == 0 {
		size = deltaPage
	}
	if c.prefers.page > 0 {
		size = min(c.prefers.page, mostTop)
	}
	d := &round{call: c, token: t, folder: name, want: want, match: match, size: c.page(size), rows: []map[string]any{}}
	more := false
	if t.First {
		more = d.initial()
	} else if more, f = d.changes(); f != nil {
		return f
	}
	out := map[string]any{"value": d.rows}
	base := c.s.GraphURL() + c.root + "/mailFolders('" + c.path[1] + "')/messages/delta?"
	if more {
		out["@odata.nextLink"] = base + skipToken + "=" + d.token.String()
	} else {
		out["@odata.deltaLink"] = base + sinceToken + "=" + d.token.String()
	}
	c.ok("Collection(message)", out)
	return nil
}

// deltaToken reads the link that a client follows, or makes the beginning of
// a delta from the options of its first request.
func (c *call) deltaToken(folder string) (deltaToken, *failure) {
	for _, name := range []string{skipToken, sinceToken} {
		if s, ok := c.query[name]; ok {
			if f := c.query.only(name); f != nil {
				return deltaToken{}, fail(http.StatusBadRequest, "ErrorInvalidUrlQuery", "Options belong into the first request of a delta; they are part of its links.")
			}
			t, ok := readDeltaToken(s)
			if !ok {
				return deltaToken{}, fail(http.StatusBadRequest, "ErrorInvalidUrlQuery", "Badly formed token.")
			}
			return t, nil
		}
	}
	if f := c.query.only("$select", "$expand", "$filter", "$orderby", "$top", "changetype"); f != nil {
		return deltaToken{}, fail(http.StatusBadRequest, "ErrorInvalidUrlQuery", "The following parameters are not supported with change tracking over the 'Messages' resource: "+
			strings.Join(slices.DeleteFunc(slices.Sorted(maps.Keys(c.query)), func(s string) bool {
				return slices.Contains([]string{"$select", "$expand", "$filter", "$orderby", "$top", "changetype"}, s)
			}), ", ")+".")
	}
	t := deltaToken{
		Folder: folderID(c.box, folder), Select: c.query["$select"], Expand: c.query["$expand"], Kind: c.query["changetype"], Filter: c.query["$filter"],
		First: true, At: c.box.LastChange(), Round: c.box.LastChange(),
	}
	var f *failure
	if t.Top, f = c.query.number("$top", 1, mostTop, 0); f != nil {
		return t, f
	}
	if !slices.Contains([]string{"", "created", "updated", "deleted"}, t.Kind) {
		return t, fail(http.StatusBadRequest, "ErrorInvalidUrlQuery", "The value of changeType is not valid.")
	}
	if by := c.query["$orderby"]; by != "" && !strings.EqualFold(strings.Join(strings.Fields(by), " "), "receivedDateTime desc") {
		return t, fail(http.StatusBadRequest, "ErrorInvalidUrlQuery", "Change tracking supports no $orderby but receivedDateTime desc.")
	}
	if t.Filter != "" {
		toks, err := filterTokens(t.Filter)
		if err != nil {
			return t, badFilter(err)
		}
		if len(toks) != 3 || toks[0].s != "receivedDateTime" || toks[1].s != "ge" && toks[1].s != "gt" {
			return t, fail(http.StatusBadRequest, "ErrorInvalidUrlQueryFilter", "Change tracking supports no $filter but receivedDateTime ge or gt.")
		}
		if _, err := filterTime(toks[2]); err != nil {
			return t, badFilter(err)
		}
	}
	return t, nil
}

// lost is the answer to a token that leads nowhere any more: the client has to
// begin again.
func (c *call) lost() *failure {
	f := fail(http.StatusGone, "syncStateNotFound", "The sync state generation is not found; a full synchronization is required.")
	f.location = c.s.GraphURL() + c.root + "/mailFolders('" + c.path[1] + "')/messages/delta"
	return f
}

// round is one page of a delta being made.
type round struct {
	call   *call
	token  deltaToken
	folder string
	want   shape
	match  matcher
	size   int
	rows   []map[string]any
}

// tell adds a row about a message that lies in the folder.
func (d *round) tell(m postoffice.Message) {
	if d.token.Filter != "" {
		if d.token.Told == mostFiltered {
			return
		}
		d.token.Told++
	}
	d.rows = append(d.rows, d.call.row(d.call.view(m), d.want))
}

// initial tells what lies in the folder, newest first. What changes meanwhile
// comes in the next round.
func (d *round) initial() (more bool) {
	if d.token.Kind == "updated" || d.token.Kind == "deleted" {
		d.token.First = false
		return false
	}
	var all []postoffice.Message
	for m := range d.call.box.Visible() {
		before := d.token.Before == 0 || m.Number < d.token.Before
		v := d.call.view(m)
		if before && v.folder == d.folder && d.match(v) {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b postoffice.Message) int { return cmp.Compare(b.Number, a.Number) })
	for i, m := range all {
		if i == d.size {
			d.token.Before = all[i-1].Number
			return true
		}
		d.tell(m)
	}
	d.token.First, d.token.Before = false, 0
	return false
}

// seen is what one page's changes mean for one message.
type seen struct {
	number  int64
	known   bool // was is
	was     bool // it lay in the folder before
	touched bool // it lay there at some time
}

// changes tells what changed since the token, up to a page.
func (d *round) changes() (more bool, f *failure) {
	c := d.call
	from := d.token.At
	if c.s.cfg.Beliefs.DeltaReplays && d.token.Round < from {
		from = d.token.Round
	}
	list, _, err := c.box.Changes(from, 0)
	if errors.Is(err, postoffice.ErrExpired) && from != d.token.At {
		list, _, err = c.box.Changes(d.token.At, 0)
	}
	if err != nil {
		return false, c.lost()
	}
	d.token.Round = d.token.At
	var order []*seen
	byNumber := make(map[int64]*seen)
	for i, ch := range list {
		s := byNumber[ch.Number]
		if s == nil {
			if len(order) == d.size {
				d.write(order)
				d.token.At = list[i-1].ID
				return true, nil
			}
			s = &seen{number: ch.Number}
			byNumber[ch.Number] = s
			order = append(order, s)
		}
		d.take(s, ch)
	}
	d.write(order)
	if n := len(list); n > 0 {
		d.token.At = max(d.token.At, list[n-1].ID)
	}
	return false, nil
}

// take notes one change.
func (d *round) take(s *seen, ch postoffice.Change) {
	before := ch.Labels
	switch ch.Kind {
	case postoffice.LabelAdded:
		before = slices.DeleteFunc(slices.Clone(ch.Labels), func(l string) bool { return l == ch.Label })
	case postoffice.LabelRemoved:
		before = append(slices.Clone(ch.Labels), ch.Label)
	}
	was := ch.Kind != postoffice.Added && folderOf(before) == d.folder
	is := ch.Kind != postoffice.Deleted && folderOf(ch.Labels) == d.folder
	if !s.known {
		s.was, s.known = was, true
	}
	s.touched = s.touched || was || is
}

// write makes rows of what changed.
func (d *round) write(list []*seen) {
	c := d.call
	kind := d.token.Kind
	for _, s := range list {
		m, ok := c.box.Message(s.number)
		v := c.view(m)
		switch {
		case ok && v.folder == d.folder && !m.VisibleAt.After(c.s.clock.Now()):
			if s.touched && (kind == "" || kind == "created" && !s.was || kind == "updated" && s.was) && d.match(v) {
				d.tell(m)
			}
		case s.touched && (s.was || !c.s.cfg.Beliefs.DeltaSkipsBrief) && (kind == "" || kind == "deleted"):
			d.rows = append(d.rows, map[string]any{"id": c.messageID(s.number, d.folder), "@removed": map[string]any{"reason": "deleted"}})
		}
	}
}
