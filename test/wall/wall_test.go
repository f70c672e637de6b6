// Package wall asks every endpoint as somebody who must not know: nobody, the
// wrong user, the wrong tenant. What it may answer is what it answers for things
// that do not exist.
package wall

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// The messages. Every word of the secret one must stay behind the wall.
const (
	common = "From: Anna <anna@firma.example>\r\nTo: Bernd <bernd@firma.example>\r\nSubject: Gemeinsame Nachricht\r\nMessage-ID: <common@firma.example>\r\n" +
		"Date: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nDie Adresse ist in beiden Firmen gleich.\r\n"
	secret = "From: Zacharias <zacharias@geheim.example>\r\nTo: anna@firma.example\r\nSubject: Geheimplan Walnuss\r\nMessage-ID: <secret@geheim.example>\r\n" +
		"Date: Tue, 7 Jul 2015 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" +
		"<p>Walnuss wird verkauft<img src=https://zaehler.geheim.example/x.gif></p>\r\n--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=walnuss.pdf\r\n\r\nPDF\r\n--b--\r\n"
	blind = "From: anna@firma.example\r\nTo: bernd@firma.example\r\nBcc: Heimlich <xaver@blind.example>, carla@firma.example\r\nSubject: Mit Blindkopie\r\n" +
		"Message-ID: <blind@firma.example>\r\nDate: Wed, 8 Jul 2020 10:00:00 +0100\r\n\r\nText der Blindkopie.\r\n"
)

// secrets are texts that only alpha's anna may get.
var secrets = regexp.MustCompile(`(?i)zacharias|geheim\.example|geheimplan|walnuss|2015`)

// blindSecrets are texts that bernd, a recipient, may not get.
var blindSecrets = regexp.MustCompile(`(?i)xaver|heimlich|blind\.example|carla`)

type world struct {
	t       *testing.T
	env     *archivetest.Env
	server  *httptest.Server
	alpha   *catalog.Tenant
	secret  uid.ID // alpha's
	common  map[string]uid.ID
	blind   uid.ID
	uploads *upload.Store
	plain   []string // routes outside of the OpenAPI document

	networks int // that clients were given
}

func newWorld(t *testing.T) *world {
	e := archivetest.New(t, archivetest.Options{})
	w := &world{t: t, common: map[string]uid.ID{}}
	for _, slug := range []string{"alpha", "beta"} {
		tenant, source := e.Tenant(t, slug)
		for login, address := range map[string]string{"anna": "anna@firma.example", "bernd": "bernd@firma.example", "dora": "dora@firma.example"} {
			role := access.RoleUser
			if login == "anna" {
				role = access.RoleTenantAdmin
			}
			e.User(t, tenant, slug+"-"+login, role, address)
		}
		w.common[slug] = ingest(t, e, source, common)
		if slug == "alpha" {
			w.alpha = tenant
			w.secret, w.blind = ingest(t, e, source, secret), ingest(t, e, source, blind)
		}
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.serve(e)
	return w
}

// serve opens the web door.
func (w *world) serve(e *archivetest.Env) {
	w.t.Helper()
	store, err := upload.NewStore(upload.Config{Dir: w.t.TempDir(), MaxSize: 1 << 20, PerTenant: 1 << 20})
	if err != nil {
		w.t.Fatal(err)
	}
	w.uploads = store
	s, err := httpd.New(httpd.Config{Archive: e.Archive, Uploads: store, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.env, w.plain = e, s.Plain()
	w.server = httptest.NewServer(s.HTTP().Handler)
	w.t.Cleanup(w.server.Close)
}

func ingest(t *testing.T, e *archivetest.Env, s *catalog.Source, raw string) uid.ID {
	t.Helper()
	r, err := e.Ingest(t.Context(), archive.Submission{Tenant: s.Tenant, Source: s.ID, Raw: bytes.NewReader([]byte(raw))})
	if err != nil {
		t.Fatal(err)
	}
	return r.AOID
}

// as returns a client that is logged in; nobody if login is empty. Each asks from a
// network of its own: guesses are counted by network, and many are made here.
func (w *world) as(login string) *http.Client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.networks++
	c := &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: network(fmt.Sprintf("10.0.%d.%d", w.networks/250, 1+w.networks%250))}
	if login != "" {
		a := w.ask(c, http.MethodPost, "/session", fmt.Sprintf(`{"login":%q,"password":%q}`, login, archivetest.Password))
		if a.status != http.StatusOK {
			w.t.Fatalf("%s cannot log in: %s", login, a)
		}
	}
	return c
}

// network is where requests come from, as a proxy tells.
type network string

func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", string(n))
	return http.DefaultTransport.RoundTrip(r) //nolint:wrapcheck // the client wraps it
}

// answer is what a client gets, without what differs from request to request.
type answer struct {
	status int
	header http.Header
	body   string
	next   string // cursor
}

func (a answer) String() string { return fmt.Sprintf("%d %v %s", a.status, a.header, a.body) }

var cursorOf = regexp.MustCompile(`"next":"([^"]*)"`)

var changing = regexp.MustCompile(`"(request_id|milliseconds|expires_at|checked_at|secret|uri|qr|seen_at)":("[^"]*"|[0-9.]+)`)

func (w *world) ask(c *http.Client, method, path, body string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+api.Base+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
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
	if res.Header.Get("Content-Type") == "application/zip" {
		b = unpacked(w.t, b)
	}
	for _, h := range []string{"X-Request-Id", "Date", "Set-Cookie"} {
		res.Header.Del(h)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: changing.ReplaceAllString(string(b), `"$1":_`)}
	if m := cursorOf.FindStringSubmatch(a.body); m != nil { // encrypted: never the same twice
		a.next = m[1]
		a.body = cursorOf.ReplaceAllString(a.body, fmt.Sprintf(`"next":%d`, len(a.next)))
	}
	return a
}

// public are the operations that need no session.
var public = []string{"found", "getStatus", "logIn", "logOut", "getLogo", "finishLogIn", "beginPasskey", "logInByPasskey", "forgotPassword", "lookAtLink", "useLink", "listLogInOffers"}

func TestEveryEndpointKeepsTheWall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clients := map[string]*http.Client{}
	for _, login := range []string{"", "alpha-bernd", "alpha-dora", "beta-anna", "beta-bernd"} {
		clients[login] = w.as(login)
	}
	for _, o := range operations(t) {
		for login, c := range clients {
			if o.id == "logOut" && login != "" { // would end the walk; it takes no id
				continue
			}
			there := calls(t, o, w.secret.String())
			nowhere := calls(t, o, uid.New(time.Now()).String())
			for i := range there {
				a, b := w.ask(c, o.method, there[i], body(o, w.secret.String())), w.ask(c, o.method, nowhere[i], body(o, uid.New(time.Now()).String()))
				w.compare(login, o, there[i], a, b)
			}
		}
	}
}

// evolving are operations that say something new each time: the log grows, also by
// being looked at, and signatures and figures have their time. They take no id of a
// message.
var evolving = []string{"getDashboard", "getEventLog", "listEvents", "getEventProof", "getCheckpoint", "exportLog", "getAudit"}

// random is what may contain a year by chance: hashes, signatures, ids, times.
var random = regexp.MustCompile(`[A-Za-z0-9+/]{25,}=*|"time":[0-9]+`)

// second is the time in the name of a file that is made now.
var second = regexp.MustCompile(`[0-9]{8}T[0-9]{6}Z`)

// compare requires that the answer about the secret is the one about nothing.
func (w *world) compare(login string, o operation, path string, a, b answer) {
	w.t.Helper()
	if login == "" && !slices.Contains(public, o.id) && a.status != http.StatusUnauthorized {
		w.t.Errorf("%s %s as nobody: %s", o.method, path, a)
	}
	// What was asked may be repeated; what was found may not be there.
	id := w.secret.String()
	asked, err := url.QueryUnescape(path)
	if err != nil {
		w.t.Fatal(err)
	}
	said := strings.ReplaceAll(a.body, id, "ID")
	other := regexp.MustCompile(`0[0-9a-z]{25}`).ReplaceAllString(b.body, "ID")
	if !slices.Contains(evolving, o.id) && w.stripIDs(said) != w.stripIDs(other) || a.status != b.status || fmt.Sprint(w.headers(a)) != fmt.Sprint(w.headers(b)) {
		w.t.Errorf("%q %s %s: something is told\n%s\n%s", login, o.method, path, a, b)
	}
	told := a.body
	if slices.Contains(evolving, o.id) {
		told = random.ReplaceAllString(told, "_")
	}
	if m := secrets.FindString(told); m != "" && !strings.Contains(strings.ToLower(asked), strings.ToLower(m)) {
		w.t.Errorf("%q %s %s tells %q: %s", login, o.method, path, m, a)
	}
	if strings.Contains(a.body, id) && !strings.Contains(path, id) {
		w.t.Errorf("%q %s %s tells the secret's id", login, o.method, path)
	}
}

var anyID = regexp.MustCompile(`0[0-9a-z]{25}|ID`)

func (w *world) stripIDs(s string) string { return anyID.ReplaceAllString(s, "ID") }

func (w *world) headers(a answer) http.Header {
	h := a.header.Clone()
	h.Del("Content-Length") // of bodies that repeat the query
	h.Del("Retry-After")    // seconds from now
	if name := h.Get("Content-Disposition"); name != "" {
		h.Set("Content-Disposition", second.ReplaceAllString(name, "TIME"))
	}
	return h
}

// Whoever may see a message sees it, so the walk above can fail.
func TestTheOwnerSeesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("alpha-anna")
	for _, o := range operations(t) {
		for _, path := range calls(t, o, w.secret.String()) {
			switch o.id {
			case "getMessage", "getMessageHtml", "getMessageRaw", "checkMessage":
				if a := w.ask(c, o.method, path, ""); a.status != http.StatusOK {
					t.Errorf("%s %s as its recipient: %s", o.method, path, a)
				}
			}
		}
	}
	if a := w.ask(c, http.MethodGet, "/search?q=walnuss", ""); !secrets.MatchString(a.body) || !strings.Contains(a.body, `"total":1`) {
		t.Errorf("search as its recipient: %s", a)
	}
}

// The same bytes in two tenants are two messages that know nothing of each other.
func TestSameBytesInTwoTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if w.common["alpha"] == w.common["beta"] {
		t.Error("the same message has the same id in both tenants")
	}
	for slug, other := range map[string]string{"alpha": "beta", "beta": "alpha"} {
		c := w.as(slug + "-bernd")
		a := w.ask(c, http.MethodGet, "/messages/"+w.common[slug].String(), "")
		if a.status != http.StatusOK || strings.Contains(a.body, w.common[other].String()) || strings.Count(a.body, `"received_at"`) != 2 {
			t.Errorf("%s sees: %s", slug, a)
		}
		if a := w.ask(c, http.MethodGet, "/messages/"+w.common[other].String(), ""); a.status != http.StatusNotFound {
			t.Errorf("%s reads the message of %s: %s", slug, other, a)
		}
	}
	if a := w.ask(w.as("beta-anna"), http.MethodGet, "/statistics", ""); !strings.Contains(a.body, `"messages":1,`) || !strings.Contains(a.body, `"users":3`) {
		t.Errorf("beta's figures are not beta's: %s", a)
	}
}

// A recipient learns nothing of blind copies, by no way.
func TestBlindCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("alpha-bernd")
	id := w.blind.String()
	for _, path := range []string{"/messages/" + id, "/messages/" + id + "/raw", "/messages/" + id + "/raw?inline=1", "/search?q=blindkopie",
		"/search/facets?q=", "/search/suggest?q=from:x", "/search/suggest?q=with:heim", "/search/suggest?q=bcc:", "/search?q="} {
		a := w.ask(c, http.MethodGet, path, "")
		if a.status != http.StatusOK || blindSecrets.MatchString(a.body) {
			t.Errorf("%s tells a blind copy: %s", path, a)
		}
	}
	for _, q := range []string{"bcc:xaver", "bcc:xaver@blind.example", "bcc:carla", "xaver", "with:xaver", "to:xaver", "heimlich"} {
		if a := w.ask(c, http.MethodGet, "/search?q="+url.QueryEscape(q), ""); !strings.Contains(a.body, `"total":0`) {
			t.Errorf("%s finds: %s", q, a)
		}
	}
	sender := w.as("alpha-anna")
	if a := w.ask(sender, http.MethodGet, "/search?q=bcc:xaver", ""); !strings.Contains(a.body, `"total":1`) {
		t.Errorf("the sender does not find his blind copy: %s", a)
	}
	if a := w.ask(sender, http.MethodGet, "/messages/"+id+"/raw", ""); a.body != blind {
		t.Errorf("the sender gets other bytes: %q", a.body)
	}
}
