package privacytest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/outreachkit/outreach"

// compiled is a package as the go command lists it.
type compiled struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// TestOnePlaceCallsMailboxes: in what a host compiles, the files that the page
// names are the only ones that call a mailbox, or take one of its methods.
// The adapters are the mailboxes themselves; suites and fakes ask one another.
func TestOnePlaceCallsMailboxes(t *testing.T) {
	pkgs := packages(t)
	found := make(map[string]int)
	for _, p := range pkgs {
		pkg, ours := strings.CutPrefix(p.ImportPath, module+"/")
		if !ours || slices.ContainsFunc([]string{"examples/", "internal/sim/", "provider/providertest/"}, func(dir string) bool { return strings.HasPrefix(pkg+"/", dir) }) {
			continue
		}
		for file, calls := range mailboxCalls(t, pkgs, p) {
			where := pkg + "/" + file
			found[where] += len(calls)
			if where != "sequence/runner/observed.go" && where != "linking/requests.go" {
				t.Errorf("%s calls a mailbox, and nobody is told of it: %s", where, strings.Join(calls, ", "))
			}
		}
	}
	if found["sequence/runner/observed.go"] < 11 || found["linking/requests.go"] < 2 {
		t.Errorf("found only %v", found)
	}
	text := page(t)
	for where := range found {
		if !strings.Contains(text, "`"+where+"`") {
			t.Errorf("PRIVACY.md does not name %s", where)
		}
	}
}

// packages are all packages of the module and what they import, compiled.
func packages(t *testing.T) map[string]compiled {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	pkgs := make(map[string]compiled)
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p compiled
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs[p.ImportPath] = p
	}
}

// mailboxCalls are the uses of a method of provider.Mailbox or
// provider.Watcher, by file.
func mailboxCalls(t *testing.T, pkgs map[string]compiled, p compiled) map[string][]string {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(pkgs[path].Export) })}
	info := types.Info{Selections: make(map[*ast.SelectorExpr]*types.Selection)}
	if _, err := conf.Check(p.ImportPath, fset, files, &info); err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]string)
	for sel, s := range info.Selections {
		f, ok := s.Obj().(*types.Func)
		if !ok {
			continue
		}
		named, ok := types.Unalias(f.Signature().Recv().Type()).(*types.Named)
		if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != module+"/provider" || named.Obj().Name() != "Mailbox" && named.Obj().Name() != "Watcher" {
			continue
		}
		at := fset.Position(sel.Pos())
		file := filepath.Base(at.Filename)
		out[file] = append(out[file], fmt.Sprintf("%s in line %d", sel.Sel.Name, at.Line))
	}
	return out
}
