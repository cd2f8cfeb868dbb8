package outreach_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/provider"
)

// TestAbilitiesAreTheTable: what the adapters say that they are able to is what
// package provider's documentation promises, cell by cell. That they are is
// for the conformance suite, which asks each for no more than it says.
func TestAbilitiesAreTheTable(t *testing.T) {
	doc, err := os.ReadFile("provider/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(doc), "//	                  Send")
	if !ok {
		t.Fatal("package provider's documentation has no table")
	}
	columns := regexp.MustCompile(` {2,}`)
	cells := make(map[string][]string)
	for line := range strings.SplitSeq(table, "\n") {
		row, ok := strings.CutPrefix(line, "//	")
		if !ok {
			if len(cells) > 0 {
				break
			}
			continue
		}
		fields := columns.Split(strings.TrimSpace(row), -1)
		cells[fields[0]] = fields[1:]
	}
	w := newDiagnosed(t)
	detect := map[provider.Detection]string{provider.DetectSender: "by sender", provider.DetectHeaders: "headers", provider.DetectContent: "content"}
	pick := func(yes bool, then, otherwise string) string {
		if yes {
			return then
		}
		return otherwise
	}
	column := 0
	for _, prov := range w.config.Providers {
		for _, access := range []provider.Access{provider.AccessSend, provider.AccessEnvelopes, provider.AccessReplies} {
			can := prov.Abilities(access)
			reads := access != provider.AccessSend
			none := pick(reads, "no", "-")
			want := map[string]string{
				"unknown outcome":  map[provider.Reach]string{provider.ReachNone: "person", provider.ReachThread: "thread", provider.ReachMailbox: "mailbox"}[can.Locate],
				"answer in thread": pick(can.ThreadReplies, "yes", "host"),
				"answer elsewhere": pick(can.SenderReplies, "by sender", pick(reads, "no", "host")),
				"out-of-office":    pick(can.AutoReplies == provider.DetectNone, none, detect[can.AutoReplies]),
				"bounce elsewhere": pick(can.Reports == provider.DetectNone, none, detect[can.Reports]),
				"content":          pick(can.Content, "yes", none),
				"preview proof":    pick(can.Preview, "yes", "no"),
			}
			if len(cells) != len(want) {
				t.Fatalf("the table has %d rows, want %d", len(cells), len(want))
			}
			for row, is := range want {
				if len(cells[row]) != 6 {
					t.Fatalf("the row %q has %d cells", row, len(cells[row]))
				}
				if says := strings.TrimSuffix(cells[row][column], "*"); says != is {
					t.Errorf("%s with %s, %s: the table says %q, the adapter %q", prov.Name(), access, row, says, is)
				}
			}
			if !can.Offered {
				t.Errorf("%s does not offer %s", prov.Name(), access)
			}
			column++
		}
	}
}
