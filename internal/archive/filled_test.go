package archive_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/uid"
)

// withResellers fills the tables of resellers and of what they know of tenants.
func withResellers(t *testing.T, e *archivetest.Env) {
	t.Helper()
	ctx, operator := t.Context(), e.AsOperator()
	x := must(operator.CreateReseller(ctx, archive.NewReseller{Slug: "nord", Name: "Systemhaus", Host: "nord.example"}))(t)
	must(operator.AddStaff(ctx, x.ID, archive.NewUser{Login: "nord", Password: archivetest.Password}))(t)
	r := must(e.Catalog.Reseller(ctx, x.ID))(t)
	r.Branding.Logo = "hash"
	if err := e.Catalog.UpdateReseller(ctx, r, []byte("png"), &catalog.Event{At: time.Now(), Actor: "cli", Action: "reseller.changed"}); err != nil {
		t.Fatal(err)
	}
	must(operator.Provision(ctx, order("1", "Muster")))(t)
	if err := e.CountUsage(ctx); err != nil {
		t.Fatal(err)
	}
	gone := &catalog.Deletion{Tenant: uid.New(time.Now()), State: catalog.Deleted, Document: []byte(`{"name":"x"}`), CreatedAt: time.Now()}
	if err := e.Catalog.BeginDeletion(ctx, gone); err != nil {
		t.Fatal(err)
	}
	if _, _, err := operator.CreateToken(ctx, "shop", []archive.Scope{archive.ScopesFor(access.RoleOperator)[0]}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// withRequests fills the tables of access to other people's mail.
func withRequests(t *testing.T, e *archivetest.Env, tenant uid.ID) {
	t.Helper()
	ctx, now, who := t.Context(), time.Now(), uid.New(time.Now())
	r := &catalog.AccessRequest{Tenant: tenant, ID: uid.New(now), Kind: "mailbox", Addresses: []string{"anna@example.com"}, Reason: "why", Covert: "because", RequestedBy: who, RequestedRole: "auditor",
		RequestedAt: now, ValidUntil: now.Add(time.Hour), State: catalog.AccessWaiting}
	act := func(action string) *catalog.Event { return &catalog.Event{At: now, Actor: "cli", Action: action} }
	if err := e.Catalog.AddAccessRequest(ctx, r, act("access.requested")); err != nil {
		t.Fatal(err)
	}
	r.State, r.DecidedBy, r.DecidedRole, r.DecidedAt = catalog.AccessApproved, uid.New(now), "dpo", now
	for _, err := range []error{
		e.Catalog.SettleAccess(ctx, r, catalog.AccessWaiting, act("access.approved")),
		e.Catalog.AddAccessRecord(ctx, &catalog.AccessRecord{Tenant: tenant, ID: uid.New(now), Request: r.ID, User: who, At: now, Act: "message.read", Object: "x", Addresses: []string{"anna@example.com"}}, act("message.read")),
		e.Catalog.RestoreTombstones(ctx, tenant, nil, []*catalog.Tombstone{{Tenant: tenant, AOID: uid.New(now), ReceivedAt: now, DeletedAt: now, Class: "unclassified", CarriedBy: "cli", Rest: []byte(`{"frames":[]}`)}}),
		e.Catalog.SetAccessPolicy(ctx, &catalog.AccessPolicy{Tenant: tenant, Silent: true, ChangedAt: now, ChangedBy: "cli"}, act("access-policy.changed")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// withWebhooks fills the tables of who is told what, of what a domain is proven by, and
// of figures.
func withWebhooks(t *testing.T, e *archivetest.Env, tenant uid.ID) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	w := &catalog.Webhook{ID: uid.New(now), Tenant: tenant, Secret: []byte{1, 2}, CreatedAt: now,
		WebhookSettings: catalog.WebhookSettings{URL: "https://shop.example/hook", Kinds: []string{"tenant.ended"}}}
	must(e.As(access.Actor{Tenant: tenant, User: uid.New(now), Role: access.RoleDPO}).PlaceHold(ctx, archive.NewHold{Name: "Audit", Reason: "a tax audit is announced", All: true}))(t)
	told := &catalog.Delivery{ID: uid.New(now), Webhook: w.ID, Tenant: tenant, Log: tenant, Seq: 0, Kind: "tenant.ended", Body: `{"type":"tenant.ended"}`,
		State: catalog.OutgoingWaiting, NextAt: now, CreatedAt: now}
	for _, err := range []error{
		e.Catalog.CreateWebhook(ctx, w),
		e.Catalog.QueueDeliveries(ctx, tenant, 0, 1, []*catalog.Delivery{told}),
		e.Catalog.BeginTrouble(ctx, &catalog.Trouble{Tenant: tenant, Kind: "source", Object: "x", Since: now}),
		e.Catalog.SetDomainProof(ctx, &catalog.DomainProof{Name: "example.com", Tenant: tenant, ProvenAt: now, CheckedAt: now}),
		e.Catalog.AddRetention(ctx, tenant, []*catalog.RetentionSetting{{Tenant: tenant, ID: uid.New(now), ValidFrom: now, Years: 10, Jurisdiction: "DE", YearEnd: time.December, Zone: "Europe/Berlin", SetBy: "cli"}}),
		e.Catalog.CountGrowth(ctx, tenant, now.UTC().Format(time.DateOnly), 7),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// withSeals seals what is there by an authority of the test's own.
func withSeals(t *testing.T, e *archivetest.Env) {
	t.Helper()
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer srv.Close()
	a := must(tsa.New(tsa.Options{URL: srv.URL}))(t)
	handler = a.Handler()
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root().Raw}))
	set := seal.Setting{Interval: 3600, Authorities: []seal.Authority{{Name: "Test", URL: srv.URL + "/", Auth: seal.AuthNone, Local: true, CA: root}}}
	if err := e.SetSealSetting(t.Context(), archive.SealDraft{Setting: set}); err != nil {
		t.Fatal(err)
	}
	sealer := must(sealing.New(sealing.Config{Archive: e.Archive}))(t)
	if r := must(sealer.Now(t.Context()))(t); r.Batches != 1 {
		t.Fatalf("sealed: %+v", r)
	}
	if _, r, err := sealer.Renew(t.Context(), sealing.RenewOptions{Hand: ers.RenewStamp}); err != nil || r.Stamped != 1 {
		t.Fatalf("renewed: %+v, %v", r, err)
	}
}
