package attack

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archivetest"
)

func outputAttempts() []attempt {
	at := func(w *world, path string) string { return "/messages/" + w.mail.String() + path }
	return []attempt{
		{"xss-html-mail", func(t *testing.T, w *world) {
			a := w.ask(t, "alpha-anna", http.MethodGet, at(w, "/html?remote=true"), "")
			wants(t, "the HTML", a, 200)
			if m := regexp.MustCompile(`(?i)<script|onerror|onload|javascript:|<iframe|<form|<input|<base|http-equiv|<link|<svg`).FindString(a.body); m != "" {
				t.Errorf("%q is left: %s", m, a)
			}
			policy := a.header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
				t.Errorf("policy %q", policy)
			}
		}},
		{"xss-attachment", func(t *testing.T, w *world) {
			for _, no := range []string{"1", "2", "3"} {
				a := w.ask(t, "alpha-anna", http.MethodGet, at(w, "/attachments/"+no), "")
				if a.status == 404 {
					continue
				}
				if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment;") || !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") ||
					a.header.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("attachment %s would be shown: %s", no, a)
				}
			}
		}},
		{"xss-source-view", func(t *testing.T, w *world) {
			a := w.ask(t, "alpha-anna", http.MethodGet, at(w, "/raw?inline=true"), "")
			if !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error(a)
			}
		}},
		{"xss-json", func(t *testing.T, w *world) {
			for _, path := range []string{"/search?q=walnuss", at(w, ""), "/search?q=" + url.QueryEscape("<script>alert(1)</script>"), "/search?q=" + url.QueryEscape("before:<img src=x onerror=alert(1)>"), "/messages/" + url.PathEscape("<script>")} {
				a := w.ask(t, "alpha-anna", http.MethodGet, path, "")
				if kind := a.header.Get("Content-Type"); kind != "application/json" && kind != "application/problem+json" || a.header.Get("X-Content-Type-Options") != "nosniff" ||
					!strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
					t.Errorf("%s: %s", path, a)
				}
			}
		}},
		{"xss-every-name", func(t *testing.T, w *world) {
			const evil = `<img src=x onerror=alert(1)>`
			wants(t, "a source", w.ask(t, "alpha-admin", http.MethodPost, "/sources", `{"kind":"journal","name":"`+evil+`"}`), 201)
			id := w.approved(t, "Verdacht "+evil)
			for who, path := range map[string]string{"alpha-admin": "/sources", "alpha-dpo": "/access-requests/" + id} {
				a := w.ask(t, who, http.MethodGet, path, "")
				if a.status != 200 || a.header.Get("Content-Type") != "application/json" {
					t.Errorf("%s: %s", path, a)
				}
			}
		}},
		{"remote-content", func(t *testing.T, w *world) {
			a := w.ask(t, "alpha-anna", http.MethodGet, at(w, "/html"), "")
			if strings.Contains(a.body, "evil.example/pixel") || strings.Contains(a.body, "evil.example/track") || strings.Contains(a.header.Get("Content-Security-Policy"), "http") {
				t.Errorf("the sender learns that the mail is read: %s", a)
			}
		}},
		{"header-injection-subject", func(t *testing.T, w *world) {
			a := w.ask(t, "alpha-anna", http.MethodGet, at(w, "/raw"), "")
			if a.status != 200 || a.header.Get("X-Injected") != "" || strings.ContainsAny(a.header.Get("Content-Disposition"), "\r\n") {
				t.Error(a)
			}
		}},
		{"path-traversal-download", func(t *testing.T, w *world) {
			seen := 0
			for _, no := range []string{"0", "1", "2", "3", "4"} {
				a := w.ask(t, "alpha-anna", http.MethodGet, at(w, "/attachments/"+no), "")
				d := a.header.Get("Content-Disposition")
				if a.status == 200 {
					seen++
				}
				if strings.ContainsAny(strings.TrimPrefix(d, "attachment; "), "/\\\r\n") || strings.Contains(strings.ToLower(d), "%2f") || strings.Contains(strings.ToLower(d), "%5c") || a.header.Get("X-Injected") != "" {
					t.Errorf("a name leads elsewhere: %s", a)
				}
			}
			if seen == 0 {
				t.Error("no attachment was there to be tried")
			}
		}},
		{"csv-formula-records", func(t *testing.T, w *world) {
			id := w.approved(t, `=HYPERLINK("https://evil.example/","x")`)
			for _, q := range []string{"=1+1", "+1", "-1", "@SUM(1)"} {
				w.ask(t, "alpha-auditor", http.MethodGet, "/search?q="+url.QueryEscape(q)+"&grant="+id, "")
			}
			a := w.ask(t, "alpha-dpo", http.MethodGet, "/access-records.csv?request="+id, "")
			wants(t, "the records", a, 200)
			noFormula(t, a.body, "HYPERLINK")
		}},
		{"csv-formula-completeness", func(t *testing.T, w *world) {
			s, err := w.env.CreateJournal(t.Context(), w.tenants["alpha"].ID, `=cmd|'/C calc'!A1`, "")
			if err != nil {
				t.Fatal(err)
			}
			before := w.sources["alpha"]
			w.sources["alpha"] = s
			w.ingest(t, "alpha", "From: x@else.example\r\nTo: anna@alpha.example\r\nSubject: formel\r\n\r\nx\r\n")
			w.sources["alpha"] = before
			a := w.ask(t, "alpha-admin", http.MethodGet, "/completeness.csv", "")
			wants(t, "the accounts", a, 200)
			noFormula(t, a.body, "calc")
		}},
		{"errors-tell-nothing", func(t *testing.T, w *world) {
			for _, path := range []string{"/messages/x", "/search?q=before:x", "/search?limit=x", "/nothing", "/uploads/x"} {
				a := w.ask(t, "alpha-anna", http.MethodGet, path, "")
				if m := regexp.MustCompile(`(?i)\.go:|goroutine|sql|/tmp|panic|internal/`).FindString(strings.ReplaceAll(a.body, "github.com/muniment/muniment/blob/main/docs", "")); m != "" {
					t.Errorf("%s tells %q: %s", path, m, a)
				}
			}
			if a := w.ask(t, "", http.MethodGet, "/status", ""); strings.Contains(a.header.Get("Server"), "Go") || a.header.Get("X-Powered-By") != "" {
				t.Error(a)
			}
		}},
		{"cached-mail", func(t *testing.T, w *world) {
			for _, path := range []string{"/search", at(w, ""), at(w, "/raw"), at(w, "/html"), at(w, "/attachments/1"), "/session"} {
				if a := w.ask(t, "alpha-anna", http.MethodGet, path, ""); a.header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s may be cached: %s", path, a)
				}
			}
		}},
	}
}

// noFormula fails if a cell of a CSV that has the word begins like a formula.
func noFormula(t *testing.T, body, word string) {
	t.Helper()
	if !strings.Contains(body, word) {
		t.Errorf("%q is not in %q", word, body)
	}
	for _, line := range strings.Split(strings.TrimPrefix(body, "\ufeff"), "\n") {
		for _, cell := range regexp.MustCompile(`;|,`).Split(line, -1) {
			if cell = strings.TrimLeft(strings.TrimSpace(cell), `"`); cell != "" && strings.ContainsRune("=+-@\t", rune(cell[0])) {
				t.Errorf("a spreadsheet would compute %q", cell)
			}
		}
	}
}

func siteAttempts() []attempt {
	return []attempt{
		{"open-redirect", func(t *testing.T, w *world) {
			for _, path := range []string{"//evil.example/", "//evil.example/%2e%2e", "/\\evil.example", "/login?next=//evil.example/", "/login?next=https://evil.example", "/auth/oidc/start?directory=//evil.example", "/auth/oidc/start?directory=" + w.mail.String() + "&next=//evil.example",
				"/auth/oidc/callback?state=//evil.example&code=x", "/auth/oidc/callback?error=x&error_uri=https://evil.example/&redirect_uri=//evil.example",
				"/%5cevil.example/..", "/api//evil.example/"} {
				a := w.plain(t, http.MethodGet, path)
				if to := a.header.Get("Location"); to != "" {
					u, err := url.Parse(to)
					if err != nil || u.Host != "" && u.Host != strings.TrimPrefix(w.server.URL, "http://") || strings.HasPrefix(to, "/\\") {
						t.Errorf("%s leads to %q", path, to)
					}
				}
			}
		}},
		{"host-header", func(t *testing.T, w *world) {
			for _, f := range []func(*http.Request){func(r *http.Request) { r.Host = "evil.example" }, set("X-Forwarded-Host", "evil.example"), set("Forwarded", "host=evil.example"), set("X-Original-URL", "/api/v1/statistics")} {
				for _, a := range []answer{w.ask(t, "", http.MethodGet, "/status", "", f), w.plain(t, http.MethodGet, "/", f), w.ask(t, "", http.MethodPost, "/session", credentials("alpha-anna", archivetest.Password), f)} {
					if strings.Contains(a.String(), "evil.example") {
						t.Errorf("the host is believed: %s", a)
					}
				}
			}
		}},
		{"framing", func(t *testing.T, w *world) {
			for _, a := range []answer{w.plain(t, http.MethodGet, "/"), w.ask(t, "", http.MethodGet, "/status", ""), w.ask(t, "alpha-anna", http.MethodGet, "/messages/"+w.mail.String()+"/html", ""), w.plain(t, http.MethodGet, "/nothing")} {
				policy := a.header.Get("Content-Security-Policy")
				if x := a.header.Get("X-Frame-Options"); x != "SAMEORIGIN" && x != "DENY" || !strings.Contains(policy, "frame-ancestors 'none'") && !strings.Contains(policy, "frame-ancestors 'self'") {
					t.Errorf("another site may frame it: %s", a)
				}
			}
		}},
		{"metrics", func(t *testing.T, w *world) {
			for _, f := range []func(*http.Request){func(*http.Request) {}, set("X-Forwarded-For", "127.0.0.1"), set("X-Real-Ip", "127.0.0.1")} {
				if a := w.plain(t, http.MethodGet, "/metrics", f); a.status == 200 {
					t.Errorf("strangers read figures: %s", a)
				}
			}
		}},
		{"hidden-pages", func(t *testing.T, w *world) {
			for _, path := range []string{"/debug/pprof/", "/debug/vars", "/.git/config", "/.env", "/api/v1/docs", "/api/v1/openapi.json", "/api/v1/schemas/Account.json", "/admin", "/server-status"} {
				if a := w.plain(t, http.MethodGet, path); a.status == 200 && (strings.Contains(a.body, "goroutine") || strings.Contains(a.body, "cmdline") || strings.HasPrefix(path, "/api/")) {
					t.Errorf("%s: %s", path, a)
				}
			}
		}},
	}
}
