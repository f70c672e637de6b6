package archive

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// TokenPrefix begins every token, so that scanners for secrets know it.
const TokenPrefix = "mun_"

// Scope is what a token may be used for. None lets mail of the tenant's people be read.
type Scope string

// Scopes.
const (
	ScopeTenantsRead    Scope = "tenants:read"    // list tenants and look at one
	ScopeTenantsWrite   Scope = "tenants:write"   // provision, change, suspend, resume, end
	ScopeUsageRead      Scope = "usage:read"      // what tenants have used
	ScopeResellersRead  Scope = "resellers:read"  // list resellers
	ScopeResellersWrite Scope = "resellers:write" // make and change resellers
	ScopeReportsRead    Scope = "reports:read"    // figures, sources and completeness of one's own tenant
	// ScopePreserve archives objects by the functions of BSI TR-03125 and gets them back;
	// it reaches no mail, and no document that people gave.
	ScopePreserve Scope = "preservation:use"
)

// ScopesFor lists the scopes that a role can give.
func ScopesFor(role access.Role) []Scope {
	switch role {
	case access.RoleOperator:
		return []Scope{ScopeTenantsRead, ScopeTenantsWrite, ScopeUsageRead, ScopeResellersRead, ScopeResellersWrite}
	case access.RoleReseller:
		return []Scope{ScopeTenantsRead, ScopeTenantsWrite, ScopeUsageRead, ScopeResellersRead}
	case access.RoleTenantAdmin:
		return []Scope{ScopeReportsRead, ScopePreserve}
	}
	return nil
}

// Bounds of tokens.
const (
	maxTokens  = 100 // of one owner
	maxPeers   = 20  // that are remembered of one
	tokenTouch = time.Minute
)

// ErrToken is returned (wrapped) for a token that is not known, has expired or was
// revoked. It does not tell which.
var ErrToken = errors.New("token is not valid")

// Tokens lists the tokens of the actor's tenant, reseller or, of an operator, of the
// installation.
func (h *Handle) Tokens(ctx context.Context) ([]*catalog.Token, error) {
	if err := h.actor.Check(access.ManageTokens); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Tokens(ctx, h.actor.Tenant, h.actor.Reseller)
	return list, h.a.sound("tokens", err)
}

// CreateToken makes a token and returns it; it is shown this once and stored nowhere.
// A zero expires is never. A *FieldError says what is wrong.
func (h *Handle) CreateToken(ctx context.Context, name string, scopes []Scope, expires time.Time) (string, *catalog.Token, error) {
	if err := h.actor.Check(access.ManageTokens); err != nil {
		return "", nil, err
	}
	if name = strings.TrimSpace(name); name == "" {
		return "", nil, wrongField("name", "is missing")
	}
	if err := checkName(name); err != nil {
		return "", nil, inField("name", err)
	}
	may := ScopesFor(h.actor.Role)
	var chosen []string
	for _, s := range scopes {
		if !slices.Contains(may, s) {
			return "", nil, wrongField("scopes", "%.40q is not one of those that you can give", s)
		}
		chosen = append(chosen, string(s))
	}
	if slices.Sort(chosen); len(chosen) == 0 {
		return "", nil, wrongField("scopes", "choose at least one")
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	if !expires.IsZero() && !expires.After(now) {
		return "", nil, wrongField("expires_at", "is over already")
	}
	if list, err := h.Tokens(ctx); err != nil {
		return "", nil, err
	} else if len(list) >= maxTokens {
		return "", nil, wrongField("name", "there are %d tokens already; revoke one", len(list))
	}
	secret := TokenPrefix + strings.ToLower(rand.Text()+rand.Text()[:14]) // 200 bits
	t := &catalog.Token{ID: uid.New(now), Hash: sha256.Sum256([]byte(secret)), Tenant: h.actor.Tenant, Reseller: h.actor.Reseller, CreatedAt: now,
		TokenSettings: catalog.TokenSettings{Name: name, Scopes: slices.Compact(chosen), By: h.who(), Start: secret[:len(TokenPrefix)+4]}}
	if !expires.IsZero() {
		t.ExpiresAt = expires.UTC().Truncate(time.Millisecond)
	}
	e := h.event("token.created", t.ID.String(), map[string]string{"name": name, "scopes": strings.Join(t.Scopes, " "), "expires": timeOrNever(t.ExpiresAt)})
	return secret, t, h.a.catalog.CreateToken(ctx, t, e)
}

func timeOrNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339)
}

// RevokeToken ends a token at once. catalog.ErrNotFound also for those of others.
func (h *Handle) RevokeToken(ctx context.Context, id uid.ID) error {
	list, err := h.Tokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.ID == id {
			return h.a.catalog.DeleteToken(ctx, t, h.event("token.revoked", id.String(), map[string]string{"name": t.Name}))
		}
	}
	return fmt.Errorf("token %s: %w", id, catalog.ErrNotFound)
}

// TokenAccount returns the account of a token, and what it may be used for. ErrToken.
// From an address that it has not been used from, that is an event.
func (a *Archive) TokenAccount(ctx context.Context, secret, peer string) (*Account, []Scope, error) {
	if !strings.HasPrefix(secret, TokenPrefix) || len(secret) > 200 {
		return nil, nil, ErrToken
	}
	t, err := a.catalog.TokenByHash(ctx, sha256.Sum256([]byte(secret)))
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil, ErrToken
	}
	if err != nil {
		return nil, nil, err
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	if !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) {
		return nil, nil, ErrToken
	}
	acc := &Account{User: catalog.User{ID: t.ID, Tenant: t.Tenant, Name: t.Name}, ExpiresAt: t.ExpiresAt,
		Actor: access.Actor{Tenant: t.Tenant, Reseller: t.Reseller, User: t.ID, Role: access.RoleOperator, Peer: peer, Program: true}}
	switch {
	case !t.Tenant.IsZero():
		acc.Actor.Role = access.RoleTenantAdmin
		tenant, err := a.catalog.Tenant(ctx, t.Tenant)
		if err != nil {
			return nil, nil, err
		}
		if tenant.State == catalog.TenantSuspended {
			return nil, nil, ErrToken
		}
		acc.Tenant = *tenant
	case !t.Reseller.IsZero():
		acc.Actor.Role = access.RoleReseller
	}
	acc.User.Role = string(acc.Actor.Role)
	if err := a.useToken(ctx, t, peer, now); err != nil {
		return nil, nil, err
	}
	var scopes []Scope
	for _, s := range t.Scopes {
		scopes = append(scopes, Scope(s))
	}
	return acc, scopes, nil
}

// useToken remembers the use of a token, now and then.
func (a *Archive) useToken(ctx context.Context, t *catalog.Token, peer string, now time.Time) error {
	var events []*catalog.Event
	if peer != "" && !slices.Contains(t.Used.Peers, peer) {
		events = append(events, &catalog.Event{At: now, Actor: "user:" + t.ID.String(), Action: "token.new-address", Object: t.ID.String(),
			Details: map[string]string{"name": t.Name, "peer": peer}})
	} else if now.Sub(t.Used.At) < tokenTouch {
		return nil
	}
	t.Used.At = now
	if peer != "" {
		t.Used.Peers = slices.Insert(slices.DeleteFunc(t.Used.Peers, func(p string) bool { return p == peer }), 0, peer)
		t.Used.Peers = t.Used.Peers[:min(len(t.Used.Peers), maxPeers)]
	}
	err := a.catalog.UseToken(ctx, t, events...)
	if errors.Is(err, catalog.ErrNotFound) { // revoked just now
		return ErrToken
	}
	return err
}
