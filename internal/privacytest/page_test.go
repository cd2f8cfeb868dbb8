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

// reasons are the constants of the runner and of linking that name a reason of
// a request.
func reasons(t *testing.T) []string {
	t.Helper()
	out := append(constants(t, "../../sequence/runner/events.go", "Reason"), constants(t, "../../linking/requests.go", "Request")...)
	if len(out) < 15 {
		t.Fatalf("found only %d reasons", len(out))
	}
	return out
}

// constants are the values of a file's constants whose names begin so.
func constants(t *testing.T, path, prefix string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
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
			if !strings.HasPrefix(name.Name, prefix) || i >= len(spec.Values) {
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
	return out
}

// operations are what the page says of each reason: the operations that are
// made for it.
func operations(t *testing.T) map[string][]string {
	t.Helper()
	_, table, ok := strings.Cut(page(t), "| reason | operation |")
	if !ok {
		t.Fatal("PRIVACY.md has no table of reasons")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	rows := make(map[string][]string)
	for line := range strings.SplitSeq(table, "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 6 && strings.HasPrefix(cells[1], " `") {
			rows[strings.Trim(cells[1], " `")] = strings.Split(strings.TrimSpace(cells[2]), ", ")
		}
	}
	return rows
}

// onPage checks that what was requested, and why, stands on the page.
func (w *world) onPage() {
	w.t.Helper()
	w.wire.told(w.t, "at the end")
	rows := operations(w.t)
	for did := range w.audit.reasons {
		op, reason, _ := strings.Cut(did, " ")
		if !slices.Contains(rows[reason], op) {
			w.t.Errorf("PRIVACY.md does not say that %s is requested for the reason %q", op, reason)
		}
	}
}

// TestPageNamesEveryReason: what a request is made for stands on the page,
// and nothing else does.
func TestPageNamesEveryReason(t *testing.T) {
	rows, known := operations(t), reasons(t)
	for _, r := range known {
		if len(rows[r]) == 0 {
			t.Errorf("PRIVACY.md has no row for the reason %q", r)
		}
	}
	for r := range rows {
		if !slices.Contains(known, r) {
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
