package storetest

import (
	"fmt"
	"time"

	"github.com/outreachkit/outreach/store"
)

func row(kind store.IndexKind, value, of string) store.IndexRow {
	return store.IndexRow{Kind: kind, Value: value, Mailbox: boxID, Enrollment: of, Until: base.Add(24 * time.Hour)}
}

func indexChecks() map[string]func(T, Harness) {
	names := func(rows []store.IndexRow) string {
		var out []string
		for _, r := range rows {
			out = append(out, r.Value+"="+r.Enrollment)
		}
		return sprint(out)
	}
	return map[string]func(T, Harness){
		"Match": withEnrollments(func(c sees, _ Harness) {
			other := row(store.IndexAddress, "a@example.net", "e3")
			other.Mailbox = otherID
			c.commit("rows", store.Batch{Index: []store.IndexRow{
				row(store.IndexThread, "t1", "e1"), row(store.IndexThread, "t1", "e2"), row(store.IndexAddress, "a@example.net", "e1"), other,
				row(store.IndexMessageID, "t1", "e9"),
			}})
			match := func(box string, keys ...store.IndexKey) string {
				return names(must[[]store.IndexRow](c, "match")(c.s.Match(c.Context(), box, keys)))
			}
			addr := store.IndexKey{Kind: store.IndexAddress, Value: "a@example.net"}
			for what, got := range map[string][2]string{
				"two of one thread":    {match(boxID, store.IndexKey{Kind: store.IndexThread, Value: "t1"}), "[t1=e1 t1=e2]"},
				"an address here":      {match(boxID, addr), "[a@example.net=e1]"},
				"an address elsewhere": {match(otherID, addr), "[a@example.net=e3]"},
				"an address anywhere":  {match("", addr), "[a@example.net=e1 a@example.net=e3]"},
				"the same key twice":   {match(boxID, addr, addr), "[a@example.net=e1]"},
				"nothing":              {match(boxID), "[]"},
				"an unknown value":     {match(boxID, store.IndexKey{Kind: store.IndexThread, Value: "t9"}), "[]"},
			} {
				if got[0] != got[1] {
					c.Errorf("%s: %s, want %s", what, got[0], got[1])
				}
			}
		}),
		"Pages": withEnrollments(func(c sees, _ Harness) {
			var rows []store.IndexRow
			for i := range 5 {
				rows = append(rows, row(store.IndexSender, fmt.Sprintf("v%d", i/2), fmt.Sprintf("e%d", i)))
			}
			short := row(store.IndexSender, "v9", "e9")
			short.Until = base.Add(time.Hour)
			c.commit("rows", store.Batch{Index: append(rows, short, row(store.IndexAddress, "v0", "e0"))})
			var got []store.IndexRow
			p := store.ListIndex{Mailbox: boxID, Kind: store.IndexSender, Now: base.Add(2 * time.Hour), Limit: 2}
			for {
				page := must[[]store.IndexRow](c, "index")(c.s.Index(c.Context(), p))
				got = append(got, page...)
				if len(page) < 2 {
					break
				}
				p.After = page[len(page)-1]
			}
			if names(got) != "[v0=e0 v0=e1 v1=e2 v1=e3 v2=e4]" {
				c.Errorf("the pages hold %s", names(got))
			}
		}),
		"LaterUntilWins": withEnrollments(func(c sees, _ Harness) {
			long, short := row(store.IndexSender, "v", "e1"), row(store.IndexSender, "v", "e1")
			long.Until, short.Until = base.Add(48*time.Hour), base.Add(time.Hour)
			c.commit("short", store.Batch{Index: []store.IndexRow{short}})
			c.commit("long", store.Batch{Index: []store.IndexRow{long}})
			c.commit("short again", store.Batch{Index: []store.IndexRow{short}})
			got := must[[]store.IndexRow](c, "index")(c.s.Index(c.Context(), store.ListIndex{Mailbox: boxID, Kind: store.IndexSender, Now: base.Add(24 * time.Hour)}))
			if len(got) != 1 {
				c.Errorf("the row is forgotten too early: %v", got)
			}
		}),
		"Prune":             withEnrollments(pruneTakesWhatIsPast),
		"PruneByPages":      withEnrollments(prunePages),
		"PruneWhatIsWrong":  withEnrollments(pruneWrong),
		"PruneOfTheLiving":  withEnrollments(pruneLiving),
		"PruneGoesTogether": withEnrollments(pruneTogether),
	}
}
