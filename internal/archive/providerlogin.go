package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// flowTime is how long a log-in at a provider may take.
const flowTime = 15 * time.Minute

// flowSecret is the name under which a log-in is sealed on its way.
const flowSecret = "log-in by a provider"

// Offer is a provider that people can log in with.
type Offer struct {
	ID   uid.ID
	Name string
	// Tenant is the name of whose provider it is, where others might take it for theirs:
	// its administrators choose Name, but not this. Empty: the tenant is named already, or
	// there is no other.
	Tenant string
}

// Offers returns the providers of a tenant, or, if it is not named, those that are
// offered to everybody at a host. Anybody may know them. Of a tenant that does not exist
// there are none.
func (a *Archive) Offers(ctx context.Context, slug, host string) ([]Offer, error) {
	rows, err := a.catalog.DirectoriesOfAll(ctx, directory.KindOIDC)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	slug = strings.ToLower(strings.TrimSpace(slug))
	slices.SortFunc(rows, func(x, y *catalog.Directory) int {
		if x.Position != y.Position {
			return x.Position - y.Position
		}
		return x.ID.Compare(y.ID)
	})
	out := []Offer{}
	for _, r := range rows {
		view, err := viewDirectory(r)
		if err != nil {
			return nil, err
		}
		at, err := url.Parse(view.Settings.OIDC.Redirect)
		if err != nil || r.Disabled || !means(tenants, &catalog.User{Tenant: r.Tenant}, LogIn{Tenant: slug}) {
			continue
		}
		if slug != "" || view.Settings.OIDC.Offered && strings.EqualFold(at.Host, host) {
			out = append(out, Offer{ID: r.ID, Name: r.Name, Tenant: whose(tenants, r.Tenant, slug)})
		}
	}
	return out, nil
}

// whose names the tenant of an offer that is made to people of others as well.
func whose(tenants []*catalog.Tenant, id uid.ID, slug string) string {
	if i := slices.IndexFunc(tenants, func(t *catalog.Tenant) bool { return t.ID == id }); i >= 0 && slug == "" && len(tenants) > 1 {
		return tenants[i].Name
	}
	return ""
}

// providerFlow is what is remembered of a log-in, sealed, by the browser itself.
type providerFlow struct {
	directory.Flow
	Directory uid.ID    `json:"directory"`
	Tenant    uid.ID    `json:"tenant"`
	Until     time.Time `json:"until"`
}

// BeginLogIn begins a log-in at a provider and returns where to send the browser, and
// what it has to bring back with the answer: nobody else can read it.
func (a *Archive) BeginLogIn(ctx context.Context, id uid.ID) (address string, sealed []byte, err error) {
	row, view, err := a.provider(ctx, id)
	if err != nil {
		return "", nil, err
	}
	secret, err := a.openDirectory(row)
	if err != nil {
		return "", nil, err
	}
	address, flow, err := a.directories.Begin(ctx, view.Settings, secret)
	if err != nil {
		return "", nil, err
	}
	b, err := json.Marshal(providerFlow{Flow: flow, Directory: row.ID, Tenant: row.Tenant, Until: a.now().Add(flowTime)})
	if err != nil {
		return "", nil, err
	}
	sealed, err = a.vault.SealInstance(flowSecret, b)
	return address, sealed, err
}

// provider finds a provider that may be used. catalog.ErrNotFound.
func (a *Archive) provider(ctx context.Context, id uid.ID) (*catalog.Directory, *DirectoryView, error) {
	rows, err := a.catalog.DirectoriesOfAll(ctx, directory.KindOIDC)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, nil, err
	}
	i := slices.IndexFunc(rows, func(r *catalog.Directory) bool { return r.ID == id && !r.Disabled })
	if i < 0 {
		return nil, nil, fmt.Errorf("provider %s: %w", id, catalog.ErrNotFound)
	}
	t, err := a.catalog.Tenant(ctx, rows[i].Tenant)
	if err != nil {
		return nil, nil, err
	}
	if t.State == catalog.TenantSuspended {
		return nil, nil, fmt.Errorf("provider %s: %w", id, catalog.ErrNotFound)
	}
	if a.directories == nil {
		return nil, nil, ErrDirectory
	}
	view, err := viewDirectory(rows[i])
	return rows[i], view, err
}

// FinishProviderLogIn opens a session for whom the provider has logged in. sealed is what
// BeginLogIn returned to this very browser, answer the query that it came back with.
// Errors have a code (directory.Code).
func (a *Archive) FinishProviderLogIn(ctx context.Context, sealed []byte, answer url.Values, in LogIn) (token string, acc *Account, err error) {
	b, err := a.vault.OpenInstance(flowSecret, sealed)
	if err != nil {
		return "", nil, directory.Fail(directory.CodeState, err)
	}
	var flow providerFlow
	if err := json.Unmarshal(b, &flow); err != nil {
		return "", nil, directory.Fail(directory.CodeState, err)
	}
	if !a.now().Before(flow.Until) {
		return "", nil, directory.Fail(directory.CodeState, errors.New("the log-in has taken too long"))
	}
	row, view, err := a.provider(ctx, flow.Directory)
	if err != nil {
		return "", nil, err
	}
	secret, err := a.openDirectory(row)
	if err != nil {
		return "", nil, err
	}
	who, err := a.directories.Finish(ctx, view.Settings, secret, flow.Flow, answer)
	if err != nil {
		return "", nil, err
	}
	u, err := a.identified(ctx, row, view, *who, in.Peer)
	if err != nil {
		return "", nil, err
	}
	return a.enterBy(ctx, u, in.place(), methodProvider)
}

// identified finds the user of an identity: the one who is bound to it, or, the first
// time, the only one with its verified address, or one who is made.
func (a *Archive) identified(ctx context.Context, row *catalog.Directory, view *DirectoryView, who directory.Identity, peer string) (*catalog.User, error) {
	who.Email = message.NormalizeAddress(who.Email)
	o, err := a.catalog.OriginOfExternal(ctx, row.Tenant, row.ID, who.External())
	var u *catalog.User
	switch {
	case err == nil:
		u, err = a.catalog.User(ctx, row.Tenant, o.User)
	case errors.Is(err, catalog.ErrNotFound):
		u, err = a.introduced(ctx, row, view.Settings.OIDC.Create, who, peer)
	}
	if err != nil {
		return nil, err
	}
	if !mayLogIn(u, a.now()) {
		return nil, directory.Fail(directory.CodeDisabled, errors.New("the user is disabled or has expired"))
	}
	return a.promoted(ctx, row, view.Settings.Roles, u, who, peer)
}

// introduced finds or makes the user of an identity that comes for the first time.
func (a *Archive) introduced(ctx context.Context, row *catalog.Directory, create bool, who directory.Identity, peer string) (*catalog.User, error) {
	rules, err := a.routing(ctx, row.Tenant)
	if err != nil {
		return nil, err
	}
	switch {
	case who.Email == "" || !who.Verified:
		return nil, directory.Fail(directory.CodeNoEmail, errors.New("no verified e-mail address"))
	case !rules.ours(who.Email):
		return nil, directory.Fail(directory.CodeUnknown, errors.New("the e-mail address is in none of the tenant's domains"))
	}
	list, err := a.addressees(ctx, who.Email)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(u *catalog.User) bool { return u.Tenant != row.Tenant })
	if len(list) == 0 {
		if !create {
			return nil, directory.Fail(directory.CodeUnknown, errors.New("nobody has the e-mail address"))
		}
		return a.bindUser(ctx, row, nil, who, who.External(), peer)
	}
	// The address of several is nobody's in particular, and whoever is bound already is
	// somebody else there.
	if len(list) > 1 {
		return nil, directory.Fail(directory.CodeUnknown, errors.New("several users have the e-mail address"))
	}
	origins, err := a.catalog.OriginsOf(ctx, row.Tenant, list[0].ID)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(origins, func(o *catalog.Origin) bool { return o.Directory == row.ID }) {
		return nil, directory.Fail(directory.CodeUnknown, errors.New("the user with the e-mail address is bound to another account"))
	}
	if !mayLogIn(list[0], a.now()) {
		return nil, directory.Fail(directory.CodeDisabled, errors.New("the user is disabled or has expired"))
	}
	return a.bindUser(ctx, row, list[0], who, who.External(), peer)
}

// promoted gives a user the names that the provider knows, and the role that its groups
// say, if the settings say so at all. Names and role of a user with a password of its
// own are set here, and stay; names of one whom another directory reads come from there.
func (a *Archive) promoted(ctx context.Context, row *catalog.Directory, rules []directory.RoleRule, u *catalog.User, who directory.Identity, peer string) (*catalog.User, error) {
	if u.PasswordHash != "" {
		return u, nil
	}
	next := *u
	origins, err := a.catalog.OriginsOf(ctx, row.Tenant, u.ID)
	if err != nil {
		return nil, err
	}
	if len(origins) == 1 { // the provider alone
		nameAs(&next, who)
	}
	if len(rules) > 0 {
		if who.Overage {
			return nil, directory.Fail(directory.CodeOverage, errors.New("the token names no groups, as there are too many"))
		}
		next.Role = string(access.RoleUser)
		if i := slices.IndexFunc(rules, func(r directory.RoleRule) bool { return slices.Contains(who.Groups, r.Group) }); i >= 0 {
			next.Role = rules[i].Role
		}
	}
	if next.Role == u.Role && next.Name == u.Name && next.FirstName == u.FirstName && next.LastName == u.LastName {
		return u, nil
	}
	i := slices.IndexFunc(origins, func(o *catalog.Origin) bool { return o.Directory == row.ID })
	if i < 0 {
		return nil, fmt.Errorf("origin of user %s: %w", u.ID, catalog.ErrChanged)
	}
	details := map[string]string{"directory": row.Name, "peer": peer}
	addUser(details, "before.", u, &next)
	addUser(details, "after.", &next, u)
	e := &catalog.Event{At: a.now().UTC(), Actor: "user:" + u.ID.String(), Action: "user.changed", Object: u.ID.String(), Details: details}
	return &next, a.catalog.ApplyUserChanges(ctx, row.Tenant, []catalog.UserChange{{Before: u, After: &next, Origin: origins[i]}}, e)
}
