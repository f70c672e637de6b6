package httpd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/muniment/muniment/api"
)

// TestProblemsAreSaidInGerman: a text that a program may answer with, and that nobody has
// put into German, fails.
func TestProblemsAreSaidInGerman(t *testing.T) {
	t.Parallel()
	g, err := loadGerman()
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{
		validation.MsgUnexpectedProperty, validation.MsgExpectedRFC3339DateTime, validation.MsgExpectedRFC3339Date, validation.MsgExpectedBoolean, validation.MsgExpectedNumber,
		validation.MsgExpectedInteger, validation.MsgExpectedString, validation.MsgExpectedBase64String, validation.MsgExpectedArray, validation.MsgExpectedObject,
		validation.MsgExpectedArrayItemsUnique, validation.MsgExpectedOneOf, validation.MsgExpectedMinimumNumber, validation.MsgExpectedMaximumNumber, validation.MsgExpectedMinLength,
		validation.MsgExpectedMaxLength, validation.MsgExpectedMatchPattern, validation.MsgExpectedMinItems, validation.MsgExpectedMaxItems, validation.MsgExpectedRequiredProperty,
	}
	for _, k := range api.Kinds() {
		texts = append(texts, k.Detail)
	}
	found := textsIn(t, ".", "../archive", "../site", "../remote", "../directory", "../upload", "../retention", "../watch", "../webhook", "../password")
	if len(found) < 150 {
		t.Errorf("only %d texts were found in the sources", len(found))
	}
	for _, text := range append(texts, found...) {
		filled := verb.ReplaceAllString(text, "7")
		if said, ok := g.say(filled); !ok || said == filled {
			t.Errorf("german.json lacks %q", text)
		}
	}
}

// spoken are the functions whose texts are answers, with the place of the text.
func spoken(name string) (int, bool) {
	place, ok := map[string]int{"wrongField": 1, "mistake": 1, "NewProblem": 1, "invalid": 0, "bad": 1, "Wrong": 1, "weak": 1}[name]
	return place, ok
}

// textsIn finds the texts of problems in the sources of packages: arguments of the
// functions that make them, and members of the errors that are made by hand.
func textsIn(t *testing.T, dirs ...string) []string {
	t.Helper()
	var out []string
	add := func(e ast.Expr) {
		if text, ok := literal(e); ok && strings.Trim(verb.ReplaceAllString(text, ""), " :") != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "receiptstamp.go") { // bad is another one there
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.CallExpr:
					if place, ok := spoken(nameOf(x.Fun)); ok && len(x.Args) > place {
						add(x.Args[place])
					}
				case *ast.CompositeLit:
					inLiteral(x, add)
				}
				return true
			})
		}
	}
	return out
}

// inLiteral finds the text of an error that is written as a value.
func inLiteral(x *ast.CompositeLit, add func(ast.Expr)) {
	kind := nameOf(x.Type)
	if kind == "LimitError" && len(x.Elts) == 1 {
		add(x.Elts[0])
		return
	}
	member := map[string]string{"ProblemError": "Message", "FieldError": "Text", "Error": "Text", "": "Message"}[kind]
	for _, e := range x.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && member != "" && nameOf(kv.Key) == member {
			add(kv.Value)
		}
	}
}

func nameOf(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

// literal is a text in the sources, with verbs: what stands between pieces of a sum
// is one.
func literal(e ast.Expr) (string, bool) {
	switch x := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(x.Value)
		return text, err == nil && x.Kind == token.STRING
	case *ast.BinaryExpr:
		left, l := literal(x.X)
		right, r := literal(x.Y)
		if !l {
			left = "%s"
		}
		if !r {
			right = "%s"
		}
		return left + right, l || r
	case *ast.CallExpr:
		if nameOf(x.Fun) == "Sprintf" && len(x.Args) > 0 {
			return literal(x.Args[0])
		}
	}
	return "", false
}

func TestGermanTexts(t *testing.T) {
	t.Parallel()
	g, err := loadGerman()
	if err != nil {
		t.Fatal(err)
	}
	for english, want := range map[string]string{
		"is missing":            "fehlt",
		"expected length >= 12": "mindestens 12 Zeichen",
		"reason: want at least 10 characters and at most 500 bytes of text":                                                             "Begründung: mindestens 10 Zeichen und höchstens 500 Byte Text",
		`address "is missing": is no mail address such as anna@example.com`:                                                             `Adresse "is missing": ist keine E-Mail-Adresse wie anna@example.com`,
		"is easy to guess: it consists of common words and dates or years; use e.g. four words that have nothing to do with each other": "ist leicht zu erraten: es besteht aus häufigen Wörtern und Daten oder Jahreszahlen; verwenden Sie zum Beispiel vier Wörter, die nichts miteinander zu tun haben",
		"no such retention: years: want 1 to 100":                                                                                       "so eine Aufbewahrung gibt es nicht: Jahre: 1 bis 100",
		"branding.accent: want a colour such as #0b5b5c":                                                                                "branding.accent: eine Farbe wie #0b5b5c angeben",
		"users[3].login: %s is there twice":                                                                                             "users[3].login: %s kommt zweimal vor",
		"anna\nx is there twice":                                                                                                        "anna\nx kommt zweimal vor",
		"expected required property name to be present":                                                                                 "name fehlt",
		`expected value to be one of "active, suspended, ended"`:                                                                        "eines von „active, suspended, ended“ angeben",
	} {
		if got, ok := g.say(english); !ok || got != want {
			t.Errorf("%q: %q, %v", english, got, ok)
		}
	}
	for _, english := range []string{"", "something else", "this and that", "x: y", strings.Repeat("a: ", 5000) + "is missing"} {
		if got, ok := g.say(english); ok || got != english {
			t.Errorf("%.40q: %.40q, %v", english, got, ok)
		}
	}
	for _, bad := range []string{`x`, `{"%v":"%s"}`, `{"a %s":"b"}`, `{"a":1}`} {
		if _, err := parseGerman([]byte(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
