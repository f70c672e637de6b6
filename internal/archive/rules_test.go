package archive_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// withRules gives the tenant of filled a domain, a selection, and a message in
// quarantine that somebody has decided on, and the installation a smarthost, a mail that
// waits, a reseller, and whatever else has a table.
func withRules(t *testing.T, dir string) {
	t.Helper()
	ctx := t.Context()
	e := archivetest.New(t, archivetest.Options{Dir: dir})
	defer e.Close()
	tenant := must(e.TenantBySlug(ctx, "acme"))(t)
	must(e.AddDomain(ctx, tenant.ID, "example.com", ""))(t)
	if err := e.SetSelection(ctx, tenant.ID, true, []string{"bernd@example.com"}, true); err != nil {
		t.Fatal(err)
	}
	source := must(e.ImportSource(ctx, tenant.ID, "files", ""))(t)
	r := must(e.Ingest(ctx, archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(mailOf("x@far.example", "y@far.example", "strange"))}))(t)
	if n := must(e.Decide(ctx, tenant.ID, []uid.ID{r.AOID}, catalog.Kept, "spam"))(t); n != 1 {
		t.Fatalf("%d decided", n)
	}
	if err := e.SetSmarthost(ctx, archive.SmarthostDraft{Smarthost: remote.Smarthost{Host: "mail.example", TLS: remote.StartTLS, From: "archive@example.com", User: "archive"}, Secret: []byte("secret")}); err != nil {
		t.Fatal(err)
	}
	if err := e.SetReceiptSettings(ctx, tenant.ID, archive.ReceiptSettings{To: []string{"bernd@example.com"}, At: "00:05", Language: "de"}); err != nil {
		t.Fatal(err)
	}
	must(e.MakeReceipt(ctx, &archive.LogOwner{Tenant: tenant.ID, Zone: "UTC", ReceiptSettings: archive.ReceiptSettings{At: "00:05"}}))(t)
	must(e.QueueMail(ctx, archive.NewMail{ID: uid.New(time.Now()), Kind: "test", Key: "one", Sender: "archive@example.com", To: []string{"bernd@example.com"}, Body: []byte("Subject: x\r\n\r\nx\r\n")}))(t)
	if err := e.Catalog.SetInstanceSetting(ctx, &catalog.InstanceSetting{Name: "test", Settings: []byte(`{"a":1}`), Secret: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	withDirectory(t, e, tenant.ID)
	withRequests(t, e, tenant.ID)
	withResellers(t, e)
	withSeals(t, e)
	withWebhooks(t, e, tenant.ID)
	findings(t, e, nil)
}

// withDirectory gives a tenant a directory and a user who comes from it.
func withDirectory(t *testing.T, e *archivetest.Env, tenant uid.ID) {
	t.Helper()
	ctx := t.Context()
	d := must(e.DirectoriesOf(tenant).Create(ctx, ldapDraft()))(t)
	u := &catalog.User{ID: uid.New(time.Now()), Tenant: tenant, Login: "from.there", Role: "user", CreatedAt: time.Now(), Addresses: []string{"from.there@example.com"}}
	o := &catalog.Origin{User: u.ID, Tenant: tenant, Directory: d.ID, External: "x", Details: []byte(`{"external":"x"}`)}
	if err := e.Catalog.ApplyUserChanges(ctx, tenant, []catalog.UserChange{{After: u, Origin: o}}); err != nil {
		t.Fatal(err)
	}
	if err := e.Catalog.SetDirectoryState(ctx, &catalog.DirectoryState{Directory: d.ID, Tenant: tenant, State: []byte(`{"people":1}`)}); err != nil {
		t.Fatal(err)
	}
}
