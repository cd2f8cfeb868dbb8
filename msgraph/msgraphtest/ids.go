package msgraphtest

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"net/http"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// Ids are opaque and case-sensitive. Under Prefer: IdType="ImmutableId" a
// message keeps its id for life; else it has another one in each folder. Both
// kinds are understood in every request
// (https://learn.microsoft.com/graph/outlook-immutable-id). Here a message
// that comes back into a folder has the id there that it had before.

// The bytes that the kinds of ids begin with.
const (
	immutableMark    = "\x00\x09\x00\x2e\x00\x00\x00\x00\x00\x1d"
	mutableMark      = "\x00\x03\x24\x00\x00\x00\x00\x00\x00\x46"
	folderMark       = "\x00\x04\x2e\x00\x00\x03\x1f\x00\x00\x01"
	conversationMark = "\x00\x04\x2c\x00\x00\x10\x00\x00\x00\x05"
	pageMark         = "\x00\x07\x00\x01\x00\x00\x00\x00\x00\x03"
	attachmentMark   = "\x00\x09\x00\x2e\x00\x01\x00\x00\x00\x02"
)

// makeID makes an id that ends in a padding sign, as those of Exchange do.
func makeID(mark string, n int64, extra uint32) string {
	b := binary.BigEndian.AppendUint64([]byte(mark), uint64(n))
	b = binary.BigEndian.AppendUint32(b, extra)
	return base64.URLEncoding.EncodeToString(append(b, 0))
}

// readID takes an id of the given kind apart.
func readID(mark, id string) (n int64, extra uint32, ok bool) {
	b, err := base64.URLEncoding.DecodeString(id)
	if err != nil || len(b) != len(mark)+13 || string(b[:len(mark)]) != mark || b[len(b)-1] != 0 {
		return 0, 0, false
	}
	b = b[len(mark):]
	return int64(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint32(b[8:]), true
}

func immutableID(number int64) string { return makeID(immutableMark, number, 0) }

func hashOf(parts ...string) uint32 {
	h := fnv.New32a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "\x00")) // never fails
	}
	return h.Sum32()
}

// messageID is the id that a request sees. folder is where it sees the message.
func (c *call) messageID(number int64, folder string) string {
	if c.prefers.immutable {
		return immutableID(number)
	}
	return makeID(mutableMark, number, hashOf(folder))
}

// conversationID names a thread within one mailbox.
func conversationID(thread int64) string { return makeID(conversationMark, thread, 0) }

// folderID is the same for ever, and differs between mailboxes.
func folderID(box *postoffice.Mailbox, name string) string {
	return makeID(folderMark, int64(hashOf(box.Subject()))<<32|int64(hashOf(name)), hashOf("folder", box.Subject(), name))
}

// find returns the message that the id names.
func (c *call) find(id string) (postoffice.Message, *failure) {
	number, _, ok := readID(immutableMark, id)
	var folder uint32
	mutable := false
	if !ok {
		if number, folder, mutable = readID(mutableMark, id); !mutable {
			return postoffice.Message{}, fail(http.StatusBadRequest, "ErrorInvalidIdMalformed", "Id is malformed.")
		}
	}
	msg, ok := c.box.Message(number)
	if !ok || msg.VisibleAt.After(c.s.clock.Now()) || mutable && hashOf(folderOf(msg.Labels)) != folder {
		return postoffice.Message{}, fail(http.StatusNotFound, "ErrorItemNotFound", "The specified object was not found in the store.")
	}
	return msg, nil
}
