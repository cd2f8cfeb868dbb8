package classify_test

import (
	"fmt"
	"net/textproto"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

func ExampleClassify() {
	env := &provider.Envelope{
		From:    []provider.Address{{Name: "Olga", Addr: "olga@example.net"}},
		Subject: "Automatic reply: A role in Lisbon",
		Date:    time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC),
		Header:  textproto.MIMEHeader{"Auto-Submitted": {"auto-replied"}},
	}
	v := classify.Classify(env, &provider.Message{Text: "I am out of the office, back on 14 September."})
	fmt.Println(v.Class, "by", v.Evidence)
	fmt.Println("back", v.Until.Format(time.DateOnly))
	// Output:
	// out_of_office by Auto-Submitted
	// back 2026-09-14
}
