package providertest_test

import (
	"fmt"
	"testing"

	"github.com/outreachkit/outreach/provider/providertest"
)

// A package that implements provider.Provider calls Run from a test of its
// own. Here the harness is the one over the in-memory Provider.
func ExampleRun() {
	conformance := func(t *testing.T) {
		providertest.Run(t, providertest.Fake)
	}
	fmt.Printf("%T\n", conformance)
	// Output: func(*testing.T)
}
