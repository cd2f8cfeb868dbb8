package msgraphtest

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// attachments serves the attachments of a message, as a list, one by one, or
// as bytes.
func (c *call) attachments() *failure {
	if f := c.query.only("$select", "$top", "$skip", "$count"); f != nil {
		return f
	}
	msg, f := c.message()
	if f != nil {
		return f
	}
	c.box.CountContent(msg.Number)
	v := c.view(msg)
	if c.op == "attachments.list" {
		rows := []map[string]any{}
		for _, a := range v.files(true) {
			row, f := c.cutFile(v.file(a, true))
			if f != nil {
				return f
			}
			rows = append(rows, row)
		}
		return c.listed(c.users()+"/messages('"+v.call.messageID(msg.Number, v.folder)+"')/attachments", rows, mostTop)
	}
	at := slices.Index(c.path, "attachments")
	files := v.files(true)
	i := slices.IndexFunc(files, func(a provider.Attachment) bool { return v.fileID(a) == c.path[at+1] })
	if i < 0 {
		return fail(http.StatusNotFound, "ErrorItemNotFound", "The specified object was not found in the store.")
	}
	if c.op == "attachments.get" {
		row, f := c.cutFile(v.file(files[i], true))
		if f != nil {
			return f
		}
		c.ok(c.users()+"/messages('"+v.call.messageID(msg.Number, v.folder)+"')/attachments/$entity", row)
		return nil
	}
	c.w.Header().Set("Content-Type", files[i].ContentType)
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(v.bytes(files[i]))
	return nil
}

func (v *view) fileID(a provider.Attachment) string {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64([]byte(a.Part+"\x00"), uint64(v.msg.Number))) // never fails
	return makeID(attachmentMark, int64(h.Sum64()>>1), 0)
}

func (v *view) bytes(a provider.Attachment) []byte {
	r, err := mimemsg.OpenPart(v.msg.Raw, a.Part)
	if err != nil {
		return nil
	}
	b, _ := io.ReadAll(r) // what is broken is as long as it can be read
	return b
}

// file describes an attachment. A mail within the mail is an item, whose
// content comes by $value alone.
func (v *view) file(a provider.Attachment, content bool) map[string]any {
	row := map[string]any{
		"id": v.fileID(a), "name": orNull(a.Name), "contentType": a.ContentType, "size": a.Size, "isInline": a.Inline,
		"lastModifiedDateTime": stamp(v.msg.Received),
	}
	if strings.EqualFold(a.ContentType, "message/rfc822") {
		row["@odata.type"] = "#microsoft.graph.itemAttachment"
		return row
	}
	row["@odata.type"] = "#microsoft.graph.fileAttachment"
	row["contentId"], row["contentLocation"] = orNull(a.ContentID), nil
	if content {
		row["contentBytes"] = base64.StdEncoding.EncodeToString(v.bytes(a))
	}
	return row
}

// cutFile leaves of an attachment what $select names.
func (c *call) cutFile(row map[string]any) (map[string]any, *failure) {
	fields := c.query.list("$select")
	if len(fields) == 0 {
		return row, nil
	}
	out := map[string]any{"id": row["id"], "@odata.type": row["@odata.type"]}
	for _, name := range fields {
		v, ok := row[name]
		if !ok && name != "contentBytes" && name != "contentId" && name != "contentLocation" {
			return nil, noProperty(name, "microsoft.graph.attachment")
		}
		if ok {
			out[name] = v
		}
	}
	return out, nil
}
