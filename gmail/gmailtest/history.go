package gmailtest

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// historyBase keeps history ids apart from every other number.
const historyBase = 4_000_000

func historyID(change int64) string { return strconv.FormatInt(historyBase+change, 10) }

// history lists the changes after startHistoryId, oldest first. A start that
// the log no longer reaches, or that was never given out, is a 404.
func (c *call) history() {
	c.box.Count(postoffice.RequestChanges)
	q := c.r.URL.Query()
	start, err := strconv.ParseInt(q.Get("startHistoryId"), 10, 64)
	if err != nil {
		c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "Invalid startHistoryId")
		return
	}
	size, from, ok := paging(q.Get("maxResults"), q.Get("pageToken"), 100)
	if !ok {
		c.fail(http.StatusBadRequest, "invalidArgument", "INVALID_ARGUMENT", "Invalid pageToken")
		return
	}
	after := start - historyBase
	if from > 0 {
		after = int64(from)
	}
	latest := c.box.LastChange()
	var records []map[string]any
	v := map[string]any{}
	for {
		changes, more, err := c.box.Changes(after, 1000)
		if err != nil || start < historyBase {
			c.fail(http.StatusNotFound, "notFound", "NOT_FOUND", "Requested entity was not found.")
			return
		}
		for _, ch := range changes {
			after = ch.ID
			rec := c.record(ch, q["historyTypes"], q.Get("labelId"))
			if rec == nil {
				continue
			}
			if len(records) == size {
				v["nextPageToken"] = pageToken(int(ch.ID) - 1)
				more = false
				break
			}
			records = append(records, rec)
		}
		if !more {
			break
		}
	}
	v["historyId"] = historyID(latest)
	if records != nil {
		v["history"] = records
	}
	c.ok(v)
}

// record writes one change, or nil if the request's filters leave it out.
func (c *call) record(ch postoffice.Change, types []string, label string) map[string]any {
	kind, key := historyKind(ch.Kind)
	if len(types) > 0 && !slices.Contains(types, kind) {
		return nil
	}
	labels := labelIDs(ch.Labels)
	if label != "" && !slices.Contains(labels, label) {
		return nil
	}
	ids := map[string]any{"id": messageID(ch.Number), "threadId": messageID(ch.Thread)}
	nested := map[string]any{"id": ids["id"], "threadId": ids["threadId"]}
	if !c.s.cfg.Beliefs.HistoryWithoutLabels || key == "labelsAdded" || key == "labelsRemoved" {
		nested["labelIds"] = labels
	}
	event := map[string]any{"message": nested}
	if key == "labelsAdded" || key == "labelsRemoved" {
		event["labelIds"] = labelIDs([]string{ch.Label})
	}
	return map[string]any{"id": historyID(ch.ID), "messages": []map[string]any{ids}, key: []map[string]any{event}}
}

func historyKind(k postoffice.ChangeKind) (kind, key string) {
	switch k {
	case postoffice.Deleted:
		return "messageDeleted", "messagesDeleted"
	case postoffice.LabelAdded:
		return "labelAdded", "labelsAdded"
	case postoffice.LabelRemoved:
		return "labelRemoved", "labelsRemoved"
	}
	return "messageAdded", "messagesAdded"
}
