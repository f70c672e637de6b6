package attack

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var idIn = regexp.MustCompile(`"id":"([0-9a-z]{26})"`)

// made returns the id of what an answer says was made.
func made(t *testing.T, a answer) string {
	t.Helper()
	m := idIn.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("nothing was made: %s", a)
	}
	return m[1]
}

// strangers are those who must not know of anna's mail.
func strangers() []string {
	return []string{"alpha-bernd", "alpha-admin", "alpha-auditor", "alpha-dpo", "beta-anna", "beta-admin", "beta-dpo"}
}

func foreignAttempts() []attempt {
	return []attempt{
		{"idor-messages", func(t *testing.T, w *world) {
			for _, who := range strangers() {
				for _, path := range []string{"", "/html", "/raw", "/raw?inline=true", "/attachments/1", "/attachments/2", "/reports/" + w.mail.String()} {
					wants(t, who+" "+path, w.ask(t, who, http.MethodGet, "/messages/"+w.mail.String()+path, ""), 404)
				}
				wants(t, who+" checks", w.ask(t, who, http.MethodPost, "/messages/"+w.mail.String()+"/check", ""), 404)
				if a := w.ask(t, who, http.MethodGet, "/search?q=walnuss", ""); a.status != 200 || !strings.Contains(a.body, `"total":0`) {
					t.Errorf("%s finds %s", who, a)
				}
			}
			wants(t, "the operator", w.ask(t, "operator", http.MethodGet, "/messages/"+w.mail.String(), ""), 403)
		}},
		{"idor-sources", func(t *testing.T, w *world) {
			id := w.sources["alpha"].ID.String()
			for _, path := range []string{"", "/left", "/history"} {
				a := w.ask(t, "beta-admin", http.MethodGet, "/sources/"+id+path, "")
				wants(t, "beta's administrator "+path, a, 404)
			}
			wants(t, "changes", w.ask(t, "beta-admin", http.MethodPatch, "/sources/"+id, `{"category":"x"}`), 404)
			if a := w.ask(t, "beta-admin", http.MethodGet, "/sources", ""); strings.Contains(a.body, id) {
				t.Errorf("beta lists %s", a)
			}
		}},
		{"idor-uploads", func(t *testing.T, w *world) {
			id := made(t, w.ask(t, "alpha-anna", http.MethodPost, "/uploads", `{"kind":"document","name":"a.txt","size":3,"date":"2026-01-02"}`))
			for _, who := range strangers() {
				wants(t, who+" sees", w.ask(t, who, http.MethodGet, "/uploads/"+id, ""), 404)
				wants(t, who+" writes", w.ask(t, who, http.MethodPut, "/uploads/"+id+"/data?offset=0", "abc", set("Content-Type", "application/octet-stream")), 404)
				wants(t, who+" finishes", w.ask(t, who, http.MethodPost, "/uploads/"+id+"/finish", `{}`), 404)
				wants(t, who+" cancels", w.ask(t, who, http.MethodDelete, "/uploads/"+id, ""), 404)
				wants(t, who+" reads the report", w.ask(t, who, http.MethodGet, "/uploads/"+id+"/report.csv", ""), 404)
			}
		}},
		{"idor-quarantine", func(t *testing.T, w *world) {
			wants(t, "beta releases alpha's", w.ask(t, "beta-admin", http.MethodPost, "/quarantine/decisions", `{"state":"released","ids":["`+w.mail.String()+`"]}`), 404)
		}},
		{"idor-access-requests", func(t *testing.T, w *world) {
			id := w.approved(t, "Verdacht auf Betrug")
			for _, who := range []string{"beta-dpo", "beta-admin"} {
				wants(t, who+" sees", w.ask(t, who, http.MethodGet, "/access-requests/"+id, ""), 404)
				wants(t, who+" decides", w.ask(t, who, http.MethodPost, "/access-requests/"+id+"/decision", `{"approve":true}`), 404)
				wants(t, who+" ends", w.ask(t, who, http.MethodPost, "/access-requests/"+id+"/end", ""), 404)
			}
			if a := w.ask(t, "beta-dpo", http.MethodGet, "/access-records?request="+id, ""); a.status != 200 || strings.Contains(a.body, "anna") {
				t.Errorf("beta's officer sees %s", a)
			}
		}},
		{"grant-of-others", func(t *testing.T, w *world) {
			id := w.approved(t, "Verdacht auf Betrug")
			for _, who := range []string{"alpha-bernd", "alpha-admin", "alpha-dpo", "beta-dpo", "beta-admin", "operator"} {
				for _, path := range []string{"/search?grant=" + id, "/messages/" + w.mail.String() + "?grant=" + id, "/messages/" + w.mail.String() + "/raw?grant=" + id} {
					if a := w.ask(t, who, http.MethodGet, path, ""); a.status != 403 && a.status != 404 || strings.Contains(a.body, "walnuss") {
						t.Errorf("%s %s: %s", who, path, a)
					}
				}
			}
		}},
		{"grant-guessed", func(t *testing.T, w *world) {
			for _, id := range []string{"x", "*", "0", w.mail.String(), w.sources["alpha"].ID.String(), "' OR 1=1 --"} {
				a := w.ask(t, "alpha-auditor", http.MethodGet, "/search?grant="+strings.ReplaceAll(id, " ", "+"), "")
				wants(t, "grant "+id, a, 404)
			}
			id := w.approved(t, "Verdacht auf Betrug")
			a := w.ask(t, "alpha-auditor", http.MethodGet, "/search?q=&grant="+id+"&grant=x", "")
			if a.status == 200 && !strings.Contains(a.body, `"total":1`) {
				t.Errorf("two grants: %s", a)
			}
		}},
		{"grant-escape", func(t *testing.T, w *world) {
			id := w.approved(t, "Verdacht auf Betrug")
			for _, path := range []string{"/statistics", "/sources", "/uploads", "/completeness.csv", "/access-records", "/access-requests", "/session", "/account/readers"} {
				if a := w.ask(t, "alpha-auditor", http.MethodGet, path+"?grant="+id, ""); a.status == 200 {
					t.Errorf("%s under a grant: %s", path, a)
				}
			}
			bernds := w.ingest(t, "alpha", "From: x@else.example\r\nTo: bernd@alpha.example\r\nSubject: privat\r\n\r\nwalnuss\r\n")
			wants(t, "another mailbox", w.ask(t, "alpha-auditor", http.MethodGet, "/messages/"+bernds.String()+"?grant="+id, ""), 404)
			if a := w.ask(t, "alpha-auditor", http.MethodGet, "/search?q=walnuss+OR+privat&grant="+id, ""); !strings.Contains(a.body, `"total":1`) {
				t.Errorf("finds %s", a)
			}
		}},
		{"grant-approved-alone", func(t *testing.T, w *world) {
			id := made(t, w.ask(t, "alpha-auditor", http.MethodPost, "/access-requests", `{"kind":"mailbox","addresses":["anna@alpha.example"],"reason":"Neugier und Langeweile","until":"`+soon()+`"}`))
			wants(t, "approves the own request", w.ask(t, "alpha-auditor", http.MethodPost, "/access-requests/"+id+"/decision", `{"approve":true}`), 403)
			wants(t, "reads before it is approved", w.ask(t, "alpha-auditor", http.MethodGet, "/search?grant="+id, ""), 403)
			wants(t, "approved when it is made", w.ask(t, "alpha-auditor", http.MethodPost, "/access-requests",
				`{"kind":"mailbox","addresses":["a@alpha.example"],"reason":"Neugier und Langeweile","until":"`+soon()+`","state":"approved"}`), 422)
			wants(t, "an administrator asks", w.ask(t, "alpha-admin", http.MethodPost, "/access-requests", `{}`), 403)
		}},
		{"grant-after-end", func(t *testing.T, w *world) {
			id := w.approved(t, "Verdacht auf Betrug")
			wants(t, "before", w.ask(t, "alpha-auditor", http.MethodGet, "/messages/"+w.mail.String()+"?grant="+id, ""), 200)
			wants(t, "end", w.ask(t, "alpha-dpo", http.MethodPost, "/access-requests/"+id+"/end", ""), 200)
			for _, path := range []string{"", "/html", "/raw", "/attachments/1"} {
				wants(t, "after the end "+path, w.ask(t, "alpha-auditor", http.MethodGet, "/messages/"+w.mail.String()+path+"?grant="+id, ""), 403)
			}
		}},
		{"cursor-of-others", func(t *testing.T, w *world) {
			for i := range 3 {
				w.ingest(t, "alpha", fmt.Sprintf("From: x@else.example\r\nTo: anna@alpha.example\r\nSubject: viele %d\r\n\r\nviele\r\n", i))
			}
			a := w.ask(t, "alpha-anna", http.MethodGet, "/search?q=viele&limit=1", "")
			m := regexp.MustCompile(`"next":"([^"]+)"`).FindStringSubmatch(a.body)
			if m == nil {
				t.Fatal(a)
			}
			wants(t, "anna's cursor", w.ask(t, "alpha-bernd", http.MethodGet, "/search?q=viele&limit=1&cursor="+m[1], ""), 422)
			wants(t, "a forged one", w.ask(t, "alpha-anna", http.MethodGet, "/search?q=viele&limit=1&cursor="+m[1][:len(m[1])-2]+"AA", ""), 422)
		}},
		{"role-escalation", func(t *testing.T, w *world) {
			for _, body := range []string{`{"role":"tenant-admin"}`, `{"language":"de","role":"operator"}`, `{"addresses":["anna@alpha.example"]}`, `{"tenant":{"id":"x"}}`} {
				wants(t, body, w.ask(t, "alpha-bernd", http.MethodPatch, "/account", body), 422)
			}
			if a := w.ask(t, "alpha-bernd", http.MethodGet, "/session", ""); !strings.Contains(a.body, `"role":"user"`) {
				t.Error(a)
			}
			wants(t, "a user's statistics", w.ask(t, "alpha-bernd", http.MethodGet, "/statistics", ""), 403)
			wants(t, "a user imports mail", w.ask(t, "alpha-bernd", http.MethodPost, "/uploads", `{"kind":"mail","name":"a.eml","size":1}`), 403)
		}},
	}
}
