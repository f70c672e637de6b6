package attack

import (
	"net/http"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archivetest"
)

func cookie(value string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: api.CookieName, Value: value}) }
}

func sessionAttempts() []attempt {
	return []attempt{
		{"session-fixation", func(t *testing.T, w *world) {
			const chosen = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			if got := w.freshToken(t, "alpha-anna", cookie(chosen)); got == chosen {
				t.Error("the log-in took the token that the attacker had chosen")
			}
			wants(t, "the chosen token", w.ask(t, "", http.MethodGet, "/session", "", cookie(chosen)), 401)
		}},
		{"session-renewed-at-login", func(t *testing.T, w *world) {
			old := w.freshToken(t, "alpha-bernd")
			if again := w.freshToken(t, "alpha-bernd", cookie(old)); again == old {
				t.Error("a second log-in kept the token of the first")
			}
		}},
		{"session-after-logout", func(t *testing.T, w *world) {
			old := w.freshToken(t, "alpha-bernd")
			wants(t, "log-out", w.ask(t, "", http.MethodDelete, "/session", "", cookie(old)), 204)
			wants(t, "the token afterwards", w.ask(t, "", http.MethodGet, "/search", "", cookie(old)), 401)
		}},
		{"session-of-disabled-user", func(t *testing.T, w *world) {
			old := w.freshToken(t, "beta-bernd")
			u, err := w.env.Archive.User(t.Context(), w.tenants["beta"].ID, "beta-bernd")
			if err != nil {
				t.Fatal(err)
			}
			u.Disabled = true
			if err := w.env.ChangeUser(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			wants(t, "the session of a disabled user", w.ask(t, "", http.MethodGet, "/session", "", cookie(old)), 401)
			wants(t, "the log-in of a disabled user", w.ask(t, "", http.MethodPost, "/session", credentials("beta-bernd", archivetest.Password)), 401)
		}},
		{"session-forged-tokens", func(t *testing.T, w *world) {
			for _, v := range []string{"x", "' OR 1=1 --", strings.Repeat("A", 43), strings.Repeat("x", 8000), w.token(t, "alpha-anna")[1:], w.mail.String()} {
				wants(t, "token "+v[:min(len(v), 20)], w.ask(t, "", http.MethodGet, "/session", "", cookie(v)), 401)
			}
		}},
		{"session-cookie-flags", func(t *testing.T, w *world) {
			a := w.ask(t, "", http.MethodPost, "/session", credentials("alpha-anna", archivetest.Password))
			c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
			if err != nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("cookie %+v: %v", c, err)
			}
			if strings.Contains(a.body, c.Value) {
				t.Error("the token is in the answer, where scripts read it")
			}
		}},
		{"session-token-in-address", func(t *testing.T, w *world) {
			token := w.token(t, "alpha-anna")
			wants(t, "a token in the address", w.ask(t, "", http.MethodGet, "/search?"+api.CookieName+"="+token, ""), 401)
			wants(t, "a token as bearer", w.ask(t, "", http.MethodGet, "/session", "", set("Authorization", "Bearer "+token)), 401)
		}},
		{"proxy-headers-of-strangers", func(t *testing.T, w *world) {
			a := w.ask(t, "", http.MethodPost, "/session", credentials("alpha-anna", archivetest.Password), set("X-Forwarded-Proto", "https"), set("X-Forwarded-For", "192.0.2.9"))
			if got := a.header.Get("Set-Cookie"); !strings.HasPrefix(got, api.CookieName+"=") || a.header.Get("Strict-Transport-Security") != "" {
				t.Errorf("somebody who is no proxy was believed: %s", a)
			}
		}},
	}
}

func logInAttempts() []attempt {
	try := func(t *testing.T, w *world, login, password string, change ...func(*http.Request)) answer {
		t.Helper()
		return w.ask(t, "", http.MethodPost, "/session", credentials(login, password), change...)
	}
	return []attempt{
		{"login-injection", func(t *testing.T, w *world) {
			for _, login := range []string{"' OR '1'='1", `alpha-anna' --`, `" OR ""="`, "alpha-anna\x00", "*", "%", "alpha-ann_", "*)(uid=*", "alpha-anna)(|(uid=*", "${jndi:ldap://x}"} {
				wants(t, login, try(t, w, login, archivetest.Password), 401, 422)
			}
		}},
		{"login-enumeration", func(t *testing.T, w *world) {
			strip := func(a answer) string {
				return strings.Join(strings.FieldsFunc(a.body, func(r rune) bool { return r == ',' })[:4], ",")
			}
			there, nobody := try(t, w, "alpha-dpo", "wrong"), try(t, w, "nobody-at-all", "wrong")
			if there.status != nobody.status || strip(there) != strip(nobody) || len(there.body) != len(nobody.body) {
				t.Errorf("they differ:\n%s\n%s", there, nobody)
			}
		}},
		{"login-timing", func(t *testing.T, w *world) {
			// The time is that of the hash; how much else the machine does is not looked at.
			for _, login := range []string{"beta-dpo", "who-is-that", "beta-dpo@beta.example", "x@beta.example", "beta-bernd"} {
				before := w.env.Hasher.Hashes()
				if wants(t, login, try(t, w, login, "wrong"), 401); w.env.Hasher.Hashes()-before != 1 {
					t.Errorf("%s: %d passwords were hashed, want 1", login, w.env.Hasher.Hashes()-before)
				}
			}
		}},
		{"login-brute-force", func(t *testing.T, w *world) {
			var last answer
			for range 12 {
				if last = try(t, w, "beta-auditor", "guess"); last.status == 429 {
					break
				}
			}
			if last.status != 429 || last.header.Get("Retry-After") == "" {
				t.Errorf("twelve guesses: %s", last)
			}
			wants(t, "the right password after them", try(t, w, "beta-auditor", archivetest.Password), 429)
			wants(t, "with forged addresses", try(t, w, "beta-auditor", "guess", set("X-Forwarded-For", "203.0.113.77"), set("X-Real-Ip", "203.0.113.78"), set("Forwarded", "for=203.0.113.79")), 429)
			wants(t, "in other letters", try(t, w, " Beta-AUDITOR ", "guess"), 429)
			wants(t, "somebody else meanwhile", try(t, w, "alpha-anna", archivetest.Password), 200)
		}},
		{"login-huge-password", func(t *testing.T, w *world) {
			wants(t, "a password of 10 kB", try(t, w, "alpha-anna", strings.Repeat("x", 10_000)), 422)
			wants(t, "a body of 1 MB", try(t, w, "alpha-anna", strings.Repeat("x", 1<<20)), 413)
		}},
		{"login-password-echoed", func(t *testing.T, w *world) {
			if a := try(t, w, strings.Repeat("x", 400), "geheim-geheim-42"); strings.Contains(a.body, "geheim-geheim-42") {
				t.Errorf("the password comes back: %s", a)
			}
		}},
		{"login-foreign-customer", func(t *testing.T, w *world) {
			a := w.ask(t, "", http.MethodPost, "/session", `{"login":"alpha-anna","tenant":"beta","password":"`+archivetest.Password+`"}`)
			wants(t, "alpha's user at beta", a, 401)
			a = w.ask(t, "", http.MethodPost, "/session", `{"login":"alpha-admin","operator":true,"password":"`+archivetest.Password+`"}`)
			wants(t, "alpha's administrator as operator", a, 401)
		}},
	}
}
