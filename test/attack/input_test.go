package attack

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func soon() string { return time.Now().Add(time.Hour).UTC().Format(time.RFC3339) }

// changing are requests that change something, with a body that would do.
func changing() map[string][2]string {
	return map[string][2]string{
		"log in":    {http.MethodPost, "/session"},
		"log out":   {http.MethodDelete, "/session"},
		"account":   {http.MethodPatch, "/account"},
		"source":    {http.MethodPost, "/sources"},
		"upload":    {http.MethodPost, "/uploads"},
		"selection": {http.MethodPut, "/selection"},
		"request":   {http.MethodPost, "/access-requests"},
		"policy":    {http.MethodPut, "/access-policy"},
	}
}

func inputAttempts() []attempt {
	mailbox := func(host string) string {
		return `{"kind":"mailbox","name":"Falle","mailbox":{"protocol":"imap","host":"` + host + `","tls":"auto","user":"x"},"password":"x"}`
	}
	inside := []string{"127.0.0.1", "localhost", "169.254.169.254", "[::1]", "::1", "10.0.0.1", "192.168.1.1", "0.0.0.0", "::ffff:127.0.0.1", "fd00::1", "172.16.0.1", "localhost."}
	return []attempt{
		{"csrf-other-site", func(t *testing.T, w *world) {
			for name, r := range changing() {
				wants(t, name, w.ask(t, "alpha-admin", r[0], r[1], `{}`, set("Sec-Fetch-Site", "cross-site")), 403)
			}
		}},
		{"csrf-other-origin", func(t *testing.T, w *world) {
			for name, r := range changing() {
				wants(t, name, w.ask(t, "alpha-admin", r[0], r[1], `{}`, set("Origin", "https://evil.example")), 403)
				wants(t, name+" of null", w.ask(t, "alpha-admin", r[0], r[1], `{}`, set("Origin", "null")), 403)
			}
		}},
		{"csrf-form", func(t *testing.T, w *world) {
			for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
				wants(t, kind, w.ask(t, "alpha-admin", http.MethodPost, "/sources", `{"kind":"journal","name":"CSRF"}`, set("Content-Type", kind)), 415)
			}
		}},
		{"csrf-by-get", func(t *testing.T, w *world) {
			for _, h := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"} {
				w.ask(t, "alpha-anna", http.MethodGet, "/session", "", set(h, "DELETE"))
			}
			w.ask(t, "alpha-anna", http.MethodGet, "/session?_method=DELETE", "")
			wants(t, "the session", w.ask(t, "alpha-anna", http.MethodGet, "/session", ""), 200)
		}},
		{"cors", func(t *testing.T, w *world) {
			a := w.ask(t, "alpha-anna", http.MethodGet, "/search", "", set("Origin", "https://evil.example"))
			b := w.ask(t, "", http.MethodOptions, "/search", "", set("Origin", "https://evil.example"), set("Access-Control-Request-Method", "GET"))
			for _, x := range []answer{a, b} {
				if x.header.Get("Access-Control-Allow-Origin") != "" || x.header.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("another site may read: %s", x)
				}
			}
		}},
		{"ssrf-source", func(t *testing.T, w *world) {
			for _, host := range inside {
				wants(t, host, w.ask(t, "alpha-admin", http.MethodPost, "/sources", mailbox(host)), 422)
			}
		}},
		{"ssrf-address-as-host", func(t *testing.T, w *world) {
			for _, host := range []string{"http://169.254.169.254/", "evil.example@127.0.0.1", "127.0.0.1:25", "evil.example/../x", "a b", "x\\r\\nHELO y", ""} {
				wants(t, host, w.ask(t, "alpha-admin", http.MethodPost, "/sources", mailbox(host)), 422)
			}
		}},
		{"ssrf-webhook", func(t *testing.T, w *world) {
			for _, host := range append([]string{"user:x@hook.example", "2130706433", "0x7f.1", "[::ffff:10.1.2.3]", "[64:ff9b::7f00:1]", "[fd00::1]"}, inside...) {
				for _, scheme := range []string{"https", "http", "ftp", "file", "gopher"} {
					body := `{"url":"` + scheme + `://` + host + `/x","kinds":["limit.reached"]}`
					if a := w.ask(t, "alpha-admin", http.MethodPost, "/webhooks", body); a.status == 201 && (scheme != "https" || host[0] != '2' && host[:2] != "0x") {
						t.Errorf("%s is taken", body) // what looks like a name is judged when it is connected to
					}
				}
			}
		}},
		{"ssrf-directory", func(t *testing.T, w *world) { directoryInside(t, w, inside) }},
		{"ssrf-folder", func(t *testing.T, w *world) {
			for _, dir := range []string{"/etc", "../../etc", "..", "/", "alpha/../../x", "/proc/self", "a\\u0000b", `C:\\Windows`} {
				body := `{"kind":"folder","name":"Falle","folder":{"directory":"` + dir + `","owners":["anna@alpha.example"]}}`
				a := w.ask(t, "alpha-admin", http.MethodPost, "/sources", body)
				if a.status != 422 && (a.status != 201 || strings.Contains(a.body, `"directory":"/`) || strings.Contains(a.body, "..")) { // below the tenant's directory, or not at all
					t.Errorf("%s: %s", dir, a)
				}
			}
		}},
		{"header-injection-settings", func(t *testing.T, w *world) {
			for _, from := range []string{`a@x.example\r\nBcc: b@x.example`, `a@x.example\nDATA`, `<a@x.example> SIZE=1`} {
				body := `{"smarthost":{"host":"mail.example","tls":"starttls","from":"` + from + `"}}`
				wants(t, from, w.ask(t, "operator", http.MethodPatch, "/smarthost", body), 422)
			}
		}},
		{"header-injection-address", func(t *testing.T, w *world) {
			for _, path := range []string{"/messages/x%0d%0aX-Injected:%20yes/raw", "/search?q=%0d%0aX-Injected:%20yes", "/completeness.csv?from=%0d%0aX-Injected:%20yes", "/access-records.csv?from=%0d%0aX-Injected:yes"} {
				for _, who := range []string{"alpha-admin", "alpha-dpo"} {
					if a := w.ask(t, who, http.MethodGet, path, ""); a.header.Get("X-Injected") != "" {
						t.Errorf("%s: %s", path, a)
					}
				}
			}
		}},
		{"sql-injection", func(t *testing.T, w *world) {
			for _, q := range []string{"' OR 1=1 --", `" OR ""="`, "'; DROP TABLE message; --", "x') UNION SELECT * FROM user --", "id:' OR 1=1", "subject:x' OR '1'='1", `a" MATCH "b`} {
				a := w.ask(t, "alpha-bernd", http.MethodGet, "/search?q="+url.QueryEscape(q), "")
				if a.status != 200 && a.status != 422 || strings.Contains(a.body, "evil@else") {
					t.Errorf("%s: %s", q, a)
				}
			}
			wants(t, "in an id", w.ask(t, "alpha-bernd", http.MethodGet, "/messages/"+url.PathEscape("' OR 1=1 --"), ""), 404)
			wants(t, "in a filter", w.ask(t, "alpha-dpo", http.MethodGet, "/access-records?user="+url.QueryEscape("' OR 1=1 --"), ""), 200)
			wants(t, "afterwards", w.ask(t, "alpha-anna", http.MethodGet, "/messages/"+w.mail.String(), ""), 200)
		}},
		{"path-traversal-site", func(t *testing.T, w *world) {
			for _, path := range []string{"/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../etc/passwd", "/assets/..%5c..%5cetc", "//etc/passwd", "/./instance.key", "/..%2finstance.key", "/catalog.db"} {
				if a := w.plain(t, http.MethodGet, path); strings.Contains(a.body, "root:") || a.status == 200 && strings.Contains(a.body, "SQLite") {
					t.Errorf("%s: %s", path, a)
				}
			}
		}},
		{"path-traversal-ids", func(t *testing.T, w *world) {
			for _, id := range []string{"..", "%2e%2e", "..%2f..%2finstance.key", "%00", "..%5c", w.mail.String() + "%2f..%2f" + w.mail.String()} {
				for _, path := range []string{"/messages/" + id + "/raw", "/messages/" + w.mail.String() + "/attachments/" + id, "/uploads/" + id, "/uploads/" + id + "/report.csv"} {
					if a := w.ask(t, "alpha-anna", http.MethodGet, path, ""); a.status == 200 || a.status >= 500 {
						t.Errorf("%s: %s", path, a)
					}
				}
			}
		}},
		{"path-traversal-upload", func(t *testing.T, w *world) {
			for _, name := range []string{"../../evil.eml", "/etc/cron.d/evil", `..\\..\\evil.eml`, "a/../../evil.eml", "..", "."} {
				a := w.ask(t, "alpha-anna", http.MethodPost, "/uploads", `{"kind":"document","name":"`+name+`","size":4,"date":"2026-01-02"}`)
				if a.status == 201 {
					id := made(t, a)
					wants(t, name, w.ask(t, "alpha-anna", http.MethodPut, "/uploads/"+id+"/data?offset=0", "evil", set("Content-Type", "application/octet-stream")), 200)
					w.ask(t, "alpha-anna", http.MethodDelete, "/uploads/"+id, "")
				} else {
					wants(t, name, a, 422)
				}
			}
			err := filepath.WalkDir(filepath.Dir(w.dir), func(path string, d os.DirEntry, err error) error {
				if err == nil && strings.Contains(d.Name(), "evil") {
					t.Errorf("a file was made: %s", path)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"mass-assignment", func(t *testing.T, w *world) {
			for path, body := range map[string]string{
				"/uploads":         `{"kind":"document","name":"a.txt","size":1,"date":"2026-01-02","owner":"x"}`,
				"/sources":         `{"kind":"journal","name":"x","journal_address":"chosen@alpha.example"}`,
				"/access-requests": `{"kind":"mailbox","addresses":["a@alpha.example"],"reason":"Verdacht auf Betrug","until":"` + soon() + `","requested_by":"x"}`,
			} {
				who := map[string]string{"/uploads": "alpha-anna", "/sources": "alpha-admin", "/access-requests": "alpha-auditor"}[path]
				wants(t, path, w.ask(t, who, http.MethodPost, path, body), 422)
			}
			wants(t, "an unknown parameter", w.ask(t, "alpha-anna", http.MethodGet, "/search?all=true", ""), 422)
			for _, path := range []string{"/users/export.csv?password=true", "/users/export.csv?passwords=maybe", "/users/export.csv?separator=tab", "/completeness.csv?separater=comma", "/messages/" + w.mail.String() + "/raw?all=true"} {
				wants(t, "an unknown parameter of a file: "+path, w.ask(t, "alpha-admin", http.MethodGet, path, ""), 422)
			}
		}},
		{"json-twice", func(t *testing.T, w *world) {
			for _, body := range []string{
				`{"login":"zwei","role":"user","role":"operator"}`, `{"login":"zwei","role":"user","ROLE":"operator"}`, `{"login":"zwei","role":"user","r\u006fLe":"operator"}`,
				`{"login":"zwei","role":"user","login":"drei"}`, `{"login":"zwei","\u006Cogin":"drei","role":"user"}`,
			} {
				wants(t, body, w.ask(t, "alpha-admin", http.MethodPost, "/users", body), 400)
			}
			wants(t, "a size below nothing", w.ask(t, "alpha-anna", http.MethodPost, "/uploads", `{"kind":"document","name":"a.txt","size":3,"SIZE":-4,"date":"2026-01-02"}`), 400)
			wants(t, "deep inside", w.ask(t, "operator", http.MethodPost, "/provisioning/tenants", `{"name":"Zwei","limits":{"mailboxes":1,"Mailboxes":-5}}`), 400)
			wants(t, "half of a character", w.ask(t, "operator", http.MethodPost, "/provisioning/tenants", `{"name":"a\ud800b"}`), 400)
		}},
		{"path-spellings", func(t *testing.T, w *world) {
			for _, path := range []string{"//api/v1/session", "/api//v1/session", "/api/v1/./session", "/api/v1/x/../session", "/api/v1/%2e%2e/v1/session", "/api/v1/session/", "/api/v1/session%2f",
				"/API/v1/session", "/api/v1/session;x=1", "/api/v1/session%00", "//else.example/%2e%2e/api", `/\else.example`, "/%5celse.example"} {
				a := w.plain(t, http.MethodGet, path)
				if to := a.header.Get("Location"); strings.Contains(a.body, "alpha-anna") || strings.HasPrefix(to, "//") || strings.Contains(to, "://") || strings.HasPrefix(to, `/\`) {
					t.Errorf("%s leads to %q: %s", path, to, a)
				}
			}
			// However an address is written, it needs the right of what it is.
			for _, path := range []string{"/users", "/%75sers", "/u%73ers", "/./users", "//users", "/x/%2e%2e/users"} {
				if a := w.ask(t, "alpha-anna", http.MethodGet, path, ""); a.status == 200 || strings.Contains(a.body, "bernd@") {
					t.Errorf("a user lists users by %s: %s", path, a)
				}
			}
		}},
		{"methods", func(t *testing.T, w *world) {
			for _, m := range []string{"TRACE", "CONNECT", "PROPFIND", "PUT", "DELETE", "FOO"} {
				if a := w.ask(t, "alpha-anna", m, "/search", ""); a.status == 200 || strings.Contains(a.body, w.token(t, "alpha-anna")) {
					t.Errorf("%s: %s", m, a)
				}
			}
		}},
	}
}

func bombAttempts() []attempt {
	within := func(t *testing.T, limit time.Duration, f func()) {
		t.Helper()
		start := time.Now()
		if f(); time.Since(start) > limit {
			t.Errorf("took %v", time.Since(start))
		}
	}
	return []attempt{
		{"bomb-body", func(t *testing.T, w *world) {
			wants(t, "2 MB of JSON", w.ask(t, "alpha-anna", http.MethodPatch, "/account", `{"language":"`+strings.Repeat("d", 2<<20)+`"}`), 413)
		}},
		{"bomb-nested-json", func(t *testing.T, w *world) {
			within(t, 10*time.Second, func() {
				a := w.ask(t, "alpha-anna", http.MethodPatch, "/account", strings.Repeat(`{"language":`, 1000)+"1"+strings.Repeat("}", 1000))
				wants(t, "a thousand levels", a, 400, 422)
				a = w.ask(t, "alpha-anna", http.MethodPatch, "/account", strings.Repeat("[", 15_000))
				wants(t, "fifteen thousand", a, 400, 422)
			})
		}},
		{"bomb-headers", func(t *testing.T, w *world) {
			wants(t, "200 kB of header", w.ask(t, "", http.MethodGet, "/status", "", set("X-Long", strings.Repeat("x", 200_000))), 431)
		}},
		{"bomb-query", func(t *testing.T, w *world) {
			for _, q := range []string{strings.Repeat("(", 2000), strings.Repeat("a* ", 1300), strings.Repeat("-", 4000), strings.Repeat("a OR ", 800) + "a", "*" + strings.Repeat("a", 4000), strings.Repeat("NEAR(a b) ", 400)} {
				within(t, 20*time.Second, func() {
					if a := w.ask(t, "alpha-anna", http.MethodGet, "/search?q="+url.QueryEscape(q), ""); a.status != 200 && a.status != 422 {
						t.Errorf("%.20s…: %s", q, a)
					}
				})
			}
		}},
		{"bomb-mime", func(t *testing.T, w *world) {
			var b strings.Builder
			b.WriteString("From: x@else.example\r\nTo: anna@alpha.example\r\nSubject: bombe\r\nMIME-Version: 1.0\r\n")
			for range 3000 {
				b.WriteString("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n")
			}
			within(t, 30*time.Second, func() {
				id := w.ingest(t, "alpha", b.String())
				wants(t, "3000 levels", w.ask(t, "alpha-anna", http.MethodGet, "/messages/"+id.String(), ""), 200)
			})
		}},
		{"bomb-html", func(t *testing.T, w *world) {
			raw := "From: x@else.example\r\nTo: anna@alpha.example\r\nSubject: tief\r\nContent-Type: text/html\r\n\r\n" + strings.Repeat("<div><table><b>", 50_000)
			within(t, 30*time.Second, func() {
				id := w.ingest(t, "alpha", raw)
				if a := w.ask(t, "alpha-anna", http.MethodGet, "/messages/"+id.String()+"/html", ""); a.status >= 500 {
					t.Error(a)
				}
			})
		}},
		{"bomb-upload-size", func(t *testing.T, w *world) {
			wants(t, "more than allowed", w.ask(t, "alpha-anna", http.MethodPost, "/uploads", `{"kind":"document","name":"a.txt","size":99999999999,"date":"2026-01-02"}`), 422)
			wants(t, "less than nothing", w.ask(t, "alpha-anna", http.MethodPost, "/uploads", `{"kind":"document","name":"a.txt","size":-1,"date":"2026-01-02"}`), 422)
			id := made(t, w.ask(t, "alpha-bernd", http.MethodPost, "/uploads", `{"kind":"document","name":"b.txt","size":3,"date":"2026-01-02"}`))
			a := w.ask(t, "alpha-bernd", http.MethodPut, "/uploads/"+id+"/data?offset=0", "more than three", set("Content-Type", "application/octet-stream"))
			wants(t, "more than announced", a, 422, 409, 413)
		}},
		{"bomb-zip", uploadedBomb},
	}
}
