package wall

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// matrixWorld has alpha and beta, each with a reseller, a user of every role, and things
// of alpha's. Everybody of alpha is a recipient of the message.
type matrixWorld struct {
	*world
	things map[string]string
	source *catalog.Source

	deletions int                      // made so far
	fresh     map[string]func() string // things that an answer changes: the next cell gets another one
}

func newMatrixWorld(t *testing.T) *matrixWorld {
	t.Helper()
	w := &matrixWorld{world: &world{t: t, common: map[string]uid.ID{}}, things: map[string]string{}}
	e := archivetest.New(t, archivetest.Options{})
	w.env = e
	_, err := e.CreateOperator(t.Context(), archive.NewUser{Login: "alpha-operator", Password: archivetest.Password})
	w.must(err)
	tenant, source := w.customer("alpha")
	w.customer("beta")
	w.alpha = tenant
	w.things["tenant"] = tenant.ID.String()
	w.source = source
	w.addMail(source)
	w.serve(e)
	w.addUsers()
	w.addMailSettings()
	w.fresh = map[string]func() string{
		"waiting": func() string { return w.newAccess("waiting") }, "approved": func() string { return w.newAccess("approved") },
		"deletion":               w.newDeletion,
		"session of the managed": func() string { return w.newSession("alpha-managed") },
	}
	return w
}

func (w *matrixWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// customer makes a tenant with a reseller and a user of every role.
func (w *matrixWorld) customer(slug string) (*catalog.Tenant, *catalog.Source) {
	w.t.Helper()
	ctx, h := w.t.Context(), w.env.AsOperator()
	tenant, source := w.env.Tenant(w.t, slug)
	for _, role := range access.Roles() {
		if role.OfTenant() {
			w.env.User(w.t, tenant, slug+"-"+string(role), role, "alle@"+slug+".example")
		}
	}
	seller := slug + "-haus"
	r, err := h.CreateReseller(ctx, archive.NewReseller{Slug: seller})
	w.must(err)
	_, err = h.AddStaff(ctx, r.ID, archive.NewUser{Login: slug + "-reseller", Password: archivetest.Password})
	w.must(err)
	w.must(h.ChangeTenant(ctx, tenant.ID, archive.TenantChange{Reseller: &seller}))
	if slug == "alpha" {
		w.things["reseller"] = r.ID.String()
		var logo bytes.Buffer
		w.must(png.Encode(&logo, image.NewGray(image.Rect(0, 0, 2, 2))))
		w.must(h.ChangeReseller(ctx, r.ID, archive.ResellerChange{Logo: logo.Bytes()}))
		v, err := h.Reseller(ctx, r.ID)
		w.must(err)
		w.things["picture"] = v.Branding.Logo
	}
	return tenant, source
}

// addMail gives alpha mail and what it comes by.
func (w *matrixWorld) addMail(source *catalog.Source) {
	w.t.Helper()
	ctx, e := w.t.Context(), w.env
	mailbox, err := e.CreateMailbox(ctx, w.alpha.ID, archive.SourceDraft{Name: "Postfach", Settings: []byte(`{"protocol":"imap","host":"mail.example","tls":"auto","user":"x"}`)})
	w.must(err)
	w.things["source"] = mailbox.ID.String()
	w.things["message"] = ingest(w.t, e, source, strings.Replace(secret, "To: anna@firma.example", "To: alle@alpha.example", 1)).String()
	_, err = e.AddDomain(ctx, w.alpha.ID, "alpha.example", "")
	w.must(err)
	w.things["domain"] = "alpha.example"
	w.things["quarantined"] = ingest(w.t, e, source, secret).String() // to nobody of alpha.example
	w.must(e.AwaitIndex(ctx, w.alpha.ID))
}

// addUsers makes what alpha's people have: an upload, a list of users that was read, a
// directory, a token, a receipt, and a user who is administered.
func (w *matrixWorld) addUsers() {
	w.t.Helper()
	ctx := w.t.Context()
	w.things["managed"] = w.env.User(w.t, w.alpha, "alpha-managed", access.RoleUser, "managed@alpha.example", "weg@alpha.example").User.String()
	owner := w.actor(access.RoleUser)
	u, err := w.uploads.Create(upload.Upload{Owner: upload.Owner{Tenant: owner.Tenant, User: owner.User}, Kind: upload.Document, Name: "a.txt", Size: 1})
	w.must(err)
	w.things["upload"] = u.ID.String()
	admin := w.as("alpha-tenant-admin")
	w.things["import"] = idIn(w.t, w.ask(admin, http.MethodPost, "/user-imports", `{"content":"LQo="}`))
	w.things["directory"] = idIn(w.t, w.ask(admin, http.MethodPost, "/directories", `{"name":"Anmeldung","settings":{"imap":{"host":"mail.example","tls":"implicit"}}}`))
	_, token, err := w.env.As(w.actor(access.RoleTenantAdmin)).CreateToken(ctx, "Bericht", []archive.Scope{archive.ScopeReportsRead}, time.Time{})
	w.must(err)
	w.things["token"] = token.ID.String()
	colleague, err := w.env.CreateOperator(ctx, archive.NewUser{Login: "kollegin", Password: archivetest.Password})
	w.must(err)
	w.things["staff"] = colleague.ID.String()
	hook, _, err := w.env.As(w.actor(access.RoleTenantAdmin)).CreateWebhook(ctx, archive.WebhookDraft{URL: "https://hook.example/", Kinds: []string{"limit.reached"}})
	w.must(err)
	w.things["webhook"] = hook.ID.String()
	owners, err := w.env.LogOwners(ctx)
	w.must(err)
	for _, o := range owners {
		if o.Tenant == w.alpha.ID {
			o.Since = o.Since.AddDate(0, 0, -2) // one is due
			r, err := w.env.MakeReceipt(ctx, &o)
			w.must(err)
			w.things["day"] = r.Day
		}
	}
}

// addMailSettings makes a mail that waits to leave.
func (w *matrixWorld) addMailSettings() {
	w.t.Helper()
	w.must(w.env.SetSmarthost(w.t.Context(), archive.SmarthostDraft{Smarthost: remote.Smarthost{Host: "127.0.0.1", Port: 9, TLS: remote.NoTLS, From: "archiv@firma.example"}}))
	mail, err := w.env.QueueMail(w.t.Context(), archive.NewMail{ID: uid.New(w.alpha.CreatedAt), Kind: "test", Sender: "a@firma.example", To: []string{"b@firma.example"}, Body: []byte("x")})
	w.must(err)
	w.things["mail"] = mail.ID.String()
}

// thing returns the id of a thing of alpha's. Those that change how somebody logs in are
// made when a row needs them.
func (w *matrixWorld) thing(name string) string {
	w.t.Helper()
	if f := w.fresh[name]; f != nil {
		return f()
	}
	if w.things[name] == "" {
		switch name {
		case "session":
			w.things[name] = w.newSession("alpha-user")
		case "hold":
			h, err := w.env.As(w.actor(access.RoleDPO)).PlaceHold(w.t.Context(), archive.NewHold{Name: "Prüfung", Reason: "Schreiben des Finanzamts", All: true})
			w.must(err)
			w.things[name] = h.ID.String()
		case "factor":
			w.things[name] = w.newFactor(w.actor(access.RoleUser))
		}
	}
	return w.things[name]
}

// actor returns alpha's user of a role.
func (w *matrixWorld) actor(role access.Role) access.Actor {
	w.t.Helper()
	u, err := w.env.Archive.User(w.t.Context(), w.alpha.ID, "alpha-"+string(role))
	w.must(err)
	return access.Actor{Tenant: w.alpha.ID, User: u.ID, Role: role}
}

// newAccess makes a request of alpha's auditor, in the state.
func (w *matrixWorld) newAccess(state string) string {
	w.t.Helper()
	v, err := w.env.As(w.actor(access.RoleAuditor)).RequestAccess(w.t.Context(), archive.NewAccess{Kind: access.ReadMailbox, Addresses: []string{"x@alpha.example"},
		Reason: "Ermittlung wegen Betrugs", Until: time.Now().Add(time.Hour)})
	if err == nil && state == "approved" {
		_, err = w.env.As(w.actor(access.RoleDPO)).DecideAccess(w.t.Context(), v.ID, true, "")
	}
	w.must(err)
	return v.ID.String()
}

// newDeletion has the auditor ask for the deletion of a message, and the data-protection
// officer approve.
func (w *matrixWorld) newDeletion() string {
	w.t.Helper()
	w.deletions++
	id := ingest(w.t, w.env, w.source, fmt.Sprintf("From: x@else.example\r\nTo: alle@alpha.example\r\nSubject: weg %d\r\n\r\nweg\r\n", w.deletions))
	v, err := w.env.As(w.actor(access.RoleAuditor)).RequestDeletion(w.t.Context(), archive.NewDeletion{Messages: []uid.ID{id}, Reason: "Loeschverlangen nach Art. 17",
		Until: time.Now().Add(time.Hour)})
	if err == nil {
		_, err = w.env.As(w.actor(access.RoleDPO)).DecideAccess(w.t.Context(), v.ID, true, "")
	}
	w.must(err)
	return v.ID.String()
}

// newSession logs somebody in once more.
func (w *matrixWorld) newSession(login string) string {
	w.t.Helper()
	a := w.ask(w.as(login), http.MethodGet, "/account/security", "")
	m := regexp.MustCompile(`{"id":"([0-9a-z]{26})"[^{}]*"current":true`).FindStringSubmatch(a.body)
	if m == nil {
		w.t.Fatalf("no session in %s", a)
	}
	return m[1]
}

// newFactor gives somebody a second factor.
func (w *matrixWorld) newFactor(a access.Actor) string {
	w.t.Helper()
	f := &catalog.Factor{ID: uid.New(time.Now()), User: a.User, Tenant: a.Tenant, Kind: catalog.FactorTOTP, Confirmed: true, Secret: []byte("versiegelt"), CreatedAt: time.Now().UTC()}
	w.must(w.env.Catalog.ChangeFactors(w.t.Context(), a.Tenant, a.User, func([]*catalog.Factor) (catalog.FactorChange, error) {
		return catalog.FactorChange{Put: []*catalog.Factor{f}}, nil
	}))
	return f.ID.String()
}

// idIn returns the id of what an answer says was made.
func idIn(t *testing.T, a answer) string {
	t.Helper()
	m := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("nothing was made: %s", a)
	}
	return m[1]
}
