package attack

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
)

// adminAttempts are against what administers: users, log-ins, customers, tokens.
func adminAttempts() []attempt {
	return []attempt{
		{"idor-users", foreignUsers},
		{"role-escalation-by-admin", func(t *testing.T, w *world) {
			id := w.actors["alpha-bernd"].User.String()
			for _, role := range []string{"operator", "reseller", "root"} {
				wants(t, "makes an "+role, w.ask(t, "alpha-admin", http.MethodPost, "/users", `{"login":"chef","role":"`+role+`"}`), 422)
				wants(t, "turns a user into an "+role, w.ask(t, "alpha-admin", http.MethodPatch, "/users/"+id, `{"role":"`+role+`"}`), 422)
				rule := `{"name":"Verzeichnis","settings":{"imap":{"host":"mail.example","tls":"implicit"},"roles":[{"group":"*","role":"` + role + `"}]}}`
				wants(t, "has a directory say "+role, w.ask(t, "alpha-admin", http.MethodPost, "/directories", rule), 422)
			}
			wants(t, "belongs to another customer", w.ask(t, "alpha-admin", http.MethodPost, "/users", `{"login":"x","role":"user","tenant":"`+w.tenants["beta"].ID.String()+`"}`), 422)
			for _, path := range []string{"/tenants", "/resellers", "/usage?month=2026-11", "/certificates", "/smarthost", "/site", "/sealing"} {
				wants(t, path, w.ask(t, "alpha-admin", http.MethodGet, path, ""), 403)
			}
			wants(t, "sells", w.ask(t, "alpha-admin", http.MethodPost, "/provisioning/tenants", `{"name":"Neu"}`), 403)
		}},
		{"token-scope-escape", tokenEscapes},
		{"token-of-others", func(t *testing.T, w *world) {
			_, token, err := w.env.As(w.actors["alpha-admin"]).CreateToken(t.Context(), "Bericht", []archive.Scope{archive.ScopeReportsRead}, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			for _, who := range []string{"beta-admin", "operator"} {
				wants(t, who+" revokes", w.ask(t, who, http.MethodDelete, "/tokens/"+token.ID.String(), ""), 404)
				if a := w.ask(t, who, http.MethodGet, "/tokens", ""); a.status != 200 || strings.Contains(a.body, token.ID.String()) {
					t.Errorf("%s sees %s", who, a)
				}
			}
			for _, scope := range []string{"tenants:write", "mail:read", "*", "", "reports:read tenants:write"} {
				wants(t, "an administrator gives "+scope, w.ask(t, "alpha-admin", http.MethodPost, "/tokens", `{"name":"x","scopes":["`+scope+`"]}`), 422)
			}
			if a := w.ask(t, "alpha-admin", http.MethodGet, "/tokens", ""); strings.Contains(a.body, "secret") {
				t.Errorf("a token can be read again: %s", a)
			}
		}},
		{"link-reused", usedLinks},
		{"link-host-header", func(t *testing.T, w *world) {
			for _, f := range []func(*http.Request){func(r *http.Request) { r.Host = "evil.example" }, set("X-Forwarded-Host", "evil.example"), set("Forwarded", "host=evil.example")} {
				link := w.invite(t, "beta-anna", f)
				if !strings.HasPrefix(link, address+"/link#") {
					t.Errorf("the link leads to %q", link)
				}
			}
		}},
		{"link-guessed", func(t *testing.T, w *world) {
			for _, token := range []string{"x", "", "' OR 1=1 --", strings.Repeat("A", 43), w.actors["alpha-anna"].User.String(), "%", strings.Repeat("x", 5000)} {
				b, err := json.Marshal(map[string]string{"token": token, "password": "ein langes Kennwort, geraten"})
				if err != nil {
					t.Fatal(err)
				}
				wants(t, "token "+token[:min(len(token), 20)], w.ask(t, "", http.MethodPost, "/links/use", string(b)), 410, 422)
			}
		}},
		{"csv-formula-users", func(t *testing.T, w *world) {
			wants(t, "a user", w.ask(t, "alpha-admin", http.MethodPost, "/users", `{"login":"formel","role":"user","first_name":"=cmd|'/C calc'!A1","last_name":"@SUM(1)"}`), 201)
			a := w.ask(t, "alpha-admin", http.MethodGet, "/users/export.csv", "")
			wants(t, "the list", a, 200)
			noFormula(t, a.body, "calc")
		}},
		{"csv-formula-usage", func(t *testing.T, w *world) {
			wants(t, "a customer", w.ask(t, "operator", http.MethodPost, "/provisioning/tenants", `{"name":"=cmd|'/C calc'!A1","slug":"formel"}`), 200)
			a := w.ask(t, "operator", http.MethodGet, "/usage.csv?month="+time.Now().UTC().Format("2006-01"), "")
			wants(t, "the usage", a, 200)
			noFormula(t, a.body, "calc")
		}},
	}
}

// foreignUsers administers another customer's users, and one's own colleagues.
func foreignUsers(t *testing.T, w *world) {
	id := w.actors["alpha-anna"].User.String()
	requests := []struct{ method, path, body string }{
		{http.MethodGet, "", ""}, {http.MethodPatch, "", `{"role":"tenant-admin"}`}, {http.MethodPost, "/addresses", `{"address":"x@beta.example"}`},
		{http.MethodDelete, "/addresses/anna@alpha.example", ""}, {http.MethodPost, "/password", `{"password":"ein langes Kennwort, gesetzt"}`}, {http.MethodGet, "/security", ""},
		{http.MethodPost, "/welcome", `{"show":true}`}, {http.MethodDelete, "/factors", ""}, {http.MethodDelete, "/sessions", ""},
	}
	for _, r := range requests {
		wants(t, "beta's administrator "+r.method+r.path, w.ask(t, "beta-admin", r.method, "/users/"+id+r.path, r.body), 404)
		for _, who := range []string{"alpha-bernd", "alpha-auditor", "alpha-dpo", "operator"} {
			wants(t, who+" "+r.method+r.path, w.ask(t, who, r.method, "/users/"+id+r.path, r.body), 403)
		}
	}
	if a := w.ask(t, "beta-admin", http.MethodGet, "/users?q=alpha", ""); a.status != 200 || strings.Contains(a.body, id) {
		t.Errorf("beta lists %s", a)
	}
	wants(t, "anna afterwards", w.ask(t, "alpha-anna", http.MethodGet, "/messages/"+w.mail.String(), ""), 200)
}

// tokenEscapes uses a token for reports for everything else.
func tokenEscapes(t *testing.T, w *world) {
	secret, _, err := w.env.As(w.actors["alpha-admin"]).CreateToken(t.Context(), "Bericht", []archive.Scope{archive.ScopeReportsRead}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	bearer := set("Authorization", "Bearer "+secret)
	wants(t, "what it is for", w.ask(t, "", http.MethodGet, "/statistics", "", bearer), 200)
	for _, path := range []string{"/search?q=walnuss", "/messages/" + w.mail.String() + "/raw", "/users", "/tokens", "/events", "/log/export", "/tenants", "/session", "/account/security", "/sources/" + w.sources["alpha"].ID.String()} {
		wants(t, path, w.ask(t, "", http.MethodGet, path, "", bearer), 403)
	}
	wants(t, "makes another token", w.ask(t, "", http.MethodPost, "/tokens", `{"name":"x","scopes":["reports:read"]}`, bearer), 403)
	wants(t, "makes a source", w.ask(t, "", http.MethodPost, "/sources", `{"kind":"journal","name":"x"}`, bearer), 403)
	wants(t, "is turned into a POST", w.ask(t, "", http.MethodGet, "/sources", `{"kind":"journal","name":"x"}`, bearer, set("X-HTTP-Method-Override", "POST")), 200)
	// A token beside a session gains nothing, nor loses what it lacks.
	wants(t, "beside a user's session", w.ask(t, "alpha-bernd", http.MethodGet, "/users", "", bearer), 403)
	wants(t, "as cookie", w.ask(t, "", http.MethodGet, "/statistics", "", cookie(secret)), 401)
	wants(t, "in the address", w.ask(t, "", http.MethodGet, "/statistics?access_token="+secret, ""), 401)
	wants(t, "changed", w.ask(t, "", http.MethodGet, "/statistics", "", set("Authorization", "Bearer "+secret[:len(secret)-1])), 401)
}

// address is where the archive says that it is reached.
const address = "https://archiv.example"

// invite has the administrator make a link for somebody, and returns it.
func (w *world) invite(t *testing.T, login string, change ...func(*http.Request)) string {
	t.Helper()
	before := w.env.URL()
	w.env.SetURL(address)
	defer w.env.SetURL(before)
	slug, _, _ := strings.Cut(login, "-")
	a := w.ask(t, slug+"-admin", http.MethodPost, "/users/"+w.actors[login].User.String()+"/welcome", `{}`, change...)
	wants(t, "an invitation", a, 201)
	var v struct{ Link string }
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatal(err)
	}
	return v.Link
}

// usedLinks uses a link twice, and one that another has replaced.
func usedLinks(t *testing.T, w *world) {
	const chosen = "ein langes Kennwort, gewaehlt"
	use := func(link string) answer {
		_, token, _ := strings.Cut(link, "#")
		return w.ask(t, "", http.MethodPost, "/links/use", `{"token":"`+token+`","password":"`+chosen+`"}`)
	}
	session := w.freshToken(t, "beta-anna")
	replaced, link := w.invite(t, "beta-anna"), w.invite(t, "beta-anna")
	wants(t, "one that was replaced", use(replaced), 410)
	a := use(link)
	wants(t, "the first time", a, 200)
	if a.header.Get("Set-Cookie") != "" {
		t.Error("a link opens a session, past the second factor")
	}
	wants(t, "the second time", use(link), 410)
	wants(t, "a session from before", w.ask(t, "", http.MethodGet, "/session", "", cookie(session)), 401)
	wants(t, "the old password", w.ask(t, "", http.MethodPost, "/session", credentials("beta-anna", archivetest.Password)), 401)
	wants(t, "the new one", w.ask(t, "", http.MethodPost, "/session", credentials("beta-anna", chosen)), 200)
}
