package wall

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// The matrix says for every operation what everybody gets: nobody, each role, and the
// same roles of a foreign tenant, who ask with the ids of alpha's things. An operation
// without a row fails the test; so does a row that the table of rights contradicts.
//
//   - allowed: the status of the row   u unauthenticated, 401
//     f forbidden, 403                   n not found, 404
type row struct {
	op      string
	own     string // nobody operator reseller tenant-admin auditor dpo user
	foreign string // reseller tenant-admin auditor dpo user
	id      string // which of alpha's things {id} or {name} is
	query   string
	body    string // empty: that of the walk
	ok      int    // status of those who are allowed
}

// Columns that many rows have. To add an operation, add one line to matrix.
const (
	everybody = "+ + + + + + +"
	insiders  = "u + + + + + +" // whoever has a session
	ofTenants = "u f f + + + +"
	admins    = "u f f + f f f"
	operators = "u + f f f f f"

	foreignAll    = "+ + + + +"
	foreignOwn    = "f + + + +" // they get their own
	foreignNone   = "f n n n n" // they may do it, not with what is alpha's
	foreignAdmin  = "f + f f f"
	foreignAdmins = "f n f f f"
	foreignF      = "f f f f f"
)

func matrix() []row {
	wanted := fmt.Sprintf(`{"kind":"mailbox","addresses":["x@alpha.example"],"reason":"Ermittlung wegen Betrugs","until":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	const settings = `{"smarthost":{"host":"127.0.0.1","port":9,"tls":"none","from":"archiv@firma.example"}}`
	const mailbox = `{"mailbox":{"protocol":"imap","host":"mail.example","tls":"auto","user":"x"},"password":"x"}`
	return []row{
		{op: "getStatus", own: everybody, foreign: foreignAll, ok: 200},
		{op: "logIn", own: everybody, foreign: foreignAll, body: `{"login":"alpha-user","password":"` + archivetest.Password + `"}`, ok: 200},
		{op: "logOut", own: everybody, foreign: foreignAll, ok: 204},
		{op: "getAccount", own: insiders, foreign: foreignAll, ok: 200},
		{op: "changeAccount", own: insiders, foreign: foreignAll, ok: 200},

		{op: "search", own: ofTenants, foreign: foreignOwn, query: "q=walnuss", ok: 200},
		{op: "getFacets", own: ofTenants, foreign: foreignOwn, ok: 200},
		{op: "suggest", own: ofTenants, foreign: foreignOwn, query: "q=from:", ok: 200},
		{op: "getMessage", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "checkMessage", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getMessageHtml", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getMessageRaw", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getAttachment", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getReport", own: "u f f n n n n", foreign: foreignNone, id: "message", ok: 200}, // it came in none

		{op: "listUploads", own: ofTenants, foreign: foreignOwn, ok: 200},
		{op: "createUpload", own: ofTenants, foreign: foreignOwn, body: `{"kind":"document","name":"a.txt","size":1,"date":"2026-01-02"}`, ok: 201},
		{op: "getUpload", own: "u f f n n n +", foreign: foreignNone, id: "upload", ok: 200},
		{op: "writeUpload", own: "u f f n n n +", foreign: foreignNone, id: "upload", query: "offset=0", body: "w", ok: 200},
		{op: "getUploadCsv", own: "u f f n n n +", foreign: foreignNone, id: "upload", ok: 200},
		{op: "finishUpload", own: "u f f n n n +", foreign: foreignNone, id: "upload", ok: 200},
		{op: "cancelUpload", own: "u f f n n n +", foreign: foreignNone, id: "upload", ok: 204},

		{op: "listAccessRequests", own: "u f f + + + f", foreign: "f + + + f", ok: 200},
		{op: "requestAccess", own: "u f f f + f f", foreign: "f f + f f", body: wanted, ok: 201},
		{op: "getAccessRequest", own: "u f f + + + f", foreign: "f n n n f", id: "waiting", ok: 200},
		{op: "decideAccess", own: "u f f + f + f", foreign: "f n f n f", id: "waiting", ok: 200},
		{op: "endAccess", own: "u f f + + + f", foreign: "f n n n f", id: "approved", ok: 200},
		{op: "listAccessRecords", own: "u f f f f + f", foreign: "f f f + f", ok: 200},
		{op: "getAccessRecordsCsv", own: "u f f f f + f", foreign: "f f f + f", ok: 200},
		{op: "getAccessPolicy", own: "u f f f f + f", foreign: "f f f + f", ok: 200},
		{op: "changeAccessPolicy", own: "u f f f f + f", foreign: "f f f + f", ok: 200},
		{op: "listReaders", own: ofTenants, foreign: foreignOwn, ok: 200},

		{op: "getStatistics", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "getCompleteness", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "getCompletenessCsv", own: admins, foreign: foreignAdmin, ok: 200},

		{op: "listSources", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "createSource", own: admins, foreign: foreignAdmin, body: `{"kind":"journal","name":"Neu"}`, ok: 201},
		{op: "getSource", own: admins, foreign: foreignAdmins, id: "source", ok: 200},
		{op: "changeSource", own: admins, foreign: foreignAdmins, id: "source", ok: 200},
		{op: "listLeft", own: admins, foreign: foreignAdmins, id: "source", ok: 200},
		{op: "fetchNow", own: admins, foreign: foreignAdmins, id: "source", ok: 503},                 // no fetcher runs here
		{op: "testMailbox", own: admins, foreign: foreignAdmin, body: mailbox, ok: 503},              // likewise
		{op: "beginMailboxLogIn", own: admins, foreign: foreignAdmin, ok: 422},                       // by no code
		{op: "getMailboxLogIn", own: "u f f n f f f", foreign: foreignAdmins, id: "source", ok: 200}, // nobody has begun
		{op: "cancelMailboxLogIn", own: "u f f n f f f", foreign: foreignAdmins, id: "source", ok: 204},
		{op: "startHistory", own: admins, foreign: foreignAdmins, id: "source", ok: 503},
		{op: "getHistory", own: admins, foreign: foreignAdmins, id: "source", ok: 503},
		{op: "cancelHistory", own: admins, foreign: foreignAdmins, id: "source", ok: 503},

		{op: "listDomains", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "getSelection", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "changeSelection", own: admins, foreign: foreignAdmin, body: `{"enabled":false,"addresses":[]}`, ok: 200},
		{op: "proposeAddresses", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "listQuarantine", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "countQuarantine", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "decideQuarantine", own: admins, foreign: foreignAdmins, id: "quarantined", ok: 200},
		{op: "removeDomain", own: admins, foreign: foreignAdmins, id: "domain", ok: 204},
		{op: "addDomain", own: admins, foreign: foreignAdmin, ok: 422}, // a bad name,

		{op: "getSmarthost", own: operators, foreign: foreignF, ok: 200},
		{op: "changeSmarthost", own: operators, foreign: foreignF, body: settings, ok: 200},
		{op: "testSmarthost", own: operators, foreign: foreignF, body: settings, ok: 503}, // no mailer runs here
		{op: "getOutbox", own: operators, foreign: foreignF, ok: 200},
		{op: "retryMail", own: operators, foreign: foreignF, id: "mail", ok: 204},
		{op: "dropMail", own: operators, foreign: foreignF, id: "mail", ok: 204},
		{op: "removeSmarthost", own: operators, foreign: foreignF, ok: 204},
	}
}

// roles of the columns of a row.
func ownRoles() []access.Role { return append([]access.Role{""}, access.Roles()...) }

func foreignRoles() []access.Role { return access.Roles()[1:] }

// The matrix has one row for each operation, and agrees with the table of rights.
func TestMatrixIsComplete(t *testing.T) {
	t.Parallel()
	declared := declaredRights(t)
	rows := map[string]row{}
	for _, r := range matrix() {
		if _, twice := rows[r.op]; twice {
			t.Errorf("%s has two rows", r.op)
		}
		rows[r.op] = r
	}
	for _, o := range operations(t) {
		r, ok := rows[o.id]
		if !ok {
			t.Errorf("operation %s has no row in the matrix", o.id)
			continue
		}
		delete(rows, o.id)
		own, foreign := strings.Fields(r.own), strings.Fields(r.foreign)
		if len(own) != len(ownRoles()) || len(foreign) != len(foreignRoles()) || r.ok == 0 {
			t.Errorf("%s: the row lacks cells", o.id)
			continue
		}
		right := access.Right(declared[o.id])
		agree := func(who string, role access.Role, cell string) {
			want := right == "" || role != "" && access.Allowed(role, right)
			if role == "" && right != "" && cell != "u" || role != "" && want == (cell == "f") || cell == "u" && role != "" {
				t.Errorf("%s as %s %s: the matrix says %q, the table of rights %v (%s)", o.id, who, role, cell, want, right)
			}
		}
		for i, role := range ownRoles() {
			agree("own", role, own[i])
		}
		for i, role := range foreignRoles() {
			agree("foreign", role, foreign[i])
		}
	}
	for id := range rows {
		t.Errorf("the matrix has a row for %s, which is no operation", id)
	}
}

func declaredRights(t *testing.T) map[string]string {
	t.Helper()
	raw, err := api.Spec()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			ID    string `json:"operationId"`
			Right string `json:"x-muniment-right"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, methods := range doc.Paths {
		for _, o := range methods {
			out[o.ID] = o.Right
		}
	}
	return out
}

// cell is one request of the matrix.
type cell struct {
	row   row
	who   string // log-in; empty: nobody
	wants string
}

// TestMatrix asks every operation as everybody, with ids of alpha's things. Those who
// must not, come first: what they do must have no effect on those who may.
func TestMatrix(t *testing.T) {
	t.Parallel()
	w, things := newMatrixWorld(t)
	paths := map[string]operation{}
	for _, o := range operations(t) {
		paths[o.id] = o
	}
	clients := map[string]*http.Client{}
	for _, r := range matrix() {
		cells := cellsOf(r, things["resellers"] != "")
		slices.SortStableFunc(cells, func(a, b cell) int { return strings.Compare(b.wants, a.wants) }) // "+" sorts last
		for _, c := range cells {
			o := paths[r.op]
			client := clients[c.who]
			if client == nil || r.op == "logOut" {
				client = w.as(c.who)
				if r.op != "logOut" {
					clients[c.who] = client
				}
			}
			if r.op == "logIn" {
				client = w.as("") // keeps its session
			}
			id := things[r.id]
			if r.id == "waiting" || r.id == "approved" { // what it is after an answer, the next must not meet
				id = newAccess(t, w, r.id)
			}
			path := strings.NewReplacer("{id}", id, "{name}", id, "{no}", "1", "{capture}", things["message"]).Replace(o.path)
			if r.query != "" {
				path += "?" + r.query
			}
			send := r.body
			if send == "" {
				send = body(o, id)
			}
			want := map[string]int{"+": r.ok, "u": http.StatusUnauthorized, "f": http.StatusForbidden, "n": http.StatusNotFound}[c.wants]
			if a := w.ask(client, o.method, path, send); a.status != want {
				t.Errorf("%s as %q: want %d, got %s", r.op, c.who, want, a)
			}
		}
	}
}

// cellsOf lists the requests of a row. Those of resellers are left out as long as
// nobody can log in as one; TestMatrixIsComplete compares their cells with the rights.
func cellsOf(r row, resellers bool) (cells []cell) {
	add := func(who string, role access.Role, wants string) {
		if role != access.RoleReseller || resellers {
			cells = append(cells, cell{r, who, wants})
		}
	}
	for i, role := range ownRoles() {
		who := ""
		if role != "" {
			who = "alpha-" + string(role)
		}
		add(who, role, strings.Fields(r.own)[i])
	}
	for i, role := range foreignRoles() {
		add("beta-"+string(role), role, strings.Fields(r.foreign)[i])
	}
	return cells
}

// newMatrixWorld makes alpha and beta with a user of every role, and things of
// alpha's. Everybody of alpha is a recipient of the message. Whoever makes resellers
// able to log in makes alpha-reseller and beta-reseller here and sets "resellers".
func newMatrixWorld(t *testing.T) (*world, map[string]string) {
	t.Helper()
	e := archivetest.New(t, archivetest.Options{})
	w := &world{t: t, common: map[string]uid.ID{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	things := map[string]string{}
	var owner access.Actor
	for _, slug := range []string{"alpha", "beta"} {
		tenant, source := e.Tenant(t, slug)
		for _, role := range access.Roles() {
			if role.OfTenant() {
				owner = e.User(t, tenant, slug+"-"+string(role), role, "alle@"+slug+".example")
			}
		}
		if slug == "beta" {
			continue
		}
		w.alpha = tenant
		mailbox, err := e.CreateMailbox(t.Context(), tenant.ID, archive.SourceDraft{Name: "Postfach",
			Settings: []byte(`{"protocol":"imap","host":"mail.example","tls":"auto","user":"x"}`)})
		must(err)
		things["source"] = mailbox.ID.String()
		things["message"] = ingest(t, e, source, strings.Replace(secret, "To: anna@firma.example", "To: alle@alpha.example", 1)).String()
		_, err = e.AddDomain(t.Context(), tenant.ID, "alpha.example", "")
		must(err)
		things["quarantined"] = ingest(t, e, source, secret).String() // to nobody of alpha.example
		must(e.AwaitIndex(t.Context(), tenant.ID))
		w.serve(e)
		things["upload"], things["domain"] = giveUpload(t, w, owner), "alpha.example"
	}
	_, err := e.CreateOperator(t.Context(), archive.NewUser{Login: "alpha-operator", Password: archivetest.Password})
	must(err)
	must(e.SetSmarthost(t.Context(), archive.SmarthostDraft{Smarthost: remote.Smarthost{Host: "127.0.0.1", Port: 9, TLS: remote.NoTLS, From: "archiv@firma.example"}}))
	mail, err := e.QueueMail(t.Context(), archive.NewMail{ID: uid.New(w.alpha.CreatedAt), Kind: "test", Sender: "a@firma.example", To: []string{"b@firma.example"}, Body: []byte("x")})
	must(err)
	things["mail"] = mail.ID.String()
	return w, things
}

// giveUpload makes an upload of one byte that is not sent yet.
func giveUpload(t *testing.T, w *world, a access.Actor) string {
	t.Helper()
	u, err := w.uploads.Create(upload.Upload{Owner: upload.Owner{Tenant: a.Tenant, User: a.User}, Kind: upload.Document, Name: "a.txt", Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	return u.ID.String()
}

// newAccess makes a request of alpha's auditor, in the state.
func newAccess(t *testing.T, w *world, state string) string {
	t.Helper()
	as := func(role access.Role) *archive.Handle {
		u, err := w.env.Archive.User(t.Context(), w.alpha.ID, "alpha-"+string(role))
		if err != nil {
			t.Fatal(err)
		}
		return w.env.As(access.Actor{Tenant: w.alpha.ID, User: u.ID, Role: role})
	}
	v, err := as(access.RoleAuditor).RequestAccess(t.Context(), archive.NewAccess{Kind: access.ReadMailbox, Addresses: []string{"x@alpha.example"},
		Reason: "Ermittlung wegen Betrugs", Until: time.Now().Add(time.Hour)})
	if err == nil && state == "approved" {
		_, err = as(access.RoleDPO).DecideAccess(t.Context(), v.ID, true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.ID.String()
}
