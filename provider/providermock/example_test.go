package providermock_test

import (
	"context"
	"fmt"

	"go.uber.org/mock/gomock"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/providermock"
)

// reporter prints what a mock would report to a *testing.T.
type reporter struct{}

func (reporter) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (reporter) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (reporter) Helper()                           {}

func Example() {
	ctrl := gomock.NewController(reporter{}) // in a test: gomock.NewController(t)
	box := providermock.NewMockMailbox(ctrl)
	box.EXPECT().Profile(gomock.Any()).Return(provider.Profile{Address: "ada@example.com"}, nil)

	profile, err := box.Profile(context.Background())
	ctrl.Finish()
	fmt.Println(profile.Address, err)
	// Output: ada@example.com <nil>
}
