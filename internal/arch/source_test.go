package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Limits of what one reader can hold in the head.
const (
	maxFile     = 400 // lines
	maxFunction = 60  // lines; tests may list more cases
)

// source is one package directory.
type source struct {
	set   *token.FileSet
	files map[string]*ast.File // by path; tests are left out
}

// packages parses everything under the roots.
func packages(t *testing.T) map[string]*source {
	t.Helper()
	out := map[string]*source{}
	for _, root := range []string{"../../api", "../../cmd", "../../internal", "../../test"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") {
				return err
			}
			dir := filepath.Dir(path)
			if out[dir] == nil {
				out[dir] = &source{set: token.NewFileSet(), files: map[string]*ast.File{}}
			}
			f, err := parser.ParseFile(out[dir].set, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			if n := out[dir].set.Position(f.FileEnd).Line; n > maxFile {
				t.Errorf("%s has %d lines, more than %d: split it by what a reader looks for", path, n, maxFile)
			}
			if !strings.HasSuffix(path, "_test.go") {
				out[dir].files[path] = f
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestSource finds init functions, long functions, packages without a comment
// and package variables that somebody changes.
func TestSource(t *testing.T) {
	t.Parallel()
	for dir, p := range packages(t) {
		commented, vars := len(p.files) == 0, map[string]bool{}
		for path, f := range p.files {
			commented = commented || f.Doc != nil
			for _, decl := range f.Decls {
				switch d := decl.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil && d.Name.Name == "init" {
						t.Errorf("%s has an init function", path)
					}
					if n := p.set.Position(d.End()).Line - p.set.Position(d.Pos()).Line + 1; n > maxFunction && !forTests(dir) {
						t.Errorf("%s: %s has %d lines, more than %d", path, d.Name.Name, n, maxFunction)
					}
				case *ast.GenDecl:
					packageVariables(d, vars)
				}
			}
		}
		if !commented {
			t.Errorf("%s has no package comment", dir)
		}
		if forTests(dir) {
			continue
		}
		for path, f := range p.files {
			for _, name := range assigned(f, vars) {
				t.Errorf("%s changes the package variable %s: hand it over instead", path, name)
			}
		}
	}
}

// forTests tells packages that no product code imports.
func forTests(dir string) bool {
	return strings.HasSuffix(dir, "test") || strings.HasPrefix(dir, "../../test/")
}

func packageVariables(d *ast.GenDecl, into map[string]bool) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			into[name.Name] = name.Name != "_"
		}
	}
}

// assigned lists the package variables that functions of the file assign to,
// by themselves, by an element or by a field. A local variable of the same name
// is the parser's to tell apart: it resolves identifiers within a file.
func assigned(f *ast.File, vars map[string]bool) (names []string) {
	local := func(id *ast.Ident) bool {
		if id.Obj == nil {
			return false
		}
		_, top := id.Obj.Decl.(*ast.ValueSpec)
		return !top || !topLevel(f, id.Obj.Decl)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		var targets []ast.Expr
		switch s := n.(type) {
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				targets = s.Lhs
			}
		case *ast.IncDecStmt:
			targets = []ast.Expr{s.X}
		}
		for _, x := range targets {
			if id := root(x); id != nil && vars[id.Name] && !local(id) {
				names = append(names, id.Name)
			}
		}
		return true
	})
	return names
}

func topLevel(f *ast.File, decl any) bool {
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok {
			for _, s := range g.Specs {
				if s == decl {
					return true
				}
			}
		}
	}
	return false
}

// root is the variable that an expression to the left of = starts with.
func root(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.IndexExpr:
			x = e.X
		case *ast.SelectorExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		default:
			return nil
		}
	}
}

// claims are what no page and no text of the interface may say: certificates
// that do not exist, properties that only an operator's whole procedure has.
var claims = regexp.MustCompile(`(?i)tr-esor-konform|(gobd|tr-esor|bsi|gdpr|dsgvo)[- ]?(zertifiziert|certified)|qualifizierte?s? archiv|qualified archiv|rechtssicher|revisionssicher zertifiziert|legally (safe|secure)|court-proof|gerichtsfest`)

// TestClaims keeps such words out of documents and interface texts.
func TestClaims(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, root := range []string{"../../README.md", "../../ARCHITECTURE.md", "../../CONTRIBUTING.md", "../../SECURITY.md", "../../docs", "../../changes", "../../web/src", "../../cmd", "../../internal/demo"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, ".png") {
				return err
			}
			b, err := os.ReadFile(path)
			checked++
			if claim := claims.Find(b); claim != nil {
				t.Errorf("%s claims %q", path, claim)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if checked < 50 {
		t.Errorf("only %d files were checked", checked)
	}
}
