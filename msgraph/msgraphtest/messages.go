package msgraphtest

import (
	"cmp"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// The sizes of pages of messages (https://learn.microsoft.com/graph/api/user-list-messages).
const (
	listPage  = 10
	mostTop   = 1000
	mostFound = 1000 // messages of a $search
)

func (c *call) get() *failure {
	if f := c.query.only("$select", "$expand"); f != nil {
		return f
	}
	want, f := c.shape(c.query)
	if f != nil {
		return f
	}
	if slices.ContainsFunc(want.properties, func(p property) bool { return p.kind == isContent }) || want.files {
		c.class = postoffice.RequestContent
	}
	msg, f := c.message()
	if f != nil {
		return f
	}
	c.ok(c.users()+"/messages/$entity", c.row(c.view(msg), want))
	return nil
}

// message finds what the path names, in the folder that it names, if it does.
func (c *call) message() (postoffice.Message, *failure) {
	path := c.path
	within := ""
	if path[0] == "mailFolders" {
		name, f := c.folder(path[1])
		if f != nil {
			return postoffice.Message{}, f
		}
		within, path = name, path[2:]
	}
	msg, f := c.find(path[1])
	if f == nil && within != "" && within != folderOf(msg.Labels) {
		f = fail(http.StatusNotFound, "ErrorItemNotFound", "The specified object was not found in the store.")
	}
	return msg, f
}

// value answers with the message as MIME.
func (c *call) value() *failure {
	if f := c.query.only(); f != nil {
		return f
	}
	msg, f := c.message()
	if f != nil {
		return f
	}
	c.box.CountEnvelope(msg.Number)
	c.box.CountContent(msg.Number)
	c.w.Header().Set("Content-Type", "text/plain")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(msg.Raw)
	return nil
}

// paging reads $top, $skip and $count.
func (c *call) paging(size int) (top, skip int, count bool, f *failure) {
	if top, f = c.query.number("$top", 1, mostTop, size); f == nil {
		if skip, f = c.query.number("$skip", 0, 1<<30, 0); f == nil {
			count, f = c.query.flag("$count")
		}
	}
	if c.prefers.page > 0 && c.query["$top"] == "" {
		top = min(c.prefers.page, mostTop)
	}
	return c.page(top), skip, count, f
}

// link is the URL of the request with other options.
func (c *call) link(changed map[string]string) string {
	q := make(url.Values)
	for name, v := range c.query {
		q.Set(name, v)
	}
	for name, v := range changed {
		q.Set(name, v)
	}
	return c.s.GraphURL() + c.r.URL.EscapedPath() + "?" + q.Encode()
}

// list lists messages of one folder or of all.
func (c *call) list() *failure {
	if f := c.query.only("$select", "$expand", "$filter", "$search", "$orderby", "$top", "$skip", "$skiptoken", "$count"); f != nil {
		return f
	}
	want, f := c.shape(c.query)
	if f != nil {
		return f
	}
	within := ""
	if c.path[0] == "mailFolders" {
		if within, f = c.folder(c.path[1]); f != nil {
			return f
		}
	}
	match, f := c.matching()
	if f != nil {
		return f
	}
	before, f := c.ordering()
	if f != nil {
		return f
	}
	_, searched := c.query["$search"]
	var hits []*view
	for v := range c.lying(within) {
		if (within == "" || within == v.folder) && match(v) {
			hits = append(hits, v)
		}
	}
	slices.SortStableFunc(hits, before)
	if searched {
		hits = hits[:min(len(hits), mostFound)]
	}
	size, skip, count, f := c.paging(listPage)
	if f != nil {
		return f
	}
	pageBy := "$skip"
	if searched { // which pages by links alone
		pageBy = "$skiptoken"
	}
	if token, ok := c.query["$skiptoken"]; ok {
		n, _, valid := readID(pageMark, token)
		if !valid || !searched {
			return badQuery("The value of $skiptoken is not valid.")
		}
		skip = int(n)
	}
	out := map[string]any{}
	if count {
		out["@odata.count"] = len(hits)
	}
	hits = hits[min(skip, len(hits)):]
	if len(hits) > size {
		next := number(skip + size)
		if searched {
			next = makeID(pageMark, int64(skip+size), 0)
		}
		out["@odata.nextLink"] = c.link(map[string]string{pageBy: next})
		hits = hits[:size]
	}
	rows := make([]map[string]any, len(hits))
	for i, v := range hits {
		rows[i] = c.row(v, want)
	}
	out["value"] = rows
	c.ok(c.users()+"/messages", out)
	return nil
}

// lying yields what may lie in a folder: of the mailbox, or of what was purged
// and can be recovered, which is in no other.
func (c *call) lying(within string) iter.Seq[*view] {
	return func(yield func(*view) bool) {
		if id, ok := c.oneID(); ok && within != recoverableFolder {
			for _, m := range slices.Backward(c.box.ByMessageID(id)) {
				if !yield(c.view(m)) {
					return
				}
			}
			return
		}
		if since := c.since(); within != recoverableFolder {
			for m := range c.box.Visible() {
				if m.Received.Before(since) {
					continue
				}
				if !yield(c.view(m)) {
					return
				}
			}
			return
		}
		for _, m := range slices.Backward(c.box.Purged()) {
			v := c.view(m)
			if v.folder = recoverableFolder; !yield(v) {
				return
			}
		}
	}
}

// oneID is the Message-ID that a $filter asks for and nothing else: a look at
// each message of a large mailbox would take long.
func (c *call) oneID() (string, bool) {
	id, asked := strings.CutPrefix(c.query["$filter"], "internetMessageId eq '")
	id, whole := strings.CutSuffix(id, "'")
	return id, asked && whole && !strings.Contains(id, "'")
}

// since is the time of receipt that a $filter or a $search asks for first and
// in any case, or zero. What came before it needs no closer look.
func (c *call) since() time.Time {
	layout, or := time.RFC3339, "or "
	rest, ok := strings.CutPrefix(c.query["$filter"], "receivedDateTime ge ")
	if !ok {
		layout, or = time.DateOnly, "OR "
		if rest, ok = strings.CutPrefix(c.query["$search"], `"received>=`); !ok {
			return time.Time{}
		}
	}
	stamp, rest, _ := strings.Cut(rest, " ")
	depth := 0
	for i := range len(rest) {
		switch {
		case rest[i] == '(':
			depth++
		case rest[i] == ')':
			depth--
		case depth <= 0 && strings.HasPrefix(rest[i:], or):
			return time.Time{}
		}
	}
	t, err := time.Parse(layout, stamp)
	if err != nil {
		return time.Time{}
	}
	return t
}

// matching reads $filter and $search.
func (c *call) matching() (matcher, *failure) {
	text, filtered := c.query["$filter"]
	search, searched := c.query["$search"]
	switch {
	case searched && filtered:
		return nil, fail(http.StatusBadRequest, "SearchWithFilter", "The query parameter '$filter' is not supported with '$search'.")
	case searched && c.query["$orderby"] != "":
		return nil, fail(http.StatusBadRequest, "SearchWithOrderBy", "The query parameter '$orderby' is not supported with '$search'.")
	case searched && c.query["$skip"] != "":
		return nil, badQuery("The query parameter '$skip' is not supported with '$search'.")
	case searched && c.basic():
		return nil, denied()
	case searched:
		m, err := parseSearch(search)
		if err != nil {
			return nil, badQuery("Syntax error: the search is not well-formed KQL.")
		}
		return m, nil
	case !filtered:
		return func(*view) bool { return true }, nil
	}
	parsed, err := parseFilter(text)
	switch {
	case err != nil:
		return nil, badFilter(err)
	case parsed.extended && c.basic():
		return nil, denied()
	}
	// What asks only when is how a client reads on where its feed ended.
	if c.path[0] == "messages" && !parsed.extended && slices.Equal(parsed.properties, []string{"receivedDateTime"}) {
		c.class = postoffice.RequestChanges
	}
	if by := c.orderProperties(); len(by) > 0 {
		// https://learn.microsoft.com/graph/api/user-list-messages#using-filter-and-orderby-in-the-same-query
		if parsed.extended || len(parsed.properties) < len(by) || !slices.Equal(parsed.properties[:len(by)], by) {
			return nil, tooComplex()
		}
	}
	return parsed.match, nil
}

func (c *call) orderProperties() []string {
	var out []string
	for _, term := range c.query.list("$orderby") {
		name, _, _ := strings.Cut(term, " ")
		out = append(out, name)
	}
	return out
}

// ordering reads $orderby; without one the newest come first.
func (c *call) ordering() (func(a, b *view) int, *failure) {
	terms := c.query.list("$orderby")
	if len(terms) == 0 {
		return func(a, b *view) int { return b.msg.Received.Compare(a.msg.Received) }, nil
	}
	var orders []func(a, b *view) int
	for _, term := range terms {
		name, direction, _ := strings.Cut(term, " ")
		sign := 1
		switch strings.TrimSpace(direction) {
		case "", "asc":
		case "desc":
			sign = -1
		default:
			return nil, badQuery("Syntax error in the $orderby query option.")
		}
		if get, ok := timeProperty(name); ok {
			orders = append(orders, func(a, b *view) int { return sign * get(a).Compare(get(b)) })
			continue
		}
		get, ok := textProperty(name)
		if !ok {
			return nil, noProperty(name, "microsoft.graph.message")
		}
		orders = append(orders, func(a, b *view) int { return sign * cmp.Compare(strings.ToLower(get(a)), strings.ToLower(get(b))) })
	}
	return func(a, b *view) int {
		for _, o := range orders {
			if n := o(a, b); n != 0 {
				return n
			}
		}
		return 0
	}, nil
}
