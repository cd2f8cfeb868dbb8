package msgraphtest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// LabelRead is the label of a message that was read. It is no folder.
const LabelRead = "read"

// folder is a folder that every mailbox has.
type folder struct {
	label   string // of the office; the Archive has none
	name    string // by which Graph knows it too
	display string
}

// wellKnown lists them, in the order in which a label decides where a message
// lies (https://learn.microsoft.com/graph/api/resources/mailfolder).
func wellKnown() []folder {
	return []folder{
		{postoffice.LabelTrash, "deleteditems", "Deleted Items"}, {postoffice.LabelJunk, "junkemail", "Junk Email"},
		{postoffice.LabelDraft, "drafts", "Drafts"}, {postoffice.LabelOutbox, "outbox", "Outbox"},
		{postoffice.LabelSent, "sentitems", "Sent Items"}, {postoffice.LabelInbox, "inbox", "Inbox"},
		{"", "archive", "Archive"},
	}
}

// The names of folders that Graph treats in a way of their own.
const (
	draftsFolder  = "drafts"
	outboxFolder  = "outbox"
	archiveFolder = "archive"
	rootFolder    = "msgfolderroot"

	recoverableFolder = "recoverableitemsdeletions" // no list shows it
)

// ownFolder begins the names of folders that users made.
const ownFolder = "folder "

// folderOf is the name of the folder in which a message with these labels
// lies: that of a well-known label, else of the first label of the user's own.
func folderOf(labels []string) string {
	for _, f := range wellKnown() {
		if f.label != "" && slices.Contains(labels, f.label) {
			return f.name
		}
	}
	for _, l := range labels {
		if l != LabelRead {
			return ownFolder + l
		}
	}
	return archiveFolder
}

// categoriesOf are the labels that are no folder.
func categoriesOf(labels []string) []string {
	at := folderOf(labels)
	out := []string{}
	for _, l := range labels {
		known := l == LabelRead || ownFolder+l == at
		for _, f := range wellKnown() {
			known = known || f.label == l
		}
		if !known {
			out = append(out, l)
		}
	}
	return out
}

// folders returns the names of all folders of the mailbox, the well-known
// ones first.
func (c *call) folders() []string {
	var out []string
	for _, f := range wellKnown() {
		out = append(out, f.name)
	}
	n := len(out)
	for m := range c.box.Visible() {
		if name := folderOf(m.Labels); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out[n:])
	return out
}

// folder returns the name of the folder that an id or a well-known name is for.
func (c *call) folder(id string) (string, *failure) {
	for _, f := range wellKnown() {
		if strings.EqualFold(id, f.name) {
			return f.name, nil
		}
	}
	for _, name := range []string{rootFolder, recoverableFolder} {
		if strings.EqualFold(id, name) {
			return name, nil
		}
	}
	if _, _, ok := readID(folderMark, id); !ok {
		return "", fail(http.StatusBadRequest, "ErrorInvalidIdMalformed", "Id is malformed.")
	}
	for _, name := range append(c.folders(), rootFolder, recoverableFolder) {
		if folderID(c.box, name) == id {
			return name, nil
		}
	}
	return "", fail(http.StatusNotFound, "ErrorItemNotFound", "The specified object was not found in the store.")
}

// folderRow describes folders as Graph does.
func (c *call) folderRow(name string) map[string]any {
	display := strings.TrimPrefix(name, ownFolder)
	for _, f := range wellKnown() {
		if f.name == name {
			display = f.display
		}
	}
	total, unread, children := 0, 0, 0
	for m := range c.box.Visible() {
		if folderOf(m.Labels) == name {
			total++
			if !isRead(m) {
				unread++
			}
		}
	}
	switch name {
	case recoverableFolder:
		display = "Deletions"
		for _, m := range c.box.Purged() {
			total++
			if !isRead(m) {
				unread++
			}
		}
	case rootFolder:
		display, children = "Top of Information Store", len(c.folders())
	}
	return map[string]any{
		"id": folderID(c.box, name), "displayName": display, "parentFolderId": folderID(c.box, rootFolder),
		"childFolderCount": children, "unreadItemCount": unread, "totalItemCount": total, "isHidden": false,
	}
}

func isRead(m postoffice.Message) bool { return m.Own || slices.Contains(m.Labels, LabelRead) }

// cutFolder leaves of a folder what $select names.
func (c *call) cutFolder(row map[string]any) (map[string]any, *failure) {
	fields := c.query.list("$select")
	if len(fields) == 0 {
		return row, nil
	}
	out := map[string]any{"id": row["id"]}
	for _, name := range fields {
		v, ok := row[name]
		if !ok {
			return nil, noProperty(name, "microsoft.graph.mailFolder")
		}
		out[name] = v
	}
	return out, nil
}

func noProperty(name, of string) *failure {
	return badQuery("Parsing OData Select and Expand failed: Could not find a property named '" + name + "' on type '" + of + "'.")
}

func (c *call) getFolder() *failure {
	if f := c.query.only("$select"); f != nil {
		return f
	}
	name, f := c.folder(c.path[1])
	if f != nil {
		return f
	}
	row, f := c.cutFolder(c.folderRow(name))
	if f != nil {
		return f
	}
	c.ok(c.users()+"/mailFolders/$entity", row)
	return nil
}

func (c *call) listFolders() *failure {
	if f := c.query.only("$select", "$top", "$skip", "$count", "includeHiddenFolders"); f != nil {
		return f
	}
	var rows []map[string]any
	for _, name := range c.folders() {
		row, f := c.cutFolder(c.folderRow(name))
		if f != nil {
			return f
		}
		rows = append(rows, row)
	}
	return c.listed(c.users()+"/mailFolders", rows, 10)
}

// listed answers with a page of rows, by $top and $skip.
func (c *call) listed(context string, rows []map[string]any, size int) *failure {
	size, skip, count, f := c.paging(size)
	if f != nil {
		return f
	}
	out := map[string]any{}
	if count {
		out["@odata.count"] = len(rows)
	}
	rows = rows[min(skip, len(rows)):]
	if len(rows) > size {
		out["@odata.nextLink"] = c.link(map[string]string{"$skip": number(skip + size)})
		rows = rows[:size]
	}
	if rows == nil {
		rows = []map[string]any{}
	}
	out["value"] = rows
	c.ok(context, out)
	return nil
}
