package archive

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/setting"
	"github.com/muniment/muniment/internal/uid"
)

// Directories asks user repositories. Errors have a code (directory.Code);
// directory.ErrPassword says that somebody was asked and said no.
type Directories interface {
	// Test tries settings.
	Test(ctx context.Context, set directory.Settings, secret []byte) directory.Finding
	// Read reads users; of LDAP only.
	Read(ctx context.Context, set directory.Settings, secret []byte) (*directory.Snapshot, error)
	// Verify has a password checked; external is the lasting id, or for IMAP the mail
	// address. Of LDAP and IMAP only.
	Verify(ctx context.Context, set directory.Settings, secret []byte, external, password string) error
	// Begin returns where to send a browser to, and what to remember of it. Of OIDC only.
	Begin(ctx context.Context, set directory.Settings, secret []byte) (address string, flow directory.Flow, err error)
	// Finish judges with what the browser came back.
	Finish(ctx context.Context, set directory.Settings, secret []byte, flow directory.Flow, answer url.Values) (*directory.Identity, error)
}

// maxDirectories bounds the directories of a tenant.
const maxDirectories = 20

// DirectoryState is how a directory fares.
type DirectoryState struct {
	LastAt   *time.Time         `json:"last_at,omitempty"`    // end of the last synchronisation
	LastOKAt *time.Time         `json:"last_ok_at,omitempty"` // of the last one without an error
	Problem  *directory.Problem `json:"problem,omitempty"`    // of the last one
	People   int                `json:"people"`               // found by the last one
	Counts   map[string]int     `json:"counts,omitempty"`     // by kind of change, of the last one
}

// DirectoryView is a directory. The secret never comes out with it.
type DirectoryView struct {
	ID        uid.ID
	Kind      string
	Name      string
	Settings  directory.Settings
	HasSecret bool
	Position  int
	Disabled  bool
	Users     int // who come from there
	State     DirectoryState
}

// DirectoryDraft is what somebody wants a directory to be.
type DirectoryDraft struct {
	Name     string
	Settings directory.Settings
	// Secret is the password or client secret; nil leaves the old one, an empty one
	// removes it.
	Secret   []byte
	Position int
	Disabled bool
}

// directorySecret is the name under which the secret is sealed.
func directorySecret(id uid.ID) string { return "directory " + id.String() }

// GivenRoles are those that a group of a directory may give.
func GivenRoles() []string {
	var out []string
	for _, r := range access.Roles() {
		if r.OfTenant() {
			out = append(out, string(r))
		}
	}
	return out
}

// check reports everything that is wrong, as *setting.Errors joined.
func (d DirectoryDraft) check() error {
	var errs []error
	if err := checkName(d.Name); err != nil || strings.TrimSpace(d.Name) == "" {
		errs = append(errs, &setting.Error{Field: "name", Text: fmt.Sprintf("want at most %d bytes of text in one line", maxName)})
	}
	if len(d.Secret) > 4096 {
		errs = append(errs, &setting.Error{Field: "secret", Text: "want at most 4096 bytes"})
	}
	return errors.Join(append(errs, d.Settings.Check(GivenRoles()))...)
}

// tellsApart refuses a mail server that would let in two people by one mailbox.
func (t *TenantDirectories) tellsApart(ctx context.Context, set directory.Settings) error {
	if set.IMAP == nil {
		return nil
	}
	rules, err := t.a.routing(ctx, t.tenant)
	if err == nil && rules.ambiguous(set.IMAP) {
		err = &setting.Error{Field: "domains", Text: "name the one domain whose mailboxes these are: without what is behind the @, people of several domains are not told apart"}
	}
	return err
}

// Directories returns the verbs on the tenant's directories to those who may manage
// them.
func (h *Handle) Directories() (*TenantDirectories, error) {
	if err := h.actor.Check(access.ManageDirectories); err != nil {
		return nil, err
	}
	return &TenantDirectories{h.a, h.actor.Tenant, h.event}, nil
}

// DirectoriesOf is Handle.Directories, for the operator on the command line.
func (a *Archive) DirectoriesOf(tenant uid.ID) *TenantDirectories {
	return &TenantDirectories{a, tenant, a.cliEvent}
}

// TenantDirectories are the verbs on the directories of a tenant.
type TenantDirectories struct {
	a      *Archive
	tenant uid.ID
	act    describeAct
}

// List returns all, in the order in which they are asked.
func (t *TenantDirectories) List(ctx context.Context) ([]DirectoryView, error) {
	rows, err := t.a.catalog.Directories(ctx, t.tenant)
	if bad := rowErrors(err); len(bad) > 0 {
		t.a.log.Error("rows of directories are damaged; muniment fsck tells more", "tenant", t.tenant, "error", err)
	} else if err != nil {
		return nil, err
	}
	states, err := t.states(ctx)
	if err != nil {
		return nil, err
	}
	users, err := t.users(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]DirectoryView, 0, len(rows))
	for _, r := range rows {
		v, err := viewDirectory(r)
		if err != nil {
			return nil, err
		}
		v.State, v.Users = states[r.ID], users[r.ID]
		out = append(out, *v)
	}
	return out, nil
}

// Get returns one. catalog.ErrNotFound.
func (t *TenantDirectories) Get(ctx context.Context, id uid.ID) (*DirectoryView, error) {
	list, err := t.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		if v.ID == id {
			return &v, nil
		}
	}
	return nil, fmt.Errorf("directory %s: %w", id, catalog.ErrNotFound)
}

func (t *TenantDirectories) states(ctx context.Context) (map[uid.ID]DirectoryState, error) {
	rows, err := t.a.catalog.DirectoryStates(ctx, t.tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	out := map[uid.ID]DirectoryState{}
	for _, r := range rows {
		var s DirectoryState
		if err := json.Unmarshal(r.State, &s); err == nil { // nothing depends on it
			out[r.Directory] = s
		}
	}
	return out, nil
}

func (t *TenantDirectories) users(ctx context.Context) (map[uid.ID]int, error) {
	origins, err := t.a.catalog.Origins(ctx, t.tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	out := map[uid.ID]int{}
	for _, o := range origins {
		out[o.Directory]++
	}
	return out, nil
}

func viewDirectory(r *catalog.Directory) (*DirectoryView, error) {
	set, err := directory.Parse(r.Settings)
	if err != nil {
		return nil, fmt.Errorf("directory %s: %w", r.ID, err)
	}
	return &DirectoryView{ID: r.ID, Kind: r.Kind, Name: r.Name, Settings: set, HasSecret: len(r.Secret) > 0, Position: r.Position, Disabled: r.Disabled}, nil
}

// Create adds a directory. What is wrong is told as *setting.Errors joined;
// catalog.ErrTaken if the tenant has one of the name.
func (t *TenantDirectories) Create(ctx context.Context, d DirectoryDraft) (*DirectoryView, error) {
	if err := cmp.Or(d.check(), t.tellsApart(ctx, d.Settings)); err != nil {
		return nil, err
	}
	rows, err := t.a.catalog.Directories(ctx, t.tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	if len(rows) >= maxDirectories {
		return nil, invalid("a tenant can have %d directories", maxDirectories)
	}
	now := t.a.now().UTC().Truncate(time.Millisecond)
	r := &catalog.Directory{ID: uid.New(now), Tenant: t.tenant, Kind: d.Settings.Kind(), Name: strings.TrimSpace(d.Name), Position: d.Position, Disabled: d.Disabled, CreatedAt: now}
	if err := t.a.fillDirectory(r, d); err != nil {
		return nil, err
	}
	details := map[string]string{}
	addDirectory(details, "after.", r)
	if err := t.a.catalog.CreateDirectory(ctx, r, t.act("directory.created", r.ID.String(), details)); err != nil {
		return nil, err
	}
	if err := t.a.describeTenant(ctx, t.tenant); err != nil {
		return nil, err
	}
	return viewDirectory(r)
}

// fillDirectory puts settings and secret into a row.
func (a *Archive) fillDirectory(r *catalog.Directory, d DirectoryDraft) (err error) {
	if r.Settings, err = json.Marshal(d.Settings); err != nil {
		return err
	}
	if d.Secret == nil {
		return nil
	}
	r.Secret = nil
	if len(d.Secret) > 0 {
		r.Secret, err = a.vault.SealInstance(directorySecret(r.ID), d.Secret)
	}
	return err
}

// Change replaces everything but the kind. The stored secret stays only for the server
// and the name that it was given for: with others, it would come out.
func (t *TenantDirectories) Change(ctx context.Context, id uid.ID, d DirectoryDraft) (*DirectoryView, error) {
	if err := cmp.Or(d.check(), t.tellsApart(ctx, d.Settings)); err != nil {
		return nil, err
	}
	old, err := t.a.catalog.Directory(ctx, t.tenant, id)
	if err != nil {
		return nil, err
	}
	view, err := viewDirectory(old)
	if err != nil {
		return nil, err
	}
	if view.Kind != d.Settings.Kind() {
		return nil, &setting.Error{Field: "kind", Text: "the kind of a directory does not change; make another one"}
	}
	if d.Secret == nil && len(old.Secret) > 0 && !sameKeeper(view.Settings, d.Settings) {
		return nil, errSecretAgain
	}
	r := *old
	r.Name, r.Position, r.Disabled = strings.TrimSpace(d.Name), d.Position, d.Disabled
	if err := t.a.fillDirectory(&r, d); err != nil {
		return nil, err
	}
	details := map[string]string{}
	addDirectory(details, "before.", old)
	addDirectory(details, "after.", &r)
	if d.Secret != nil {
		details["secret"] = "changed"
	}
	if err := t.a.catalog.UpdateDirectory(ctx, &r, t.act("directory.changed", id.String(), details)); err != nil {
		return nil, err
	}
	if err := t.a.describeTenant(ctx, t.tenant); err != nil {
		return nil, err
	}
	return viewDirectory(&r)
}

var errSecretAgain = &setting.Error{Field: "secret", Text: "is needed again, as it is for another server or name now"}

// sameKeeper reports whether settings lead the stored secret to whom it was given for.
func sameKeeper(old, set directory.Settings) bool {
	switch {
	case old.LDAP != nil && set.LDAP != nil:
		return strings.EqualFold(old.LDAP.Host, set.LDAP.Host) && old.LDAP.Port == set.LDAP.Port && old.LDAP.BindDN == set.LDAP.BindDN &&
			(set.LDAP.TLS != remote.NoTLS || old.LDAP.TLS == remote.NoTLS) && old.LDAP.CA == set.LDAP.CA && old.LDAP.Pin == set.LDAP.Pin
	case old.OIDC != nil && set.OIDC != nil:
		return old.OIDC.Issuer == set.OIDC.Issuer && old.OIDC.ClientID == set.OIDC.ClientID && old.OIDC.CA == set.OIDC.CA
	}
	return true
}

// Remove removes a directory. The users who come from there stay, without a way to log
// in, and their sessions end. catalog.ErrNotFound.
func (t *TenantDirectories) Remove(ctx context.Context, id uid.ID) error {
	old, err := t.a.catalog.Directory(ctx, t.tenant, id)
	details := map[string]string{}
	switch {
	case err == nil:
		addDirectory(details, "before.", old)
	case len(rowErrors(err)) == 0:
		return err
	}
	if err := t.a.catalog.DeleteDirectory(ctx, t.tenant, id, t.act("directory.removed", id.String(), details)); err != nil {
		return err
	}
	return t.a.describeTenant(ctx, t.tenant)
}

// addDirectory writes a directory, but its secret, as details of an event.
func addDirectory(details map[string]string, prefix string, r *catalog.Directory) {
	details[prefix+"name"], details[prefix+"kind"] = r.Name, r.Kind
	details[prefix+"settings"] = string(r.Settings)
	details[prefix+"position"] = fmt.Sprint(r.Position)
	if r.Disabled {
		details[prefix+"disabled"] = "true"
	}
}

// Test tries settings. id, if not zero, is the directory whose stored secret is used if
// d brings none and it is for the same server and name.
func (t *TenantDirectories) Test(ctx context.Context, id uid.ID, d DirectoryDraft) (*directory.Finding, error) {
	if err := d.Settings.Check(GivenRoles()); err != nil {
		return nil, err
	}
	secret := d.Secret
	if secret == nil && !id.IsZero() {
		old, err := t.a.catalog.Directory(ctx, t.tenant, id)
		if err != nil {
			return nil, err
		}
		view, err := viewDirectory(old)
		if err != nil {
			return nil, err
		}
		if len(old.Secret) > 0 && !sameKeeper(view.Settings, d.Settings) {
			return nil, errSecretAgain
		}
		if secret, err = t.a.openDirectory(old); err != nil {
			return nil, err
		}
	}
	if t.a.directories == nil {
		return nil, ErrDirectory
	}
	f := t.a.directories.Test(ctx, d.Settings, secret)
	return &f, nil
}

// openDirectory returns the secret of a directory; nil if there is none.
func (a *Archive) openDirectory(r *catalog.Directory) ([]byte, error) {
	if len(r.Secret) == 0 {
		return nil, nil
	}
	return a.vault.OpenInstance(directorySecret(r.ID), r.Secret)
}
