package storetest_test

import (
	"fmt"
	"strings"

	"github.com/outreachkit/outreach/store/storetest"
)

// The checks have names, so that one can be run alone:
//
//	go test -run 'TestStore/Commit/AllOrNothing'
func Example() {
	for _, c := range storetest.Checks() {
		if strings.HasPrefix(c.Name, "Flows/") {
			fmt.Println(c.Name)
		}
	}
	// Output:
	// Flows/Forgotten
	// Flows/Invalid
	// Flows/TakenOnce
}
