// Package manual makes pages for the browser of the manual, which is written in
// Markdown. It must know nothing of who reads it: the manual is the same for all.
//
//	manual.go    the pages and what is in them    render.go   Markdown made HTML
//	page.html    what surrounds a page            style.css   how it looks
package manual

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

//go:embed page.html style.css
var own embed.FS

// StyleSheet is the name of the style sheet, beside the directories of the languages.
const StyleSheet = "style.css"

// Index is the name of the page that leads to all others.
const Index = "index"

// Pages are the names of the pages in the order in which they are offered.
func Pages() []string {
	return []string{Index, "user", "auditor", "data-protection-officer", "tenant-administrator", "reseller", "operator"}
}

// words are the few texts beside the pages themselves.
type words struct{ Manual, Language, Other, Contents, Archive string }

var inLanguage = map[string]words{
	"de": {Manual: "Handbuch", Language: "en", Other: "English", Contents: "Seiten des Handbuchs", Archive: "Zum Archiv"},
	"en": {Manual: "Manual", Language: "de", Other: "Deutsch", Contents: "Pages of the manual", Archive: "To the archive"},
}

// Languages are those in which there is a manual.
func Languages() []string { return []string{"de", "en"} }

// Section is a part of a page that has an address of its own.
type Section struct{ ID, Title string }

// Page is a page of the manual.
type Page struct {
	Name, Language, Title string
	Sections              []Section
	body                  template.HTML
}

// Manual is what is served. It is safe for concurrent use.
type Manual struct {
	pages map[string]*Page  // by language and name, such as de/user
	files map[string][]byte // pages made HTML, pictures and the style sheet, by path
}

// New makes the pages of files, which has a directory for each language.
func New(files fs.FS) (*Manual, error) {
	m := &Manual{pages: map[string]*Page{}, files: map[string][]byte{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if path.Ext(name) == ".md" {
			return m.add(strings.TrimSuffix(name, ".md"), b)
		}
		m.files[name] = b
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("manual: %w", err)
	}
	if m.files[StyleSheet], err = own.ReadFile(StyleSheet); err != nil {
		return nil, fmt.Errorf("manual: %w", err)
	}
	return m, m.surround()
}

func (m *Manual) add(name string, markdown []byte) error {
	language, page, _ := strings.Cut(name, "/")
	p, err := render(markdown)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p.Name, p.Language = page, language
	m.pages[name] = p
	return nil
}

// surround puts the pages between what leads to the others.
func (m *Manual) surround() error {
	layout, err := template.ParseFS(own, "page.html")
	if err != nil {
		return fmt.Errorf("manual: %w", err)
	}
	for _, language := range Languages() {
		all := make([]*Page, 0, len(Pages()))
		for _, name := range Pages() {
			p := m.pages[language+"/"+name]
			if p == nil {
				return fmt.Errorf("manual: there is no page %s/%s", language, name)
			}
			all = append(all, p)
		}
		for _, p := range all {
			var out bytes.Buffer
			err := layout.Execute(&out, map[string]any{"Page": p, "Body": p.body, "All": all, "Words": inLanguage[language]})
			if err != nil {
				return fmt.Errorf("manual: %s/%s: %w", language, p.Name, err)
			}
			m.files[language+"/"+p.Name] = out.Bytes()
		}
	}
	return nil
}

// Page returns a page by language and name; nil if there is none.
func (m *Manual) Page(language, name string) *Page { return m.pages[language+"/"+name] }

// ErrNotFound says that the manual has no such file.
var ErrNotFound = errors.New("the manual has no such page")

// File returns a page as HTML (de/user), a picture (de/search.png) or the style sheet.
// The bytes must not be changed.
func (m *Manual) File(name string) ([]byte, error) {
	b, ok := m.files[name]
	if !ok {
		return nil, ErrNotFound
	}
	return b, nil
}
