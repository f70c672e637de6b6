package manual_test

import (
	"errors"
	"image/png"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	files "github.com/muniment/muniment/docs/manual"
	"github.com/muniment/muniment/internal/manual"
)

// Bounds of the pictures: the manual is part of the program.
const (
	maxPicture  = 100_000   // bytes
	maxPictures = 3_000_000 // bytes, of all together
	maxWidth    = 1400      // pixels
)

var (
	link   = regexp.MustCompile(`<(?:a|img)\b[^>]*\b(?:href|src)="([^"]*)"`)
	anchor = regexp.MustCompile(`\bid="([^"]+)"`)
)

func theManual(t *testing.T) *manual.Manual {
	t.Helper()
	m, err := manual.New(files.FS())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func page(t *testing.T, m *manual.Manual, name string) string {
	t.Helper()
	b, err := m.File(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(b)
}

// Both languages have the same pages and sections, in the same order.
func TestLanguagesMatch(t *testing.T) {
	t.Parallel()
	m := theManual(t)
	for _, name := range manual.Pages() {
		var ids [2][]string
		for i, language := range manual.Languages() {
			for _, s := range m.Page(language, name).Sections {
				ids[i] = append(ids[i], s.ID)
			}
		}
		if diff := cmp.Diff(ids[0], ids[1]); diff != "" {
			t.Errorf("%s: sections differ between the languages:\n%s", name, diff)
		}
	}
}

// Every link and every picture leads to something that is there, on this server.
func TestLinks(t *testing.T) {
	t.Parallel()
	m := theManual(t)
	used := map[string]bool{}
	for _, language := range manual.Languages() {
		for _, name := range manual.Pages() {
			here := language + "/" + name
			for _, l := range link.FindAllStringSubmatch(page(t, m, here), -1) {
				target, fragment, _ := strings.Cut(l[1], "#")
				if strings.HasPrefix(target, "/") { // the archive itself
					continue
				}
				if strings.Contains(target, ":") {
					t.Errorf("%s leads to %s, on another server", here, l[1])
					continue
				}
				to := here
				if target != "" {
					to = path.Join(language, target)
				}
				used[to] = true
				b, err := m.File(to)
				if err != nil {
					t.Errorf("%s leads to %s, which is not there", here, l[1])
				} else if fragment != "" && !has(string(b), fragment) {
					t.Errorf("%s leads to %s, which has no such section", here, l[1])
				}
			}
		}
	}
	eachPicture(t, func(name string, _ []byte) {
		if !used[name] {
			t.Errorf("%s is shown on no page", name)
		}
	})
}

func has(html, id string) bool {
	for _, a := range anchor.FindAllStringSubmatch(html, -1) {
		if a[1] == id {
			return true
		}
	}
	return false
}

func eachPicture(t *testing.T, look func(name string, b []byte)) {
	t.Helper()
	names, err := fs.Glob(files.FS(), "*/*.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := files.FS().ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		look(name, b)
	}
}

func TestPicturesAreSmall(t *testing.T) {
	t.Parallel()
	sum := 0
	eachPicture(t, func(name string, b []byte) {
		sum += len(b)
		c, err := png.DecodeConfig(strings.NewReader(string(b)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c.Width > maxWidth {
			t.Errorf("%s is %d pixels wide; at most %d", name, c.Width, maxWidth)
		}
		if len(b) > maxPicture {
			t.Errorf("%s has %d bytes; at most %d", name, len(b), maxPicture)
		}
	})
	if sum > maxPictures {
		t.Errorf("all pictures have %d bytes; at most %d", sum, maxPictures)
	}
}

// Nothing on a page is run or loaded from elsewhere, and no Markdown is left over.
func TestPages(t *testing.T) {
	t.Parallel()
	m := theManual(t)
	for _, language := range manual.Languages() {
		for _, name := range manual.Pages() {
			html := page(t, m, language+"/"+name)
			for _, bad := range []string{"javascript:", "<iframe", "style=", "onclick", "raw HTML omitted", "<a id=", ".md\"", "\n## ", "](", "**"} {
				if strings.Contains(html, bad) {
					t.Errorf("%s/%s contains %q", language, name, bad)
				}
			}
			if !strings.Contains(html, `<html lang="`+language+`">`) || strings.Count(html, "<h1") != 1 || strings.Count(html, "<script") != 1 {
				t.Errorf("%s/%s has no proper frame", language, name)
			}
			for _, s := range m.Page(language, name).Sections {
				if !strings.Contains(html, `id="`+s.ID+`"`) || s.Title == "" {
					t.Errorf("%s/%s: section %q is not there", language, name, s.ID)
				}
			}
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	for name, markdown := range map[string]string{
		"no title":                  "text\n",
		"an anchor above a text":    "# Title\n\n<a id=\"x\"></a>\n\ntext\n",
		"an anchor at the very end": "# Title\n\n<a id=\"x\"></a>\n",
	} {
		whole := fstest.MapFS{}
		for _, language := range manual.Languages() {
			for _, p := range manual.Pages() {
				whole[language+"/"+p+".md"] = &fstest.MapFile{Data: []byte("# Title\n")}
			}
		}
		if _, err := manual.New(whole); err != nil {
			t.Fatal(err)
		}
		whole["de/user.md"] = &fstest.MapFile{Data: []byte(markdown)}
		if _, err := manual.New(whole); err == nil || !strings.Contains(err.Error(), "de/user") {
			t.Errorf("%s: %v", name, err)
		}
		delete(whole, "de/user.md")
		if _, err := manual.New(whole); err == nil {
			t.Errorf("a page is missing, and nobody says so")
		}
	}
	if _, err := theManual(t).File("de/../../secret"); !errors.Is(err, manual.ErrNotFound) {
		t.Errorf("a path that leads out: %v", err)
	}
}
