package msgraph

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

// samplePage is a page of 1,000 messages as Graph writes it, of which the
// identifiers were asked for.
func samplePage() []byte {
	var b strings.Builder
	b.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#Collection(message)","@odata.deltaLink":"https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=` +
		strings.Repeat("x", 300) + `","value":[`)
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		id := fmt.Sprintf("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A%064d", i)
		if i%50 == 0 {
			fmt.Fprintf(&b, `{"@odata.type":"#microsoft.graph.message","id":"%s","@removed":{"reason":"deleted"}}`, id)
			continue
		}
		fmt.Fprintf(&b, `{"@odata.type":"#microsoft.graph.message","@odata.etag":"W/\"CQAAABYAAAB%010d\"","id":"%s","conversationId":"AAQkAGI2THVSAAA%030d","parentFolderId":"AAMkAGI2AAEMAAA%020d=","isDraft":false}`,
			i, id, i/3, 7)
	}
	b.WriteString("]}")
	return []byte(b.String())
}

// BenchmarkDeltaPage decodes the same page three ways: as Changes does, into
// the plainest structs that could do, and with the SDK's models.
func BenchmarkDeltaPage(b *testing.B) {
	data := samplePage()
	run := func(name string, decode func() (int, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if n, err := decode(); err != nil || n != 1000 {
					b.Fatalf("%d messages, %v", n, err)
				}
			}
		})
	}
	run("changes", func() (int, error) {
		var pg page
		err := json.Unmarshal(data, &pg)
		return len(pg.Value), err
	})
	run("plain", func() (int, error) {
		var pg struct {
			Value []struct {
				ID           string    `json:"id"`
				Conversation string    `json:"conversationId"`
				Folder       string    `json:"parentFolderId"`
				Draft        bool      `json:"isDraft"`
				Removed      *struct{} `json:"@removed"`
			} `json:"value"`
			Next  string `json:"@odata.nextLink"`
			Delta string `json:"@odata.deltaLink"`
		}
		err := json.Unmarshal(data, &pg)
		return len(pg.Value), err
	})
	run("sdk", func() (int, error) {
		node, err := kiotajson.NewJsonParseNode(data)
		if err != nil {
			return 0, err
		}
		v, err := node.GetObjectValue(users.CreateItemMailFoldersItemMessagesDeltaGetResponseFromDiscriminatorValue)
		if err != nil {
			return 0, err
		}
		return len(v.(users.ItemMailFoldersItemMessagesDeltaGetResponseable).GetValue()), nil
	})
}
