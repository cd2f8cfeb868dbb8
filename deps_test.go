package outreach_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/outreachkit/outreach"

// imports is one package as the go command lists it.
type imports struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
}

// list returns every package of the module.
func list(t *testing.T) map[string]imports {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps,Standard", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	pkgs := make(map[string]imports)
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p imports
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs[p.ImportPath] = p
	}
	if len(pkgs) == 0 {
		t.Fatal("go list found no packages")
	}
	return pkgs
}

// under reports whether path is the package root or below it.
func under(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// TestImportRules holds the borders between the packages. A rule speaks of
// what a package may not reach through any chain of imports, or may not
// import itself.
func TestImportRules(t *testing.T) {
	pkgs := list(t)
	rules := []struct {
		pkg    string   // the package, or with /... it and all below
		except []string // packages below it that the rule leaves out
		direct bool     // only what it imports itself
		forbid []string
		reason string
	}{
		{pkg: "sequence", direct: true,
			forbid: []string{"context", "net", "os", "sync", "log", "math/rand", "math/rand/v2", "database/sql"},
			reason: "the engine is pure: its host gives it time and does its work"},
		{pkg: "sequence", forbid: []string{module + "/provider", module + "/store", module + "/linking", "net/http"},
			reason: "the engine knows neither mail services nor storage"},
		{pkg: "store", forbid: []string{module + "/provider", module + "/sequence", module + "/linking", "golang.org"},
			reason: "a host that imports only sequence and store compiles the standard library alone"},
		{pkg: "provider", forbid: []string{module + "/store", module + "/sequence", module + "/linking", "google.golang.org", "github.com/microsoftgraph", "github.com/microcosm-cc"},
			reason: "the contract knows no SDK and no storage"},
		{pkg: "provider/quote", forbid: []string{module + "/store", module + "/sequence", module + "/linking", module + "/provider", "net", "database/sql", "golang.org/x/oauth2", "github.com/microcosm-cc"},
			reason: "finding new text is pure: strings in, strings out"},
		{pkg: "provider/optout", forbid: []string{module, "golang.org", "github.com", "net", "database/sql"},
			reason: "recognising a wish is pure, and reads the author's words alone"},
		{pkg: "provider/safehtml", forbid: []string{module + "/store", module + "/sequence", module + "/linking", module + "/provider", "golang.org/x/oauth2"},
			reason: "a sanitiser knows HTML and nothing of mail services"},
		{pkg: "gmail/...", forbid: []string{module + "/store", module + "/linking", module + "/sequence", module + "/msgraph"},
			reason: "an adapter knows the contract and its SDK, nothing else of the module"},
		{pkg: "msgraph/...", forbid: []string{module + "/store", module + "/linking", module + "/sequence", module + "/gmail", "google.golang.org/api"},
			reason: "an adapter knows the contract and its SDK, nothing else of the module"},
		{pkg: "provider/classify", forbid: []string{module + "/store", module + "/sequence", module + "/linking", module + "/gmail", module + "/msgraph", "database/sql"},
			reason: "what a mail is, is judged from the mail alone"},
		{pkg: "provider/postoffice", forbid: []string{module + "/store", module + "/sequence", module + "/linking", module + "/gmail", module + "/msgraph"},
			reason: "the world of mail knows the contract, and neither adapters nor storage"},
		{pkg: "provider/providertest", forbid: []string{module + "/store", module + "/sequence", module + "/linking", module + "/gmail", module + "/msgraph"},
			reason: "the suite tests any Provider"},
		{pkg: "store/storetest", forbid: []string{module + "/provider", module + "/sequence", module + "/linking"},
			reason: "the suite tests any store"},
		{pkg: "linking/...", forbid: []string{module + "/gmail", module + "/msgraph", module + "/sequence"},
			reason: "linking works with any Provider"},
		{pkg: "internal/mimemsg", forbid: []string{module + "/store", module + "/sequence", module + "/linking", module + "/gmail", module + "/msgraph", "database/sql"},
			reason: "a mail's form is pure"},
		{pkg: "internal/courier", forbid: []string{"google.golang.org/api", "github.com/microsoftgraph", "github.com/microsoft"},
			reason: "what the adapters share knows no SDK"},
		{pkg: "linking", forbid: []string{module + "/gmail", module + "/msgraph", module + "/sequence", "google.golang.org/api"},
			reason: "linking works with any Provider"},
		{pkg: "sequence/runner", forbid: []string{module + "/gmail", module + "/msgraph", module + "/linking", "google.golang.org/api"},
			reason: "the runner works with any Provider and any source of mailboxes"},
		{pkg: "./...", except: []string{"store/storetest", "provider/providertest"}, forbid: []string{"testing"},
			reason: "a host's binary must not carry testing's flags; only suites that run inside a test may import it"},
		{pkg: "store/seal", forbid: []string{module, "golang.org", "net"},
			reason: "what encrypts imports the standard library's ciphers, nothing else of the module and no network"},
		{pkg: "store/memstore", forbid: []string{module + "/provider", module + "/sequence"},
			reason: "a store keeps opaque bytes and plain columns"},
		{pkg: "store/sqlstore", forbid: []string{module + "/provider", module + "/sequence", module + "/linking", "modernc.org", "github.com/jackc", "golang.org"},
			reason: "the host brings the driver; a store keeps opaque bytes and plain columns"},
		{pkg: "examples/quickstart", forbid: []string{module + "/msgraph", "github.com/microsoftgraph"},
			reason: "a first run compiles in well under two minutes"},
	}
	for _, rule := range rules {
		name, below := strings.CutSuffix(rule.pkg, "/...")
		root := module + "/" + name
		if name == "." {
			root = module
		}
		found := false
		for path, p := range pkgs {
			if path != root && !(below && under(path, root)) {
				continue
			}
			found = true
			if slices.ContainsFunc(rule.except, func(e string) bool { return under(path, module+"/"+e) }) {
				continue
			}
			reach := p.Deps
			if rule.direct {
				reach = p.Imports
			}
			for _, dep := range reach {
				for _, forbidden := range rule.forbid {
					hit := under(dep, forbidden)
					if hit && dep != path {
						t.Errorf("%s reaches %s, which it must not: %s", path, dep, rule.reason)
					}
				}
			}
		}
		if !found {
			t.Errorf("the rule for %s speaks of no package: it was moved or renamed", rule.pkg)
		}
	}
}

// TestRootsAreStandard holds that hosts which only plan and store compile no
// dependency at all.
func TestRootsAreStandard(t *testing.T) {
	pkgs := list(t)
	for _, root := range []string{"sequence", "store", "store/seal", "store/sqlstore"} {
		for _, dep := range pkgs[module+"/"+root].Deps {
			if strings.Contains(strings.SplitN(dep, "/", 2)[0], ".") && !under(dep, module+"/"+root) && !slices.Contains([]string{module + "/store", module + "/store/seal"}, dep) {
				t.Errorf("%s reaches %s, which is not in the standard library", root, dep)
			}
		}
	}
}

// TestNoSDKRoot holds that nothing compiles the root package of Microsoft's
// SDK: it reaches all of Graph, and doubles the time to build.
func TestNoSDKRoot(t *testing.T) {
	for path, p := range list(t) {
		if slices.Contains(p.Deps, "github.com/microsoftgraph/msgraph-sdk-go") {
			t.Errorf("%s reaches the root package of msgraph-sdk-go; its packages users and models are enough", path)
		}
	}
}

// TestNoInit holds that importing a package does nothing, and that no host can
// change what all others see: no init, and no variable that is exported.
func TestNoInit(t *testing.T) {
	fset, files := token.NewFileSet(), 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		ours := strings.HasPrefix(path, "examples/") || strings.HasPrefix(path, "internal/") // no host imports these
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s does work when it is imported", fset.Position(d.Pos()))
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					v, ok := spec.(*ast.ValueSpec)
					if !ok || d.Tok != token.VAR {
						continue
					}
					for _, name := range v.Names {
						if name.IsExported() && !ours {
							t.Errorf("%s: anybody can change %s", fset.Position(name.Pos()), name.Name)
						}
					}
				}
			}
		}
		return nil
	})
	if err != nil || files < 300 {
		t.Errorf("read %d files, %v", files, err)
	}
}
