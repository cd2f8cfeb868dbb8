package msgraphtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// graphRoutes serves Graph. Its paths are OData's, which no pattern of a
// ServeMux can say.
func (s *Server) graphRoutes(mux *http.ServeMux) { mux.HandleFunc("/", s.serveGraph) }

// segments takes a path of Graph apart: keys become segments of their own, and
// names get the spelling of the reference, since Graph doesn't look at their
// case.
func segments(u *url.URL) []string {
	var out []string
	for part := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
		part, _ = url.PathUnescape(part)
		name, key, keyed := strings.Cut(part, "(")
		if key, ok := strings.CutSuffix(key, ")"); keyed && ok && name != "" {
			out = append(out, name)
			if key = strings.Trim(key, "'"); key != "" {
				out = append(out, key)
			}
			continue
		}
		out = append(out, part)
	}
	at := 1
	if len(out) > 1 {
		out[0] = strings.ToLower(out[0])
		out[1] = spelled(out[1], "me", "users", "subscriptions")
		if at = 2; out[1] == "users" {
			at = 3
		}
	}
	for ; at < len(out); at += 2 { // a name, a key, a name
		out[at] = spelled(out[at], "sendMail", "messages", "mailFolders", "attachments", "delta", "$value")
		if at+1 < len(out) {
			out[at+1] = spelled(out[at+1], "delta", "$value")
		}
	}
	return out
}

func spelled(s string, names ...string) string {
	s = strings.TrimPrefix(s, "microsoft.graph.")
	for _, n := range names {
		if strings.EqualFold(s, n) {
			return n
		}
	}
	return s
}

// below returns what a path names of a mailbox, and whose.
func below(segs []string) (user string, rest []string) {
	switch {
	case len(segs) >= 2 && segs[0] == "v1.0" && segs[1] == "me":
		return "me", segs[2:]
	case len(segs) >= 3 && segs[0] == "v1.0" && segs[1] == "users":
		return segs[2], segs[3:]
	}
	return "", nil
}

// opOf names what a request to Graph asks for, as in Rule.Op.
func opOf(segs []string) string {
	user, rest := below(segs)
	n := len(rest)
	switch {
	case user == "" && len(segs) > 1 && segs[0] == "v1.0" && segs[1] == "subscriptions":
		return opOfSubscription(segs)
	case user == "":
		return "other"
	case n == 0:
		return "me"
	case rest[0] == "sendMail" && n == 1:
		return "sendMail"
	case rest[0] == "mailFolders" && n == 1:
		return "mailFolders.list"
	case rest[0] == "mailFolders" && n == 2:
		return "mailFolders.get"
	case rest[0] == "mailFolders":
		rest = rest[2:]
		n -= 2
	}
	switch {
	case rest[0] != "messages":
	case n == 1:
		return "messages.list"
	case n == 2 && rest[1] == "delta":
		return "delta"
	case n == 2:
		return "messages.get"
	case n == 3 && rest[2] == "$value":
		return "messages.value"
	case n == 3 && rest[2] == "attachments":
		return "attachments.list"
	case n == 4 && rest[2] == "attachments":
		return "attachments.get"
	case n == 5 && rest[2] == "attachments" && rest[4] == "$value":
		return "attachments.value"
	}
	return "other"
}

// classOf is how the books count requests of a kind.
func classOf(op string) postoffice.Request {
	switch op {
	case "sendMail":
		return postoffice.RequestSend
	case "messages.get":
		return postoffice.RequestEnvelope
	case "messages.value", "attachments.list", "attachments.get", "attachments.value":
		return postoffice.RequestContent
	case "messages.list":
		return postoffice.RequestSearch
	case "delta":
		return postoffice.RequestChanges
	}
	return postoffice.RequestOther
}

// stamp sets what every answer of Graph has.
func (s *Server) stamp(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.serial++
	id := guid(fmt.Sprint("request ", s.serial))
	s.mu.Unlock()
	h := w.Header()
	h.Set("Date", s.clock.Now().Format(http.TimeFormat))
	h.Set("request-id", id)
	h.Set("client-request-id", id)
	if own := r.Header.Get("client-request-id"); own != "" {
		h.Set("client-request-id", own)
	}
	h.Set("Cache-Control", "private")
}

// call is one request to Graph that may be served.
type call struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	op    string
	grant *grant
	box   *postoffice.Mailbox
	class postoffice.Request // how the books count it

	root    string   // the path of the mailbox, for links
	path    []string // below it
	query   options
	prefers preferences
}

// serveGraph checks token, mailbox, scope and options before it serves.
func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	segs := segments(r.URL)
	g, f := s.bearer(r)
	if f != nil {
		f.write(w)
		return
	}
	user, rest := below(segs)
	c := &call{s: s, w: w, r: r, op: opOf(segs), grant: g, box: g.mailbox, path: rest}
	c.class = classOf(c.op)
	defer func() { c.box.Count(c.class) }()
	if f := c.serve(user); f != nil {
		f.write(w)
	}
}

func (c *call) serve(user string) *failure {
	if strings.HasPrefix(c.op, opSubscription) {
		return c.subscriptions(segments(c.r.URL)[2:])
	}
	if user == "" || c.op == "other" {
		return badQuery("Resource not found for the segment '" + lastOf(segments(c.r.URL)) + "'.")
	}
	c.root = "/v1.0/me"
	if user != "me" {
		c.root = "/v1.0/users('" + user + "')"
	}
	if user != "me" && user != c.grant.person.object && !strings.EqualFold(user, c.grant.person.upn) && !c.box.Owns(user) {
		if c.op == "me" {
			return fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		}
		return denied()
	}
	want := http.MethodGet
	if c.op == "sendMail" {
		want = http.MethodPost
	}
	if c.r.Method != want {
		return fail(http.StatusMethodNotAllowed, "BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	if !c.allowed() {
		if c.op == "me" {
			return fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		}
		return denied()
	}
	var f *failure
	if c.query, f = parseOptions(c.r.URL.RawQuery); f != nil {
		return f
	}
	c.prefers = parsePrefer(c.r.Header.Values("Prefer"))
	switch c.op {
	case "me":
		return c.me()
	case "sendMail":
		return c.sendMail()
	case "mailFolders.list":
		return c.listFolders()
	case "mailFolders.get":
		return c.getFolder()
	case "messages.list":
		return c.list()
	case "delta":
		return c.delta()
	case "messages.get":
		return c.get()
	case "messages.value":
		return c.value()
	}
	return c.attachments()
}

func lastOf(segs []string) string { return segs[len(segs)-1] }

func denied() *failure {
	return fail(http.StatusForbidden, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
}

// allowed reports whether the token's scopes cover the request
// (https://learn.microsoft.com/graph/permissions-reference).
func (c *call) allowed() bool {
	switch c.op {
	case "me":
		return c.has("User.Read")
	case "sendMail":
		return c.has("Mail.Send")
	case "messages.value", "attachments.list", "attachments.get", "attachments.value":
		return !c.basic() && c.reads()
	}
	return c.reads()
}

func (c *call) has(scope string) bool { return slices.Contains(c.grant.scopes, scope) }

func (c *call) reads() bool { return c.basic() || c.has("Mail.Read") || c.has("Mail.ReadWrite") }

// basic reports whether the token reads nothing but what Mail.ReadBasic gives.
func (c *call) basic() bool {
	return c.has("Mail.ReadBasic") && !c.has("Mail.Read") && !c.has("Mail.ReadWrite")
}

// ok answers with an object.
func (c *call) ok(context string, v map[string]any) {
	v["@odata.context"] = c.s.GraphURL() + "/v1.0/$metadata#" + context
	if len(c.prefers.applied) > 0 {
		c.w.Header().Set("Preference-Applied", strings.Join(c.prefers.applied, ", "))
	}
	writeJSON(c.w, http.StatusOK, v)
}

// users is how contexts name the mailbox.
func (c *call) users() string { return "users('" + c.grant.person.object + "')" }

// MessageID is the immutable id that Graph gives a message of the office.
func MessageID(m postoffice.Message) string { return immutableID(m.Number) }

// Ref is the provider.Ref of a message of the office.
func Ref(m postoffice.Message) provider.Ref { return provider.Ref(MessageID(m)) }
