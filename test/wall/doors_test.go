package wall

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archivetest"
)

// outside asks a path that is not below the base of the interface.
func (w *world) outside(c *http.Client, method, path string) (status int, all string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Header.Del("X-Request-Id")
	res.Header.Del("Date")
	return res.StatusCode, fmt.Sprint(res.Header, changing.ReplaceAllString(string(b), `"$1":_`))
}

// plainPaths are the requests that walk each route outside of the document.
func plainPaths() map[string][]string {
	return map[string][]string{
		"GET /healthz": {"/healthz"},
		"GET /metrics": {"/metrics"},
		"GET /manual/": {"/manual/", "/manual/de/user", "/manual/de/../../data"},
		"/api/":        {"/api/", "/api/v1/", "/api/v1/messages", "/api/v1/messages/", "/api/v1/persons", "/api/v1/customers", "/api/v2/search"},
		// The log-in at a provider: no directory is there, nobody has begun.
		"GET /auth/oidc/start":    {"/auth/oidc/start?directory=01kaq2n3c4d5e6f7g8h9jkmnpq"},
		"GET /auth/oidc/callback": {"/auth/oidc/callback?state=x&code=x"},
		"/":                       {"/", "/search?q=walnuss", "/messages/x", "/alpha", "/openapi.json"},
	}
}

// The routes outside of the document tell everybody the same: nothing of anybody.
func TestPlainRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paths := plainPaths()
	walked := make([]string, 0, len(paths))
	for pattern := range paths {
		walked = append(walked, pattern)
	}
	slices.Sort(walked)
	slices.Sort(w.plain)
	if !slices.Equal(walked, w.plain) {
		t.Fatalf("routes outside of the document are %q, walked are %q", w.plain, walked)
	}
	nobody, owner := w.as(""), w.as("alpha-anna")
	for _, list := range paths {
		for _, path := range list {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, "PROPFIND"} {
				status, got := w.outside(nobody, method, path)
				again, own := w.outside(owner, method, path)
				if status != again || got != own {
					t.Errorf("%s %s depends on who asks:\n%d %s\n%d %s", method, path, status, got, again, own)
				}
				if m := secrets.FindString(strings.ReplaceAll(got, "walnuss.pdf", "")); m != "" || strings.Contains(got, "alpha") {
					t.Errorf("%s %s tells %q: %s", method, path, m, got)
				}
			}
		}
	}
}

// Operations that need no session answer the same for things that exist and for
// things that do not.
func TestLogInTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	try := func(login, tenant, password string) answer {
		return w.ask(w.as(""), http.MethodPost, "/session", fmt.Sprintf(`{"login":%q,"tenant":%q,"password":%q}`, login, tenant, password))
	}
	const right = archivetest.Password
	want := try("nobody", "", "wrong").String()
	for name, a := range map[string]answer{
		"a user who exists":              try("alpha-anna", "", "wrong"),
		"an address that exists":         try("anna@firma.example", "", "wrong"),
		"a customer who exists":          try("nobody", "alpha", "wrong"),
		"a customer who does not":        try("nobody", "gamma", "wrong"),
		"a user of another customer":     try("alpha-bernd", "beta", right),
		"an address of another customer": try("bernd@firma.example", "gamma", right),
	} {
		if a.status != http.StatusUnauthorized || a.String() != want {
			t.Errorf("%s: %s, want %s", name, a, want)
		}
	}
}

// A place in one's results is of no use to anybody else and tells nothing.
func TestCursorsOfOthers(t *testing.T) {
	t.Parallel()
	w := build(t, others{tenant: true, messages: true})
	next := w.ask(w.as("bernd"), http.MethodGet, "/search?limit=2&q=regal", "").next
	if next == "" {
		t.Fatal("no cursor")
	}
	for _, login := range []string{"bernd", "anna", "zweite-bernd", "zweite-anna"} {
		a := w.ask(w.as(login), http.MethodGet, "/search?limit=2&q=regal&cursor="+next, "")
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"code":"cursor"`) {
			t.Errorf("cursor of another session as %s: %s", login, a)
		}
	}
}

// Everything that is said to somebody without a session is said to all.
func TestStatusIsTheSameForAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := w.ask(w.as(""), http.MethodGet, "/status", "").String()
	for _, login := range []string{"alpha-anna", "beta-bernd"} {
		if got := w.ask(w.as(login), http.MethodGet, "/status", "").String(); got != want {
			t.Errorf("%s is told %s, nobody %s", login, got, want)
		}
	}
}

// Every way to a message with blind copies, walked as a recipient, as a blind
// recipient and as the sender.
func TestBlindCopiesByEveryWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	words := []string{"xaver", "heimlich", "xaver@blind.example", "blind.example", "carla", "carla@firma.example"}
	nonsense := "qwxyzv"
	c := w.as("alpha-bernd")
	for _, o := range operations(t) {
		if o.id == "logOut" || o.id == "logIn" {
			continue
		}
		for _, path := range calls(t, o, w.blind.String()) {
			if a := w.ask(c, o.method, path, body(o, w.secret.String())); blindSecrets.MatchString(a.body) || blindSecrets.MatchString(fmt.Sprint(a.header)) {
				t.Errorf("%s %s tells a blind copy: %s", o.method, path, a)
			}
		}
	}
	if a := w.ask(c, http.MethodGet, "/messages/"+w.blind.String(), ""); a.status != http.StatusOK {
		t.Errorf("the walk has ended the session: %s", a)
	}
	// A guess that is right is answered as one that is wrong.
	for _, as := range []string{"alpha-bernd", "beta-anna", "alpha-dora"} {
		c := w.as(as)
		for _, field := range []string{"", "bcc:", "blindkopie:", "to:", "cc:", "from:", "with:", "body:", "-bcc:", "NOT bcc:", "=", "bcc:=", "subject:", "filename:", "source:", "tag:", "blindkopie bcc:"} {
			for _, path := range []string{"/search?q=", "/search/facets?q=", "/search/suggest?q=", "/messages/" + w.blind.String() + "?q="} {
				ask := func(word string) string {
					a := w.ask(c, http.MethodGet, path+strings.NewReplacer(" ", "+", "=", "%3D").Replace(field+word), "")
					return chipEnds.ReplaceAllString(strings.ReplaceAll(fmt.Sprint(a.status, a.body), word, "WORD"), `"end":_`)
				}
				wrong := ask(nonsense)
				for _, word := range words {
					if right := ask(word); right != wrong {
						t.Errorf("%s as %s: the guess %q shows:\n%s\n%s", path+field, as, word, right, wrong)
					}
				}
			}
		}
	}
}

var chipEnds = regexp.MustCompile(`"end":[0-9]+`)

// The hash of the original would let a recipient test guesses of blind copies.
func TestNoHashWithBlindCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/messages/" + w.blind.String()
	if a := w.ask(w.as("alpha-bernd"), http.MethodGet, path, ""); !strings.Contains(a.body, `"sha256":""`) || !strings.Contains(a.body, `"bcc_hidden":true`) {
		t.Errorf("a recipient gets %s", a)
	}
	if a := w.ask(w.as("alpha-anna"), http.MethodGet, path, ""); strings.Contains(a.body, `"sha256":""`) || !strings.Contains(a.body, "xaver@blind.example") {
		t.Errorf("the sender gets %s", a)
	}
}

// A user who is disabled and a session that has ended know nothing any more.
func TestEndedSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("alpha-anna")
	if a := w.ask(c, http.MethodGet, "/messages/"+w.secret.String(), ""); a.status != http.StatusOK {
		t.Fatal(a)
	}
	users, err := w.env.Users(t.Context(), w.alpha.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		u.Disabled = true
		if err := w.env.ChangeUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range operations(t) {
		if slices.Contains(public, o.id) {
			continue
		}
		for _, path := range calls(t, o, w.secret.String()) {
			if a := w.ask(c, o.method, path, body(o, w.secret.String())); a.status != http.StatusUnauthorized || secrets.MatchString(strings.ReplaceAll(a.body, api.Base+path, "")) {
				t.Errorf("%s %s as a disabled user: %s", o.method, path, a)
			}
		}
	}
	if a := w.ask(w.as(""), http.MethodPost, "/session", fmt.Sprintf(`{"login":"alpha-anna","password":%q}`, archivetest.Password)); a.status != http.StatusUnauthorized {
		t.Errorf("a disabled user logs in: %s", a)
	}
}
