package providermock_test

import (
	"errors"
	"testing"

	"go.uber.org/mock/gomock"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/providermock"
)

var (
	_ provider.Provider    = (*providermock.MockProvider)(nil)
	_ provider.Mailbox     = (*providermock.MockMailbox)(nil)
	_ provider.TokenSource = (*providermock.MockTokenSource)(nil)
)

func TestMocksAnswerAsTold(t *testing.T) {
	ctrl := gomock.NewController(t)
	p, box := providermock.NewMockProvider(ctrl), providermock.NewMockMailbox(ctrl)
	acc := provider.Account{Subject: "subject"}
	p.EXPECT().Open(acc, gomock.Any()).Return(box)
	box.EXPECT().Envelope(gomock.Any(), provider.Ref("m1")).Return(nil, &provider.Error{Kind: provider.ErrNotFound})
	if _, err := p.Open(acc, providermock.NewMockTokenSource(ctrl)).Envelope(t.Context(), "m1"); !errors.Is(err, provider.ErrNotFound) {
		t.Fatal(err)
	}
}
