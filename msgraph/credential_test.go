package msgraph_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
)

// certificate makes a self-signed one, as Entra takes them.
func certificate(t *testing.T, serial int64, key crypto.Signer, until time.Time) *x509.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "outreach"}, NotBefore: until.Add(-365 * 24 * time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// keyService signs as a key service does: it has the key and may be down.
type keyService struct {
	crypto.Signer
	down bool
}

func (k *keyService) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k.down {
		return nil, errors.New("canary: the key service is down")
	}
	return k.Signer.Sign(r, digest, opts)
}

// withCertificate is a Provider of the same registration that proves itself
// with a certificate.
func (f *fakeMicrosoft) withCertificate(t *testing.T, cert *x509.Certificate, key crypto.Signer, skew time.Duration) *msgraph.Provider {
	t.Helper()
	clock := f.office.Clock()
	p, err := msgraph.New(msgraph.Config{
		ClientID: "00000000-0000-4000-8000-000000000001", Certificate: cert, Key: key, HTTPClient: &http.Client{Transport: f.microsoft.Transport()},
		Now:       func() time.Time { return clock.Now().Add(skew) },
		Endpoints: &msgraph.Endpoints{Login: f.microsoft.LoginURL(), Graph: f.microsoft.GraphURL()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCertificate links and refreshes without any secret, and rolls the
// certificate over without a gap.
func TestCertificate(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	until := f.office.Clock().Now().Add(90 * 24 * time.Hour)
	first, second := certificate(t, 1, signingKey(), until), certificate(t, 2, signingKey(), until.Add(365*24*time.Hour))
	f.microsoft.AddCertificate(first)
	f.microsoft.RemoveSecret("client-secret-canary")
	service := &keyService{Signer: signingKey()}
	f.prov = f.withCertificate(t, first, service, 0)
	g := f.consent(t, maria, provider.AccessReplies)
	refresh := func(p *msgraph.Provider) error {
		next, err := p.Refresh(t.Context(), g)
		if err == nil {
			g = next
		}
		return err
	}
	if err := refresh(f.prov); err != nil {
		t.Fatal(err)
	}

	// Both are good while the new one is deployed.
	f.microsoft.AddCertificate(second)
	renewed := f.withCertificate(t, second, service, 0)
	for _, p := range []*msgraph.Provider{f.prov, renewed, f.prov} {
		if err := refresh(p); err != nil {
			t.Errorf("during the roll-over: %v", err)
		}
	}
	f.microsoft.RemoveCertificate(first)
	f.office.Clock().Advance(time.Hour)
	if err := refresh(renewed); err != nil {
		t.Error(err)
	}

	wantApp := func(p *msgraph.Provider, code string, reason provider.Reason) {
		t.Helper()
		err := refresh(p)
		if !errors.Is(err, provider.ErrApp) || errors.Is(err, provider.ErrRelink) || !strings.Contains(err.Error(), code) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%v, want %s", err, code)
		}
		if d := p.Diagnose(err); d.Reason != reason || d.Mender != provider.MendOperator {
			t.Errorf("%v is diagnosed as %+v", err, d)
		}
	}
	wantApp(f.prov, "AADSTS700027", provider.ReasonAppSecretWrong)
	wantApp(f.withCertificate(t, second, service, -time.Hour), "AADSTS700024", provider.ReasonClockSkew)
	service.down = true
	wantApp(renewed, "assertion_not_signed", provider.ReasonAppMisconfigured)
	service.down = false
	f.office.Clock().Advance(80 * 24 * time.Hour)
	if err := refresh(renewed); err != nil {
		t.Errorf("the grant is not to blame: %v", err)
	}
}

// TestSecretRollsOver: a registration has two secrets while the new one is
// deployed, and no mailbox notices.
func TestSecretRollsOver(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	g := f.consent(t, maria, provider.AccessReplies)
	f.microsoft.AddSecret("second-secret-canary")
	renewed, err := msgraph.New(msgraph.Config{
		ClientID: "00000000-0000-4000-8000-000000000001", ClientSecret: "second-secret-canary", HTTPClient: &http.Client{Transport: f.microsoft.Transport()},
		Now: f.office.Clock().Now, Endpoints: &msgraph.Endpoints{Login: f.microsoft.LoginURL(), Graph: f.microsoft.GraphURL()},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*msgraph.Provider{f.prov, renewed, f.prov} {
		if g, err = p.Refresh(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	f.microsoft.RemoveSecret("client-secret-canary")
	if _, err := f.prov.Refresh(t.Context(), g); !errors.Is(err, provider.ErrApp) {
		t.Errorf("the old secret: %v", err)
	}
	if _, err = renewed.Refresh(t.Context(), g); err != nil {
		t.Error(err)
	}
}

func TestCredentialConfig(t *testing.T) {
	weak, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Hour)
	cert := certificate(t, 1, signingKey(), until)
	for name, c := range map[string]struct {
		cfg   msgraph.Config
		field string
	}{
		"both":        {msgraph.Config{ClientSecret: "s", Certificate: cert, Key: signingKey()}, "Config.ClientSecret"},
		"no key":      {msgraph.Config{Certificate: cert}, "Config.Certificate"},
		"no cert":     {msgraph.Config{Key: signingKey()}, "Config.Certificate"},
		"another key": {msgraph.Config{Certificate: cert, Key: other}, "Config.Key"},
		"ecdsa":       {msgraph.Config{Certificate: certificate(t, 1, weak, until), Key: weak}, "Config.Certificate"},
	} {
		c.cfg.ClientID = "id"
		if _, err := msgraph.New(c.cfg); !errors.Is(err, provider.ErrInvalid) || !strings.Contains(err.Error(), c.field+":") {
			t.Errorf("%s: %v does not name %s", name, err, c.field)
		}
	}
}
