package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// LoginPolicy is what a tenant asks of its users' log-ins, or the installation of
// those who belong to no tenant.
type LoginPolicy struct {
	// SecondFactor are the roles that have to have a second factor.
	SecondFactor []access.Role `json:"second_factor"`
}

// LoginPolicy returns the policy of the actor's tenant, or of the installation.
func (h *Handle) LoginPolicy(ctx context.Context) (*LoginPolicy, error) {
	if err := h.actor.Check(access.ManageLogins); err != nil {
		return nil, err
	}
	return h.a.loginPolicy(ctx, h.actor.Tenant)
}

// SetLoginPolicy sets it. Whoever has to have a second factor now and has none is led
// to set one up, also in sessions that are open.
func (h *Handle) SetLoginPolicy(ctx context.Context, p LoginPolicy) error {
	if err := h.actor.Check(access.ManageLogins); err != nil {
		return err
	}
	tenant := h.actor.Tenant
	for _, r := range p.SecondFactor {
		if _, err := access.ParseRole(string(r)); err != nil || r.OfTenant() == tenant.IsZero() {
			return invalid("role %q: is not one of those that this policy is for", r)
		}
	}
	slices.Sort(p.SecondFactor)
	p.SecondFactor = slices.Compact(p.SecondFactor)
	old, err := h.a.loginPolicy(ctx, tenant)
	if len(rowErrors(err)) > 0 {
		old = &LoginPolicy{} // is set anew
	} else if err != nil {
		return err
	}
	settings, err := json.Marshal(p)
	if err != nil {
		return err
	}
	setup, err := h.a.without(ctx, tenant, p.SecondFactor)
	if err != nil {
		return err
	}
	e := h.event("login-policy.changed", "", map[string]string{"before.second-factor": roleList(old.SecondFactor), "after.second-factor": roleList(p.SecondFactor)})
	if err := h.a.catalog.SetLoginPolicy(ctx, &catalog.LoginPolicy{Tenant: tenant, Settings: settings}, setup, e); err != nil {
		return err
	}
	if tenant.IsZero() {
		return nil
	}
	return h.a.describeTenant(ctx, tenant)
}

// without lists the users with one of the roles who have no second factor.
func (a *Archive) without(ctx context.Context, tenant uid.ID, roles []access.Role) (list []uid.ID, err error) {
	users, err := a.catalog.Users(ctx, tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	for _, u := range users {
		if !slices.Contains(roles, access.Role(u.Role)) {
			continue
		}
		kinds, err := a.factorKinds(ctx, u)
		if err != nil {
			return nil, err
		}
		if len(kinds) == 0 {
			list = append(list, u.ID)
		}
	}
	return list, nil
}

func roleList(roles []access.Role) string {
	var out []string
	for _, r := range roles {
		out = append(out, string(r))
	}
	return strings.Join(out, " ")
}

// loginPolicy of a tenant; the zero tenant is the installation.
func (a *Archive) loginPolicy(ctx context.Context, tenant uid.ID) (*LoginPolicy, error) {
	row, err := a.catalog.LoginPolicy(ctx, tenant)
	if errors.Is(err, catalog.ErrNotFound) {
		return &LoginPolicy{}, nil
	}
	if err != nil {
		return nil, err
	}
	var p LoginPolicy
	if err := json.Unmarshal(row.Settings, &p); err != nil {
		return nil, fmt.Errorf("policy of log-ins: %w", err)
	}
	return &p, nil
}

// needsFactor reports whether a user has to have a second factor.
func (a *Archive) needsFactor(ctx context.Context, u *catalog.User) (bool, error) {
	tenant := u.Tenant
	if !access.Role(u.Role).OfTenant() {
		tenant = uid.ID{}
	}
	p, err := a.loginPolicy(ctx, tenant)
	if err != nil {
		return false, err
	}
	return slices.Contains(p.SecondFactor, access.Role(u.Role)), nil
}

// restoreLoginPolicy sets the policy of a tenant that was lost.
func (a *Archive) restoreLoginPolicy(ctx context.Context, tenant uid.ID, roles []access.Role) error {
	if len(roles) == 0 {
		return nil
	}
	settings, err := json.Marshal(LoginPolicy{SecondFactor: roles})
	if err != nil {
		return err
	}
	e := a.cliEvent("login-policy.restored", "", map[string]string{"after.second-factor": roleList(roles)})
	return a.catalog.SetLoginPolicy(ctx, &catalog.LoginPolicy{Tenant: tenant, Settings: settings}, nil, e)
}
