package privacytest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/provider"
)

func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../PRIVACY.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reasons are the constants of the runner that name a reason of a request.
func reasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../sequence/runner/events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if !strings.HasPrefix(name.Name, "Reason") || i >= len(spec.Values) {
				continue
			}
			if lit, ok := spec.Values[i].(*ast.BasicLit); ok {
				v, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, v)
			}
		}
		return true
	})
	if len(out) < 10 {
		t.Fatalf("found only %d reasons", len(out))
	}
	return out
}

// TestPageNamesEveryReason: what a request is made for stands on the page,
// and nothing else does.
func TestPageNamesEveryReason(t *testing.T) {
	var rows []string
	for line := range strings.SplitSeq(page(t), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) == 6 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`") && !strings.Contains(cells[4], "Mail.") {
			rows = append(rows, strings.Trim(cells[1], " `"))
		}
	}
	known := reasons(t)
	for _, r := range known {
		if !slices.Contains(rows, r) {
			t.Errorf("PRIVACY.md has no row for the reason %q", r)
		}
	}
	for _, r := range rows {
		if !slices.Contains(known, r) && !slices.Contains([]string{"send", "envelopes", "replies"}, r) {
			t.Errorf("PRIVACY.md has a row for %q, which is no reason", r)
		}
	}
}

// TestPageNamesEveryPermission: what the consent pages ask for stands on the
// page.
func TestPageNamesEveryPermission(t *testing.T) {
	text := page(t)
	google, err := gmail.New(gmail.Config{ClientID: clientID, ClientSecret: clientSecret})
	if err != nil {
		t.Fatal(err)
	}
	microsoft, err := msgraph.New(msgraph.Config{ClientID: clientID, ClientSecret: clientSecret})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []provider.Provider{google, microsoft} {
		for _, access := range []provider.Access{provider.AccessSend, provider.AccessEnvelopes, provider.AccessReplies} {
			if !p.Abilities(access).Offered {
				continue
			}
			address, err := p.Authorize(provider.AuthRequest{
				Access: access, RedirectURL: "https://ats.example.com/callback", State: "state", Nonce: "nonce", Challenge: strings.Repeat("c", 43),
			})
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			scopes := strings.Fields(u.Query().Get("scope"))
			if len(scopes) < 3 {
				t.Errorf("%s asks for %v", p.Name(), scopes)
			}
			for _, s := range scopes {
				if !strings.Contains(text, "`"+s+"`") {
					t.Errorf("PRIVACY.md does not name %s, which %s asks for", s, p.Name())
				}
			}
			if !strings.Contains(text, "| `"+string(access)+"` |") {
				t.Errorf("PRIVACY.md has no row for the access %q", access)
			}
		}
	}
}
