package archive_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/uid"
)

// TestSettingsAreRebuilt loses the catalog: directories with usable secrets, the policy
// of access, and the settings of sources come back from the vault.
func TestSettingsAreRebuilt(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	as := func(role access.Role) *archive.Handle {
		return c.As(access.Actor{Tenant: c.tenant, User: uid.New(c.now), Role: role})
	}
	h := as(access.RoleTenantAdmin)
	off := ldapDraft()
	off.Name, off.Disabled = "Off", true
	for _, d := range []archive.DirectoryDraft{ldapDraft(), off, {Name: "Entra", Secret: []byte("client"), Settings: directory.Settings{
		OIDC: &directory.OIDC{Issuer: "https://idp.example", ClientID: "x", Redirect: "https://archive.example/auth/oidc/callback"}}}} {
		must(c.dirs.Create(ctx, d))(t)
	}
	if err := as(access.RoleDPO).TellPeople(ctx, false); err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{archive.KindJournal: `{"hint_peers":["192.0.2.0/24"]}`, archive.KindFolder: `{"path":"/srv/mail"}`, archive.KindMailbox: `{"host":"mail.firma.example"}`}
	for kind, set := range settings {
		must(h.CreateSource(ctx, archive.SourceDraft{Kind: kind, Name: "A " + kind, Settings: []byte(set), Secret: []byte("a password")}))(t)
	}
	must(h.CreateSource(ctx, archive.SourceDraft{Kind: archive.KindJournal, Name: "plain"}))(t)
	directories, sources := must(c.dirs.List(ctx))(t), must(h.Sources(ctx))(t)

	dir := c.Dir
	c.Close()
	for _, f := range []string{"catalog.db", "catalog.db-wal", "catalog.db-shm"} {
		if err := os.Remove(dir + "/" + f); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	c.Env = archivetest.New(t, archivetest.Options{Dir: dir, Directories: c.fake})
	c.dirs = c.DirectoriesOf(c.tenant)
	out := must(c.Rebuild(ctx, nil))(t)
	if diff := cmp.Diff(directories, must(c.dirs.List(ctx))(t), cmp.Comparer(func(a, b uid.ID) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	c.fake.people = []directory.Person{c.person("1", "anna", "anna@firma.example")}
	ad := directories[slices.IndexFunc(directories, func(d archive.DirectoryView) bool { return d.Name == "AD" })].ID
	p := must(c.dirs.Preview(ctx, ad))(t)
	if c.fake.secret != "reader" || p.Counts[directory.New] != 1 {
		t.Errorf("read with the secret %q: %v", c.fake.secret, p.Counts)
	}
	must(c.dirs.Sync(ctx, ad, p.Digest))(t)
	if p := must(c.Catalog.AccessPolicy(ctx, c.tenant))(t); !p.Silent {
		t.Error("people are told again")
	}
	h = as(access.RoleTenantAdmin)
	for i, v := range must(h.Sources(ctx))(t) {
		want := sources[i]
		want.Disabled, want.HasSecret = v.Kind != archive.KindJournal, false
		if !bytes.Equal(v.Settings, want.Settings) || v.ID != want.ID || v.Disabled != want.Disabled || v.HasSecret || v.JournalAddress != want.JournalAddress {
			t.Errorf("%s: %+v, want %+v", v.Name, v, want)
		}
	}
	for _, text := range []string{`the watched folder "A folder" is disabled`, `the password of the mailbox "A mailbox" is lost`} {
		if !slices.ContainsFunc(out.Remarks, func(s string) bool { return strings.Contains(s, text) }) {
			t.Errorf("nobody is told that %s: %q", text, out.Remarks)
		}
	}
	// A second rebuild leaves all of it alone.
	must(c.Rebuild(ctx, nil))(t)
	if list := must(c.dirs.List(ctx))(t); len(list) != len(directories) {
		t.Errorf("%d directories", len(list))
	}
	sound(t, c.Env)
}

// TestManySettingsAreBounded has more settings than the vault's description takes: what
// is left out is told, and no journal address is lost for it.
func TestManySettingsAreBounded(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	h := c.As(access.Actor{Tenant: c.tenant, User: uid.New(c.now), Role: access.RoleTenantAdmin})
	for i := range 12 {
		kind := []string{archive.KindFolder, archive.KindJournal}[i%2]
		must(h.CreateSource(ctx, archive.SourceDraft{Kind: kind, Name: fmt.Sprint("n", i), Settings: fmt.Appendf(nil, `{"path":%q}`, strings.Repeat("x", 2000))}))(t)
	}
	out := must(c.Rebuild(ctx, nil))(t)
	if !slices.ContainsFunc(out.Remarks, func(s string) bool { return strings.Contains(s, "settings of 4 sources more") }) {
		t.Errorf("%q", out.Remarks)
	}
}
