package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
)

func Example() {
	ctx := context.Background()
	flows := memstore.New(memstore.Options{}).Flows()
	fmt.Println(flows.Put(ctx, store.Flow{Key: "digest of a state", Data: []byte("sealed"), TTL: time.Minute}))
	_, err := flows.Take(ctx, "digest of a state")
	fmt.Println(err)
	_, err = flows.Take(ctx, "digest of a state")
	fmt.Println(errors.Is(err, store.ErrNotFound))
	// Output:
	// <nil>
	// <nil>
	// true
}
