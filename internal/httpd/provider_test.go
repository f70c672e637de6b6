package httpd

import (
	"net/url"
	"strings"
	"testing"
)

// After a log-in at a provider somebody is led to a page of the web interface, and nowhere
// else.
func TestInsidePath(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"": "/", "/": "/", "/sources": "/sources", "/?q=rechnung&order=oldest": "/?q=rechnung&order=oldest", "/users/06ed": "/users/06ed", "/a/../b": "/b",
		"//evil.example": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "https://evil.example/": "/", "evil.example": "/", "/\t/evil.example": "/", "/\r\nX: y": "/",
		"///evil.example": "/", "/..//evil.example": "/evil.example", "/%2f%2fevil.example": "/evil.example", "/%5cevil.example": "/", "javascript:alert(1)": "/", "/%0d%0aX:y": "/",
		"/api/v1/session": "/", "/auth/oidc/start?directory=x": "/", "/" + strings.Repeat("x", maxNext): "/", "/%zz": "/", "http:/evil.example": "/",
	} {
		if got := insidePath(next); got != want {
			t.Errorf("%.60q leads to %q, want %q", next, got, want)
		}
	}
}

func FuzzInsidePath(f *testing.F) {
	for _, s := range []string{"/", "//x", "/\\x", "/%2f%2fx", "/a?b=//c", "/..//x"} {
		f.Add(s)
	}
	base, err := url.Parse("https://archive.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := insidePath(next)
		u, err := base.Parse(got)
		if err != nil || u.Host != "archive.example" || u.Scheme != "https" || !strings.HasPrefix(got, "/") || len(got) > 1 && (got[1] == '/' || got[1] == '\\') || strings.ContainsAny(got, "\r\n") {
			t.Errorf("%q leads to %q", next, got)
		}
	})
}
