package httpd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// uiPolicy is the policy of the web interface: nothing but its own files, and
// the frames in which mail is shown. Mantine writes style elements.
const uiPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ui serves the files of the web interface from memory.
type ui struct{ files map[string]*asset }

type asset struct {
	body []byte
	mime string
	etag string
}

const indexPage = "index.html"

// newUI reads the built web interface; without one it says so.
func newUI(files fs.FS) (*ui, error) {
	u := &ui{files: map[string]*asset{}}
	if files == nil {
		u.files[indexPage] = newAsset(indexPage, []byte("<!doctype html><title>Muniment</title><p>This program was built without its web interface; run: make build\n"))
		return u, nil
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		u.files[name] = newAsset(name, body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("web interface: %w", err)
	}
	if u.files[indexPage] == nil {
		return nil, fmt.Errorf("web interface: %s is missing; run: make build", indexPage)
	}
	return u, nil
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	return &asset{body: body, mime: typeOf(name), etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// typeOf returns the media type of a file. The tables of the operating system
// differ; a script of the wrong type would not be run.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// ServeHTTP sends a file; for paths that are no file names, the application,
// which knows its own pages.
func (u *ui) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	a := u.files[name]
	if a == nil {
		if strings.Contains(name[strings.LastIndexByte(name, '/')+1:], ".") || strings.HasPrefix(name, "assets/") {
			http.NotFound(w, r)
			return
		}
		name = indexPage
		a = u.files[name]
	}
	cache := "no-cache"
	if strings.HasPrefix(name, "assets/") { // their names change with their content
		cache = "public, max-age=31536000, immutable"
	}
	a.serve(w, r, uiPolicy, cache)
}

// serve sends a file under a content security policy.
func (a *asset) serve(w http.ResponseWriter, r *http.Request, policy, cache string) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Type", a.mime)
	h.Set("ETag", a.etag)
	h.Set("Cache-Control", cache)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}
