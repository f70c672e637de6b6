package httpd_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/muniment/muniment/docs/manual"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/httpd"
)

// The manual is there for everybody, in the language of the browser, and can do nothing.
func TestManual(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	s, err := httpd.New(httpd.Config{Archive: e.Archive, Manual: manual.FS()})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, languages string) *httptest.ResponseRecorder {
		t.Helper()
		req := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		req.Header.Set("Accept-Language", languages)
		w := httptest.NewRecorder()
		s.HTTP().Handler.ServeHTTP(w, req)
		return w
	}
	for languages, want := range map[string]string{"de-AT,en;q=0.5": "/manual/de/index", "fr": "/manual/en/index", "": "/manual/en/index"} {
		if a := ask(http.MethodGet, "/manual/", languages); a.Code != http.StatusFound || a.Header().Get("Location") != want || a.Header().Get("Vary") != "Accept-Language" {
			t.Errorf("%q: %d to %s, want %s", languages, a.Code, a.Header().Get("Location"), want)
		}
	}
	for path, kind := range map[string]string{"/manual/de/user": "text/html; charset=utf-8", "/manual/en/search.png": "image/png", "/manual/style.css": "text/css; charset=utf-8"} {
		a := ask(http.MethodGet, path, "")
		policy := a.Header().Get("Content-Security-Policy")
		if a.Code != http.StatusOK || a.Header().Get("Content-Type") != kind || !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %d %s %s", path, a.Code, a.Header().Get("Content-Type"), policy)
		}
	}
	for _, path := range []string{"/manual/de/nothing", "/manual/de/user.md", "/manual/fr/user", "/manual/embed.go"} {
		if a := ask(http.MethodGet, path, ""); a.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, a.Code)
		}
	}
	if a := ask(http.MethodPost, "/manual/de/user", ""); a.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", a.Code)
	}
}
