package mimemsg_test

import (
	"fmt"
	"io"
	"log"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

func Example() {
	id, err := mimemsg.NewMessageID([]byte("a secret of the deployment"), "mail.example.com", "enrollment-1", "step-1")
	if err != nil {
		log.Fatal(err)
	}
	raw, err := mimemsg.Build(mimemsg.Draft{
		From:        provider.Address{Name: "Grace", Addr: "grace@example.com"},
		To:          []provider.Address{{Name: "Jörg", Addr: "joerg@example.net"}},
		Subject:     mimemsg.SubjectReply("Eine Stelle in Köln"),
		Date:        time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC),
		MessageID:   id,
		Text:        "Guten Tag!\n",
		Attachments: []mimemsg.File{{Name: "Stelle.txt", ContentType: "text/plain", Data: []byte("Alles weitere.")}},
	})
	if err != nil {
		log.Fatal(err)
	}
	msg, err := mimemsg.Read(raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(msg.Envelope.From[0], "wrote to", msg.Envelope.To[0])
	fmt.Println(msg.Envelope.Subject)
	fmt.Print(msg.Text)
	file, err := mimemsg.OpenPart(raw, msg.Attachments[0].Part)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(msg.Attachments[0].Name+":", string(content))
	// Output:
	// Grace <grace@example.com> wrote to Jörg <joerg@example.net>
	// Re: Eine Stelle in Köln
	// Guten Tag!
	// Stelle.txt: Alles weitere.
}

func ExampleBuild_refused() {
	_, err := mimemsg.Build(mimemsg.Draft{
		From:      provider.Address{Addr: "grace@example.com"},
		To:        []provider.Address{{Addr: "ada@example.net"}},
		Date:      time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC),
		MessageID: "<k3y@mail.example.com>",
		Text:      "Hello",
		Header:    []mimemsg.Field{{Name: "X-Team", Value: "sales\r\nBcc: eve@example.org"}},
	})
	fmt.Println(err)
	// Output: mime: build: Header[X-Team]: has a line break or NUL; give one line
}
