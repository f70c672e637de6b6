package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// resale is an archive with two resellers, and those who act.
type resale struct {
	*archivetest.Env
	clock           *movable
	operator        *archive.Handle
	nord, sued      *archive.Handle // staff
	nordID, suedID  uid.ID
	operatorAccount access.Actor
}

// movable is a clock that a test moves.
type movable struct {
	mu sync.Mutex
	at time.Time
}

func (m *movable) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

func (m *movable) set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = t
}

func newResale(t *testing.T, o archivetest.Options) *resale {
	t.Helper()
	r := &resale{clock: &movable{at: time.Date(2026, time.November, 10, 9, 0, 0, 0, time.UTC)}}
	o.Now = r.clock.now
	r.Env = archivetest.New(t, o)
	u := must(r.CreateOperator(t.Context(), archive.NewUser{Login: "root", Name: "Rita Root", Password: archivetest.Password}))(t)
	r.operatorAccount = access.Actor{User: u.ID, Role: access.RoleOperator, Peer: "192.0.2.1"}
	r.operator = r.As(r.operatorAccount)
	staff := func(slug string) (*archive.Handle, uid.ID) {
		x := must(r.operator.CreateReseller(t.Context(), archive.NewReseller{Slug: slug, Name: "Systemhaus " + slug, Host: slug + ".example"}))(t)
		must(r.operator.AddStaff(t.Context(), x.ID, archive.NewUser{Login: slug, Password: archivetest.Password}))(t)
		_, acc, err := r.LogIn(t.Context(), archive.LogIn{Login: slug, Password: archivetest.Password})
		if err != nil || acc.Actor.Role != access.RoleReseller || acc.Actor.Reseller != x.ID {
			t.Fatalf("log-in of staff: %+v, %v", acc, err)
		}
		return r.As(acc.Actor), x.ID
	}
	r.nord, r.nordID = staff("nord")
	r.sued, r.suedID = staff("sued")
	return r
}

func order(reference, name string) archive.Order {
	domain := strings.ToLower(name) + ".example"
	return archive.Order{Reference: reference, Shared: []string{"info@" + domain}, Name: name, Domains: []archive.OrderDomain{{Name: domain}, {Name: "alias-" + domain, AliasOf: domain}},
		Admin:  &archive.OrderUser{Login: "admin", Name: "Ada", Language: "de", Password: archivetest.Password},
		Users:  []archive.OrderUser{{Login: "anna", Addresses: []string{"Anna@" + domain, "info@" + domain}}, {Login: "bernd", Addresses: []string{"bernd@" + domain, "info@" + domain}}},
		Limits: catalog.Limits{Mailboxes: 5, Storage: 1 << 30}}
}

func field(t *testing.T, what string, err error, want string) {
	t.Helper()
	var f *archive.FieldError
	if !errors.As(err, &f) || f.Field != want || !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("%s: %v, want the field %s", what, err, want)
	}
}

func TestProvisionOnce(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newResale(t, o)
		ctx := t.Context()
		answers := make([]*archive.Provisioned, 10)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = r.nord.Provision(ctx, order("shop-1", "Muster")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		made := 0
		for _, a := range answers {
			if a.Made {
				made++
			}
			a.Made = false
			if diff := cmp.Diff(answers[0], a); diff != "" {
				t.Errorf("answers differ: %s", diff)
			}
		}
		if made != 1 {
			t.Errorf("%d calls have made a tenant", made)
		}
		if n := len(must(r.Tenants(ctx))(t)); n != 1 {
			t.Errorf("%d tenants", n)
		}
		a := answers[0]
		if a.Slug != "muster" || a.Users[0].Role != "tenant-admin" || len(a.Users) != 3 || !strings.HasPrefix(a.JournalAddress, "j-") {
			t.Errorf("answer %+v", a)
		}
		// The first mail to the address is found by the user, by the alias as well.
		s := must(r.JournalSource(ctx, a.JournalAddress))(t)
		ingest(t, r.Env, s, mail("x@far.example", "anna@alias-muster.example", "Angebot", "Text"))
		if _, _, err := r.LogIn(ctx, archive.LogIn{Login: "admin", Tenant: "muster", Password: archivetest.Password}); err != nil {
			t.Errorf("log-in of the administrator: %v", err)
		}
		for _, pw := range []string{"", "x"} {
			if _, _, err := r.LogIn(ctx, archive.LogIn{Login: "anna", Tenant: "muster", Password: pw}); !errors.Is(err, archive.ErrLogIn) {
				t.Errorf("log-in without a password: %v", err)
			}
		}
		twice := order("shop-1", "Muster")
		twice.Users[0].Addresses = append(twice.Users[0].Addresses, strings.ToUpper(twice.Users[0].Addresses[0]))
		if again := must(r.nord.Provision(ctx, twice))(t); again.Made || again.Tenant != a.Tenant {
			t.Errorf("an address twice: %+v", again)
		}
		other := order("shop-1", "Muster")
		other.Admin.Name = "Eva"
		other.Admin.Password = "another correct one"
		var different *archive.DifferentOrder
		if _, err := r.nord.Provision(ctx, other); !errors.As(err, &different) || different.Field != "admin" {
			t.Errorf("another order: %v", err)
		}
		// Another reseller's order of the same reference is another order.
		b := must(r.sued.Provision(ctx, order("shop-1", "Beispiel")))(t)
		if b.Tenant == a.Tenant || !b.Made {
			t.Errorf("another reseller's: %+v", b)
		}
		// Nobody takes what is somebody's.
		_, err := r.sued.Provision(ctx, order("shop-2", "Muster"))
		field(t, "domain of another", err, "domains[0].name")
		noDomain := order("shop-3", "Muster")
		noDomain.Domains = nil
		if c := must(r.sued.Provision(ctx, noDomain))(t); c.Slug != "muster-2" {
			t.Errorf("short name in use: %+v", c)
		}
		if n := len(must(r.Catalog.Tenants(ctx))(t)); n != 3 {
			t.Errorf("%d tenants", n)
		}
		sound(t, r.Env)
	})
}

// sound requires that fsck finds nothing.
func sound(t *testing.T, e *archivetest.Env) {
	t.Helper()
	_, err := e.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) { t.Errorf("fsck: %+v", f) }})
	if err != nil {
		t.Errorf("fsck: %v", err)
	}
}

func TestProvisionRefuses(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	for want, change := range map[string]func(o *archive.Order){
		"name":                func(o *archive.Order) { o.Name = " " },
		"slug":                func(o *archive.Order) { o.Slug = "-x" },
		"zone":                func(o *archive.Order) { o.Zone = "Mond" },
		"reference":           func(o *archive.Order) { o.Reference = "a\nb" },
		"reseller":            func(o *archive.Order) { o.Reseller = "sued" },
		"limits.customers":    func(o *archive.Order) { o.Limits.Customers = 5 },
		"limits":              func(o *archive.Order) { o.Limits.Mailboxes = -1 },
		"shared":              func(o *archive.Order) { o.Shared = []string{"x"} },
		"domains[1].name":     func(o *archive.Order) { o.Domains[1].Name = o.Domains[0].Name },
		"domains[0].name":     func(o *archive.Order) { o.Domains[0].Name = "kein" + strings.Repeat("x", 300) },
		"domains[1].alias_of": func(o *archive.Order) { o.Domains[1].AliasOf = "far.example" },
		"admin.login":         func(o *archive.Order) { o.Admin.Login = "" },
		"admin.password":      func(o *archive.Order) { o.Admin.Password = "kurz" },
		"admin.language":      func(o *archive.Order) { o.Admin.Language = "fr" },
		"users[0].login":      func(o *archive.Order) { o.Users[0].Login = "admin" },
		"users[1].addresses":  func(o *archive.Order) { o.Users[1].Addresses = []string{"a@far.example"} },
		"users[0].name":       func(o *archive.Order) { o.Users[0].Name = "a\tb" },
	} {
		o := order("shop", "Muster")
		change(&o)
		_, err := r.nord.Provision(t.Context(), o)
		field(t, want, err, want)
	}
	local := order("shop", "Muster")
	local.Zone = "Local"
	_, err := r.nord.Provision(t.Context(), local)
	field(t, "the machine's zone", err, "zone")
	if n := len(must(r.Tenants(t.Context()))(t)); n != 0 {
		t.Errorf("%d tenants were made", n)
	}
	admin := access.Actor{Tenant: uid.New(time.Now()), User: uid.New(time.Now()), Role: access.RoleTenantAdmin}
	if _, err := r.As(admin).Provision(t.Context(), order("a", "B")); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("as an administrator of a tenant: %v", err)
	}
}

// A reseller sees and changes its own tenants; those of others do not exist for it.
func TestForeignTenants(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	own := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
	must(r.operator.Provision(ctx, order("1", "Betreiber")))(t)
	for who, h := range map[string]*archive.Handle{"sued": r.sued, "nobody": r.As(access.Actor{})} {
		for what, err := range map[string]error{
			"look":   second(h.Tenant(ctx, own.Tenant)),
			"change": h.ChangeTenant(ctx, own.Tenant, archive.TenantChange{}),
			"state":  h.SetTenantState(ctx, own.Tenant, catalog.TenantEnded),
			"delete": second(h.DeleteTenant(ctx, own.Tenant, "Muster")),
			"brand":  h.ChangeReseller(ctx, r.nordID, archive.ResellerChange{Branding: &catalog.Branding{Name: "X"}}),
			"staff":  second(h.Staff(ctx, r.nordID)),
		} {
			if !errors.Is(err, catalog.ErrNotFound) && (who == "sued" || !errors.Is(err, access.ErrForbidden)) {
				t.Errorf("%s of another's as %s: %v", what, who, err)
			}
		}
	}
	if n := len(must(r.nord.Tenants(ctx))(t)); n != 1 {
		t.Errorf("nord sees %d tenants", n)
	}
	if n := len(must(r.sued.Tenants(ctx))(t)); n != 0 {
		t.Errorf("sued sees %d tenants", n)
	}
	if n := len(must(r.operator.Tenants(ctx))(t)); n != 2 {
		t.Errorf("the operator sees %d tenants", n)
	}
	if n := len(must(r.nord.Resellers(ctx))(t)); n != 1 {
		t.Errorf("nord sees %d resellers", n)
	}
	to := "sued"
	field(t, "give away", r.nord.ChangeTenant(ctx, own.Tenant, archive.TenantChange{Reseller: &to}), "reseller")
	if err := r.operator.ChangeTenant(ctx, own.Tenant, archive.TenantChange{Reseller: &to}); err != nil {
		t.Fatal(err)
	}
	if err := second(r.nord.Tenant(ctx, own.Tenant)); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("after it was given away: %v", err)
	}
	if v := must(r.sued.Tenant(ctx, own.Tenant))(t); v.Users != 3 || len(v.Domains) != 2 || len(v.Journals) != 1 || v.Reference != "1" {
		t.Errorf("detail %+v", v)
	}
}

func TestCustomerLimit(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	if err := r.nord.ChangeReseller(ctx, r.nordID, archive.ResellerChange{Limits: &catalog.Limits{Customers: 9}}); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("a reseller changes its limits: %v", err)
	}
	if err := r.operator.ChangeReseller(ctx, r.nordID, archive.ResellerChange{Limits: &catalog.Limits{Customers: 2}}); err != nil {
		t.Fatal(err)
	}
	must(r.nord.Provision(ctx, order("1", "Eins")))(t)
	must(r.nord.Provision(ctx, order("2", "Zwei")))(t)
	var limit *archive.LimitError
	if _, err := r.nord.Provision(ctx, order("3", "Drei")); !errors.As(err, &limit) || limit.Customers != 2 {
		t.Errorf("above the limit: %v", err)
	}
	must(r.nord.Provision(ctx, order("2", "Zwei")))(t) // is there already
	o := order("3", "Drei")
	o.Reseller = "nord"
	must(r.operator.Provision(ctx, o))(t)
	if v := must(r.nord.Reseller(ctx, r.nordID))(t); v.Tenants != 3 || v.Limits[0].Level != archive.Reached {
		t.Errorf("%+v", v)
	}
	sound(t, r.Env) // no keys of tenants that were not made
}

func TestBranding(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	withText := append(bytes.Clone(picture.Bytes()), "<script>"...)
	brand := &catalog.Branding{Name: "Nordarchiv", Accent: "#0B5B5C", ReplyTo: "antwort@nord.example", Support: "hilfe@nord.example"}
	if err := r.nord.ChangeReseller(ctx, r.nordID, archive.ResellerChange{Branding: brand, Logo: withText}); err != nil {
		t.Fatal(err)
	}
	p := must(r.nord.Provision(ctx, order("1", "Muster")))(t)
	for what, b := range map[string]catalog.Branding{
		"host":   must(r.BrandingAt(ctx, "NORD.example.:8443"))(t),
		"tenant": must(r.BrandingOf(ctx, access.Actor{Tenant: p.Tenant, Role: access.RoleUser}))(t),
		"staff":  must(r.BrandingOf(ctx, access.Actor{Reseller: r.nordID, Role: access.RoleReseller}))(t),
	} {
		if b.Name != "Nordarchiv" || b.Accent != "#0b5b5c" || b.Logo == "" {
			t.Errorf("by %s: %+v", what, b)
		}
		if logo := must(r.Logo(ctx, b.Logo))(t); bytes.Contains(logo, []byte("script")) || len(logo) == 0 {
			t.Errorf("logo by %s: %q", what, logo)
		}
	}
	for _, host := range []string{"", "far.example", "sued.example", "[::1]:80", "nord.example/x"} {
		if b := must(r.BrandingAt(ctx, host))(t); b != (catalog.Branding{}) {
			t.Errorf("at %q: %+v", host, b)
		}
	}
	for want, c := range map[string]archive.ResellerChange{
		"branding.accent":   {Branding: &catalog.Branding{Accent: "red;background:url(//x)"}},
		"branding.support":  {Branding: &catalog.Branding{Support: "x"}},
		"branding.reply_to": {Branding: &catalog.Branding{ReplyTo: "a@b\r\nBcc: c@d"}},
		"branding.name":     {Branding: &catalog.Branding{Name: "a\nb"}},
		"logo":              {Logo: []byte("<svg onload=alert(1)>")},
	} {
		field(t, want, r.nord.ChangeReseller(ctx, r.nordID, c), want)
	}
	field(t, "too light", r.nord.ChangeReseller(ctx, r.nordID, archive.ResellerChange{Branding: &catalog.Branding{Accent: "#ffee00"}}), "branding.accent")
	for _, host := range []string{"sued.example", "a_b.example", "10.0.0.1", "x"} {
		field(t, host, r.operator.ChangeReseller(ctx, r.nordID, archive.ResellerChange{Host: &host}), "host")
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	r := newResale(t, archivetest.Options{})
	ctx := t.Context()
	secret, token, err := r.nord.CreateToken(ctx, "Shop", []archive.Scope{archive.ScopeTenantsWrite, archive.ScopeUsageRead}, r.clock.now().Add(time.Hour))
	if err != nil || !strings.HasPrefix(secret, "mun_") {
		t.Fatalf("%q, %v", secret, err)
	}
	acc, scopes, err := r.TokenAccount(ctx, secret, "192.0.2.9")
	if err != nil || acc.Actor.Role != access.RoleReseller || acc.Actor.Reseller != r.nordID || len(scopes) != 2 {
		t.Fatalf("%+v, %v, %v", acc, scopes, err)
	}
	if p := must(r.As(acc.Actor).Provision(ctx, order("1", "Muster")))(t); !p.Made {
		t.Errorf("%+v", p)
	}
	must2 := func(peer string) {
		t.Helper()
		if _, _, err := r.TokenAccount(ctx, secret, peer); err != nil {
			t.Fatal(err)
		}
	}
	must2("192.0.2.9")
	must2("192.0.2.10")
	n := map[string]int{}
	for _, e := range must(r.InstanceEvents(ctx, 0, 1000))(t) {
		n[e.Action]++
		if strings.Contains(fmt.Sprint(e), secret[8:]) {
			t.Errorf("an event tells the token: %+v", e)
		}
	}
	if n["token.created"] != 1 || n["token.new-address"] != 2 {
		t.Errorf("events %v", n)
	}
	list := must(r.nord.Tokens(ctx))(t)
	if len(list) != 1 || list[0].Used.Peers[0] != "192.0.2.10" || list[0].Used.At.IsZero() {
		t.Errorf("tokens %+v", list[0])
	}
	if err := r.sued.RevokeToken(ctx, token.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("another's token: %v", err)
	}
	bad := func(what, secret string) {
		t.Helper()
		if _, _, err := r.TokenAccount(ctx, secret, ""); !errors.Is(err, archive.ErrToken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	bad("nothing", "")
	bad("another", secret+"x")
	r.clock.set(r.clock.now().Add(time.Hour))
	bad("expired", secret)
	r.clock.set(r.clock.now().Add(-time.Minute))
	must2("")
	if err := r.nord.RevokeToken(ctx, token.ID); err != nil {
		t.Fatal(err)
	}
	bad("revoked", secret)
	_, _, err = r.nord.CreateToken(ctx, "x", []archive.Scope{archive.ScopeResellersWrite}, time.Time{})
	field(t, "scope", err, "scopes")
	_, _, err = r.nord.CreateToken(ctx, "x", nil, time.Time{})
	field(t, "no scope", err, "scopes")
	_, _, err = r.nord.CreateToken(ctx, "", []archive.Scope{archive.ScopeUsageRead}, time.Time{})
	field(t, "no name", err, "name")
	_, _, err = r.nord.CreateToken(ctx, "x", []archive.Scope{archive.ScopeUsageRead}, r.clock.now().Add(-time.Hour))
	field(t, "over", err, "expires_at")
}
