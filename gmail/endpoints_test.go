package gmail_test

import (
	"errors"
	"testing"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/provider"
)

// TestTheSameFieldEachTime: of several endpoints at fault the first is named,
// and not whichever a map gives first.
func TestTheSameFieldEachTime(t *testing.T) {
	for range 20 {
		_, err := gmail.New(gmail.Config{ClientID: "id", ClientSecret: "secret", Endpoints: &gmail.Endpoints{}})
		var fe *provider.FieldError
		if first := "Endpoints.Auth"; !errors.As(err, &fe) || len(fe.Field) < len(first) || fe.Field[len(fe.Field)-len(first):] != first {
			t.Fatalf("%v", err)
		}
	}
}
