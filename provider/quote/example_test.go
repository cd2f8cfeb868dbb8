package quote_test

import (
	"fmt"

	"github.com/outreachkit/outreach/provider/quote"
)

func ExampleSplit() {
	p := quote.Split(quote.Body{Text: `Yes, Thursday is fine.

Sent from my iPhone

On Tue, Nov 10, 2026 at 9:14 AM Maria Silva <maria@example.com> wrote:
> Shall we talk on Thursday?
`})
	fmt.Println(p.Fresh())
	for _, piece := range p.Pieces {
		fmt.Printf("%s %d bytes\n", piece.Kind, len(piece.Text))
	}
	// Output:
	// Yes, Thursday is fine.
	// written 24 bytes
	// signature 21 bytes
	// attribution 71 bytes
	// quote 29 bytes
}
