package store_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
)

// Two who read the same version of a record, and both write it: the second
// learns which record moved, and reads again.
func Example() {
	ctx := context.Background()
	s := memstore.New(memstore.Options{}).Enrollments()
	if _, err := s.EnsureMailbox(ctx, "gmail/1234", "link-1"); err != nil {
		fmt.Println(err)
		return
	}
	row := store.Enrollment{ID: "e1", HostKey: "campaign-7/42", Mailbox: "gmail/1234", Due: time.Now()}
	fmt.Println(s.Commit(ctx, store.Batch{Enrollments: []store.Enrollment{row}}))

	rows, _ := s.Load(ctx, []string{"e1"})
	first, second := rows[0], rows[0]
	first.Status, second.Status = "replied", "paused"
	fmt.Println(s.Commit(ctx, store.Batch{Enrollments: []store.Enrollment{first}}))
	err := s.Commit(ctx, store.Batch{Enrollments: []store.Enrollment{second}})
	fmt.Println(errors.Is(err, store.ErrConflict), err)
	// Output:
	// <nil>
	// <nil>
	// true store: enrollment e1 has changed or exists already; read it again
}
