package gmailtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/outreachkit/outreach/provider/postoffice"
)

const scopeBase = "https://www.googleapis.com/auth/gmail."

// scopesOf are the scopes that each method takes, as Google's discovery file
// (gmail v1, revision 20261005) lists them, by their ends.
var scopesOf = map[string][]string{
	"getProfile":               {"full", "compose", "metadata", "modify", "readonly"},
	"messages.send":            {"full", "compose", "modify", "send"},
	"messages.list":            {"full", "metadata", "modify", "readonly"},
	"messages.get":             {"full", "metadata", "modify", "readonly"},
	"messages.attachments.get": {"full", "modify", "readonly"},
	"threads.get":              {"full", "metadata", "modify", "readonly"},
	"history.list":             {"full", "metadata", "modify", "readonly"},
	"labels.list":              {"full", "labels", "metadata", "modify", "readonly"},
	"settings.sendAs.list":     {"full", "modify", "readonly", "settings.basic"},
	"watch":                    {"full", "metadata", "modify", "readonly"},
	"stop":                     {"full", "metadata", "modify", "readonly"},
}

// call is one request to the Gmail API that may be served.
type call struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	box   *postoffice.Mailbox
	grant *grant
}

// api checks token, user and scope before it serves.
func (s *Server) api(w http.ResponseWriter, r *http.Request, op string, h func(*call)) {
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	t := s.access[name]
	good := ok && t != nil && t.grant.dead == "" && t.ends.After(s.clock.Now())
	s.mu.Unlock()
	if !good {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
		apiError(w, http.StatusUnauthorized, "authError", "UNAUTHENTICATED", "Request had invalid authentication credentials.")
		return
	}
	c := &call{s: s, w: w, r: r, box: t.grant.box, grant: t.grant}
	if user := r.PathValue("user"); user != "me" && !c.box.Owns(user) {
		c.fail(http.StatusForbidden, "forbidden", "PERMISSION_DENIED", "Delegation denied for "+c.box.Address())
		return
	}
	if !c.allowed(scopesOf[op]) {
		c.fail(http.StatusForbidden, "insufficientPermissions", "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
		return
	}
	h(c)
}

func (c *call) allowed(ends []string) bool {
	return slices.ContainsFunc(ends, c.has)
}

// has reports whether the token bears a scope, named by its end.
func (c *call) has(end string) bool {
	if end == "full" {
		return slices.Contains(c.grant.scopes, "https://mail.google.com/")
	}
	return slices.Contains(c.grant.scopes, scopeBase+end)
}

// metadata reports whether Gmail treats the token as metadata: gmail.metadata
// spoils wider scopes beside it.
func (c *call) metadata() bool { return c.has("metadata") }

func (c *call) fail(status int, reason, state, message string) {
	apiError(c.w, status, reason, state, message)
}

// ok answers with v, cut down to what the fields parameter names.
func (c *call) ok(v map[string]any) {
	if f := c.r.URL.Query().Get("fields"); f != "" {
		tree, err := parseFields(f)
		if err != nil {
			c.fail(http.StatusBadRequest, "invalidParameter", "INVALID_ARGUMENT", "Invalid field selection "+strconv.Quote(f))
			return
		}
		v = tree.cut(v)
	}
	writeJSON(c.w, http.StatusOK, v)
}

// apiError answers in the form of Google's APIs.
func apiError(w http.ResponseWriter, status int, reason, state, message string) {
	if message == "" {
		message = http.StatusText(status)
	}
	domain := "global"
	if strings.Contains(reason, "RateLimit") || strings.Contains(reason, "rateLimit") || strings.Contains(reason, "Quota") || reason == "dailyLimitExceeded" {
		domain = "usageLimits"
	}
	body := map[string]any{
		"code": status, "message": message,
		"errors": []map[string]any{{"message": message, "domain": domain, "reason": reason}},
	}
	if state != "" {
		body["status"] = state
	}
	writeJSON(w, status, map[string]any{"error": body})
}

// ids. A message's is 16 hex digits; a thread's is that of its first message.
const idBase = 0x1987_0000_0000_0000

func messageID(number int64) string { return fmt.Sprintf("%016x", idBase+number) }

// numberOf reads an id; zero is none.
func numberOf(id string) int64 {
	n, err := strconv.ParseInt(id, 16, 64)
	if err != nil || n <= idBase || len(id) != 16 {
		return 0
	}
	return n - idBase
}

// MessageID is the id that the API gives a message of the office.
func MessageID(m postoffice.Message) string { return messageID(m.Number) }

// labelIDs are a message's labels in the API's words.
func labelIDs(labels []string) []string {
	out := make([]string, 0, len(labels))
	for _, l := range labels {
		if system, ok := systemLabels[l]; ok {
			out = append(out, system)
		} else {
			out = append(out, "Label_"+l)
		}
	}
	return out
}

var systemLabels = map[string]string{
	postoffice.LabelInbox: "INBOX", postoffice.LabelSent: "SENT", postoffice.LabelDraft: "DRAFT", postoffice.LabelOutbox: "DRAFT",
	postoffice.LabelJunk: "SPAM", postoffice.LabelTrash: "TRASH",
}
