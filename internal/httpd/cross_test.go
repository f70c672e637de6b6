package httpd_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
)

// No operation that changes anything takes a request that a page of another site has a
// browser make, and every answer has the headers that keep pages apart.
func TestNoChangeForOtherSites(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "bernd")
	raw, err := api.Spec()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for path, methods := range doc.Paths {
		path = strings.NewReplacer("{id}", "x", "{name}", "x", "{session}", "x", "{no}", "1", "{capture}", "x").Replace(path)
		for method := range methods {
			method = strings.ToUpper(method)
			if method == http.MethodGet {
				continue
			}
			tried++
			for name, h := range map[string]http.Header{"fetch metadata": {"Sec-Fetch-Site": {"cross-site"}}, "same site": {"Sec-Fetch-Site": {"same-site"}}, "origin": {"Origin": {"https://evil.example"}}, "no origin": {"Origin": {"null"}}} {
				b.header = h
				a := b.do(t, method, "/api/v1"+path, "{}")
				if a.StatusCode != http.StatusForbidden || a.code() != string(api.CodeOrigin) || len(a.Cookies()) > 0 {
					t.Errorf("%s %s, %s: %d %.200s", method, path, name, a.StatusCode, a.body)
				}
				for header, value := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
					"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"} {
					if got := a.Header.Get(header); got != value {
						t.Errorf("%s %s: %s: %q", method, path, header, got)
					}
				}
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d operations change anything", tried)
	}
}
