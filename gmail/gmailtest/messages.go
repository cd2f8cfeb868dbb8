package gmailtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

func (c *call) getProfile() {
	c.box.Count(postoffice.RequestOther)
	total := 0
	threads := make(map[int64]bool)
	for m := range c.box.Visible() {
		total++
		threads[m.Thread] = true
	}
	c.ok(map[string]any{
		"emailAddress": c.box.Address(), "messagesTotal": total, "threadsTotal": len(threads), "historyId": historyID(c.box.LastChange()),
	})
}

// send takes a mail. The answer has ids and labels, and no header.
func (c *call) send() {
	c.box.Count(postoffice.RequestSend)
	body, err := io.ReadAll(c.r.Body)
	var in struct {
		Raw      string `json:"raw"`
		ThreadID string `json:"threadId"`
	}
	if err != nil || json.Unmarshal(body, &in) != nil {
		c.fail(http.StatusBadRequest, "parseError", "INVALID_ARGUMENT", "Parse Error")
		return
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(in.Raw, "="))
	if err != nil || len(raw) == 0 {
		c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "'raw' RFC822 payload message string or uploading message via /upload/* URL required")
		return
	}
	if len(raw) > 36_700_160 {
		c.fail(http.StatusRequestEntityTooLarge, "uploadTooLarge", "", "Message too large")
		return
	}
	p := postoffice.SubmitParams{Raw: raw}
	if in.ThreadID != "" {
		if p.Thread = numberOf(in.ThreadID); p.Thread == 0 {
			c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "Invalid thread_id value")
			return
		}
	}
	msg, err := c.box.Submit(p)
	switch {
	case errors.Is(err, postoffice.ErrNoThread):
		c.fail(http.StatusNotFound, "notFound", "NOT_FOUND", "Requested entity was not found.")
	case errors.Is(err, postoffice.ErrNoRecipients):
		c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "Recipient address required")
	case err != nil:
		c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "Invalid From header")
	default:
		out := map[string]any{"labelIds": []string{"SENT"}}
		if msg.Number != 0 {
			out = map[string]any{"id": messageID(msg.Number), "threadId": messageID(msg.Thread), "labelIds": labelIDs(msg.Labels)}
		}
		c.ok(out)
	}
}

// find returns a visible message; nil after answering with a 404.
func (c *call) find(id string) *postoffice.Message {
	msg, ok := c.box.Message(numberOf(id))
	if !ok || msg.VisibleAt.After(c.s.clock.Now()) {
		c.fail(http.StatusNotFound, "notFound", "NOT_FOUND", "Requested entity was not found.")
		return nil
	}
	return &msg
}

func (c *call) get() {
	q := c.r.URL.Query()
	format := cmp.Or(q.Get("format"), "full")
	if c.metadata() && (format == "full" || format == "raw") {
		c.box.Count(postoffice.RequestOther)
		c.fail(http.StatusForbidden, "forbidden", "PERMISSION_DENIED", "Metadata scope doesn't allow format "+strings.ToUpper(format))
		return
	}
	msg := c.find(c.r.PathValue("id"))
	if msg == nil {
		c.box.Count(postoffice.RequestOther)
		return
	}
	v := c.message(msg, format, q["metadataHeaders"])
	if f := q.Get("fields"); f != "" {
		tree, err := parseFields(f)
		if err != nil {
			c.ok(v) // which refuses the parameter
			return
		}
		v = tree.cut(v)
	}
	c.book(msg, v)
	writeJSON(c.w, http.StatusOK, v)
}

// book counts what of the message is in an answer.
func (c *call) book(msg *postoffice.Message, v map[string]any) {
	_, snippet := v["snippet"]
	_, raw := v["raw"]
	payload, _ := v["payload"].(map[string]any)
	_, body := payload["body"]
	_, parts := payload["parts"]
	_, headers := payload["headers"]
	switch {
	case raw || body || parts:
		c.box.Count(postoffice.RequestContent)
	case headers || snippet:
		c.box.Count(postoffice.RequestEnvelope)
	default:
		c.box.Count(postoffice.RequestOther)
	}
	if raw || body || parts || snippet {
		c.box.CountContent(msg.Number)
	}
	if headers {
		c.box.CountEnvelope(msg.Number)
	}
}

// message writes a message in one of the API's formats.
func (c *call) message(msg *postoffice.Message, format string, names []string) map[string]any {
	v := map[string]any{
		"id": messageID(msg.Number), "threadId": messageID(msg.Thread), "labelIds": labelIDs(msg.Labels),
		"internalDate": strconv.FormatInt(msg.Received.UnixMilli(), 10), "sizeEstimate": len(msg.Raw),
		"historyId": historyID(c.box.LastChange()),
	}
	if !c.metadata() {
		v["snippet"] = snippet(msg.Raw)
	}
	switch format {
	case "raw":
		v["raw"] = base64.URLEncoding.EncodeToString(msg.Raw)
	case "metadata":
		v["payload"] = map[string]any{"headers": headersOf(msg.Raw, names), "mimeType": mimeType(msg.Raw)}
	case "full":
		v["payload"] = payload(msg.Raw)
	}
	return v
}

func headersOf(raw []byte, names []string) []map[string]any {
	fields, _ := postoffice.Split(raw)
	out := []map[string]any{}
	for _, f := range fields {
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) }) {
			out = append(out, map[string]any{"name": f.Name, "value": f.Value})
		}
	}
	return out
}

func mimeType(raw []byte) string {
	for _, h := range headersOf(raw, []string{"Content-Type"}) {
		ct, _, _ := strings.Cut(h["value"].(string), ";")
		return strings.ToLower(strings.TrimSpace(ct))
	}
	return "text/plain"
}

func snippet(raw []byte) string {
	msg, _ := mimemsg.Read(raw)
	text := strings.Join(strings.Fields(msg.Text), " ")
	if r := []rune(text); len(r) > 100 {
		text = string(r[:100])
	}
	return text
}

// payload is the parsed form: text, HTML, and attachments by id.
func payload(raw []byte) map[string]any {
	msg, _ := mimemsg.Read(raw)
	var parts []map[string]any
	add := func(part, mime, name string, body map[string]any) {
		parts = append(parts, map[string]any{"partId": part, "mimeType": mime, "filename": name, "headers": []map[string]any{}, "body": body})
	}
	if msg.Text != "" {
		add("0", "text/plain", "", data(msg.Text))
	}
	if msg.HTML != "" {
		add("1", "text/html", "", data(msg.HTML))
	}
	for _, a := range msg.Attachments {
		add(a.Part, a.ContentType, a.Name, map[string]any{"attachmentId": attachmentID(a.Part), "size": a.Size})
	}
	v := map[string]any{"partId": "", "mimeType": mimeType(raw), "filename": "", "headers": headersOf(raw, nil), "body": map[string]any{"size": 0}}
	if parts != nil {
		v["parts"] = parts
	}
	return v
}

func data(s string) map[string]any {
	return map[string]any{"size": len(s), "data": base64.URLEncoding.EncodeToString([]byte(s))}
}

func attachmentID(part string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("part " + part))
}

func (c *call) attachment() {
	c.box.Count(postoffice.RequestContent)
	msg := c.find(c.r.PathValue("id"))
	if msg == nil {
		return
	}
	name, err := base64.RawURLEncoding.DecodeString(c.r.PathValue("part"))
	part, ok := strings.CutPrefix(string(name), "part ")
	if err != nil || !ok {
		c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "Invalid attachment token")
		return
	}
	body, err := mimemsg.OpenPart(msg.Raw, part)
	if err != nil {
		c.fail(http.StatusNotFound, "notFound", "NOT_FOUND", "Requested entity was not found.")
		return
	}
	b, _ := io.ReadAll(body)
	c.box.CountContent(msg.Number)
	c.ok(map[string]any{"size": len(b), "data": base64.URLEncoding.EncodeToString(b)})
}

func (c *call) list() {
	c.box.Count(postoffice.RequestSearch)
	q := c.r.URL.Query()
	if c.metadata() && q.Has("q") {
		c.fail(http.StatusForbidden, "forbidden", "PERMISSION_DENIED", "Metadata scope does not support 'q' parameter")
		return
	}
	match, err := parseQuery(q.Get("q"))
	if err != nil {
		c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "Invalid query")
		return
	}
	size, offset, ok := paging(q.Get("maxResults"), q.Get("pageToken"), 100)
	if !ok {
		c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "Invalid pageToken")
		return
	}
	var hits []postoffice.Message
	for m := range c.box.Visible() {
		if q.Get("includeSpamTrash") != "true" && (m.Has(postoffice.LabelJunk) || m.Has(postoffice.LabelTrash)) {
			continue
		}
		if !match(&m) {
			continue
		}
		labels := labelIDs(m.Labels)
		if slices.ContainsFunc(q["labelIds"], func(l string) bool { return !slices.Contains(labels, l) }) {
			continue
		}
		hits = append(hits, m)
	}
	slices.SortStableFunc(hits, func(a, b postoffice.Message) int { return b.Received.Compare(a.Received) })
	v := map[string]any{"resultSizeEstimate": len(hits)}
	hits = hits[min(offset, len(hits)):]
	if len(hits) > size {
		v["nextPageToken"] = pageToken(offset + size)
		hits = hits[:size]
	}
	if len(hits) > 0 {
		rows := make([]map[string]any, len(hits))
		for i, m := range hits {
			rows[i] = map[string]any{"id": messageID(m.Number), "threadId": messageID(m.Thread)}
		}
		v["messages"] = rows
	}
	c.ok(v)
}

// paging reads the page's size and where it begins.
func paging(size, token string, def int) (n, offset int, ok bool) {
	n = def
	if size != "" {
		v, err := strconv.Atoi(size)
		if err != nil || v < 1 {
			return 0, 0, false
		}
		n = min(v, 500)
	}
	if token != "" {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return 0, 0, false
		}
		if offset, err = strconv.Atoi(strings.TrimPrefix(string(b), "page ")); err != nil || offset < 0 {
			return 0, 0, false
		}
	}
	return n, offset, true
}

func pageToken(offset int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("page " + strconv.Itoa(offset)))
}

func (c *call) thread() {
	q := c.r.URL.Query()
	format := cmp.Or(q.Get("format"), "full")
	if c.metadata() && format == "full" {
		c.box.Count(postoffice.RequestOther)
		c.fail(http.StatusForbidden, "forbidden", "PERMISSION_DENIED", "Metadata scope doesn't allow format FULL")
		return
	}
	msgs := c.box.Thread(numberOf(c.r.PathValue("id")))
	if len(msgs) == 0 {
		c.box.Count(postoffice.RequestOther)
		c.fail(http.StatusNotFound, "notFound", "NOT_FOUND", "Requested entity was not found.")
		return
	}
	rows := make([]map[string]any, len(msgs))
	for i := range msgs {
		rows[i] = c.message(&msgs[i], format, q["metadataHeaders"])
	}
	v := map[string]any{"id": c.r.PathValue("id"), "historyId": historyID(c.box.LastChange()), "messages": rows}
	if f := q.Get("fields"); f != "" {
		if tree, err := parseFields(f); err == nil { // what can't be parsed is refused below
			v = tree.cut(v)
			rows, _ = v["messages"].([]map[string]any)
		}
	}
	for i := range rows {
		c.book(&msgs[i], rows[i])
	}
	c.ok(v)
}

func (c *call) labels() {
	c.box.Count(postoffice.RequestOther)
	var rows []map[string]any
	for _, l := range []string{"INBOX", "SENT", "DRAFT", "SPAM", "TRASH", "UNREAD", "STARRED", "IMPORTANT"} {
		rows = append(rows, map[string]any{"id": l, "name": l, "type": "system"})
	}
	c.ok(map[string]any{"labels": rows})
}

func (c *call) sendAs() {
	c.box.Count(postoffice.RequestOther)
	var rows []map[string]any
	add := func(addr, status string, alias bool) {
		primary := len(rows) == 0
		row := map[string]any{"sendAsEmail": addr, "displayName": c.box.Name(), "isPrimary": primary, "isDefault": primary, "treatAsAlias": alias}
		if !primary {
			row["verificationStatus"] = status
		}
		rows = append(rows, row)
	}
	for i, a := range c.box.Addresses() {
		add(a, "accepted", i > 0)
	}
	for _, a := range c.box.Senders() {
		add(a, "accepted", false)
	}
	for _, a := range c.s.cfg.PendingSenders[c.box.Address()] {
		add(a, "pending", false)
	}
	c.ok(map[string]any{"sendAs": rows})
}

// Ref is the provider.Ref of a message of the office.
func Ref(m postoffice.Message) provider.Ref { return provider.Ref(messageID(m.Number)) }
