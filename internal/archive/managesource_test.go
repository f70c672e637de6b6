package archive_test

import (
	"errors"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

func TestManageSources(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		ctx := t.Context()
		tenant, _ := e.Tenant(t, "acme")
		other, _ := e.Tenant(t, "other")
		admin := e.As(e.User(t, tenant, "admin", access.RoleTenantAdmin))
		stranger := e.As(e.User(t, other, "admin", access.RoleTenantAdmin))
		user := e.As(e.User(t, tenant, "anna", access.RoleUser))
		draft := archive.SourceDraft{Kind: archive.KindMailbox, Name: " Postfach ", Settings: []byte(`{"host":"mail"}`), Secret: []byte("first")}
		s, err := admin.CreateSource(ctx, draft)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := admin.CreateSource(ctx, draft); !errors.Is(err, catalog.ErrTaken) {
			t.Errorf("the same name again: %v", err)
		}
		secret := func(want string) {
			t.Helper()
			got, err := e.SourceSecret(ctx, tenant.ID, s.ID)
			if err != nil || string(got) != want {
				t.Errorf("secret %q, %v, want %q", got, err, want)
			}
		}
		secret("first")
		change := archive.SourceDraft{Name: "Postfach 2", Disabled: true, Settings: []byte(`{"host":"two"}`)}
		if err := admin.ChangeSource(ctx, s.ID, change); err != nil {
			t.Fatal(err)
		}
		secret("first")
		if v, err := admin.Source(ctx, s.ID); err != nil || v.Name != "Postfach 2" || !v.Disabled || string(v.Settings) != `{"host":"two"}` || !v.HasSecret {
			t.Errorf("source %+v, %v", v, err)
		}
		change.Secret = []byte{}
		if err := admin.ChangeSource(ctx, s.ID, change); err != nil {
			t.Fatal(err)
		}
		secret("")
		if list, err := e.RemoteMailboxes(ctx); err != nil || len(list) != 1 || list[0].ID != s.ID {
			t.Errorf("remote mailboxes %v, %v", list, err)
		}
		for name, err := range map[string]error{
			"a user":                    second(user.Sources(ctx)),
			"a user creates":            second(user.CreateSource(ctx, draft)),
			"a user changes":            user.ChangeSource(ctx, s.ID, change),
			"a user looks at left mail": second(user.Left(ctx, s.ID)),
			"a user counts":             second(user.Completeness(ctx, "", "")),
		} {
			if !errors.Is(err, access.ErrForbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{"reads": second(stranger.Source(ctx, s.ID)), "changes": stranger.ChangeSource(ctx, s.ID, change)} {
			if !errors.Is(err, catalog.ErrNotFound) {
				t.Errorf("another tenant %s: %v", name, err)
			}
		}
		for name, d := range map[string]archive.SourceDraft{"no name": {Kind: archive.KindMailbox}, "kind": {Kind: "import", Name: "x"}, "settings": {Kind: archive.KindMailbox, Name: "x", Settings: []byte("[]")}} {
			if _, err := admin.CreateSource(ctx, d); err == nil {
				t.Errorf("%s is taken", name)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// What stays on a server is in the completeness account.
func TestLeftIsCounted(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	tenant, _ := e.Tenant(t, "acme")
	withMailbox(t, e, tenant)
	actor := e.User(t, tenant, "second", access.RoleTenantAdmin)
	lines, err := e.As(actor).Completeness(t.Context(), "", "")
	if err != nil || len(lines) != 1 || lines[0].Outcome != catalog.Left || lines[0].Count != 1 || lines[0].Bytes != 9 || lines[0].SourceName != "Postfach" {
		t.Errorf("completeness %+v, %v", lines, err)
	}
	left, err := e.As(actor).Left(t.Context(), lines[0].Source)
	if err != nil || len(left) != 1 || left[0].Detail != "too large" {
		t.Errorf("left %+v, %v", left, err)
	}
}
