package httpd

import (
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/muniment/muniment/internal/manual"
)

// manualPolicy is the policy of the manual: text, pictures, and the script that chooses
// the colours before anything is painted.
const manualPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// manualPath is below which the manual is.
const manualPath = "/manual/"

// manualDoor serves the manual to everybody, also before any log-in: there is nothing of
// an archive in it. Its pages are made when the first one is asked for.
type manualDoor struct {
	pages  func() (*manual.Manual, error)
	assets sync.Map // path → *asset
	choose func(r *http.Request) string
}

func (s *Server) newManualDoor() *manualDoor {
	return &manualDoor{
		pages: sync.OnceValues(func() (*manual.Manual, error) {
			if s.cfg.Manual == nil {
				return nil, manual.ErrNotFound
			}
			return manual.New(s.cfg.Manual)
		}),
		choose: func(r *http.Request) string { return s.preferred(r.Header.Get("Accept-Language")) },
	}
}

// ServeHTTP sends a page, a picture or the style sheet; for a path without a language or
// a page it leads to the beginning, in the language of the browser.
func (d *manualDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), strings.TrimSuffix(manualPath, "/"))
	name = strings.TrimPrefix(name, "/")
	switch name {
	case "":
		w.Header().Set("Vary", "Accept-Language")
		w.Header().Set("Cache-Control", "no-cache")
		http.Redirect(w, r, manualPath+d.choose(r)+"/"+manual.Index, http.StatusFound)
		return
	case "de", "en":
		http.Redirect(w, r, manualPath+name+"/"+manual.Index, http.StatusFound)
		return
	}
	a, err := d.asset(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	a.serve(w, r, manualPolicy, "no-cache")
}

func (d *manualDoor) asset(name string) (*asset, error) {
	if a, ok := d.assets.Load(name); ok {
		return a.(*asset), nil
	}
	m, err := d.pages()
	if err != nil {
		return nil, err
	}
	b, err := m.File(name)
	if err != nil {
		return nil, err
	}
	kind := name
	if path.Ext(name) == "" {
		kind = indexPage // a page
	}
	a, _ := d.assets.LoadOrStore(name, newAsset(kind, b))
	return a.(*asset), nil
}
