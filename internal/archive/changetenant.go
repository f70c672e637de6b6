package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// TenantChange is what somebody changes of a tenant; nil stays as it is.
type TenantChange struct {
	Name, Zone *string
	Reseller   *string // short name; empty: the operator. For an operator only
	Limits     *catalog.Limits
	Shared     []string // nil: stays
}

// ChangeTenant changes a tenant that the actor looks after. A *FieldError says what is
// wrong.
func (h *Handle) ChangeTenant(ctx context.Context, id uid.ID, c TenantChange) error {
	if err := h.mine(ctx, access.ManageTenants, id); err != nil {
		return err
	}
	reseller, err := h.checkChange(ctx, &c)
	if err != nil {
		return err
	}
	if c.Zone != nil {
		e := h.event("retention.zone-changed", "", map[string]string{"after.zone": *c.Zone})
		if err := h.a.keepZone(ctx, id, *c.Zone, e); err != nil {
			return err
		}
	}
	err = h.a.catalog.ChangeTenant(ctx, id, func(t *catalog.Tenant, k *catalog.Care) ([]*catalog.Event, error) {
		details := map[string]string{}
		changeText(details, "name", &t.Name, c.Name)
		changeText(details, "zone", &t.Zone, c.Zone)
		if c.Limits != nil {
			changeNumber(details, "mailboxes", &k.Limits.Mailboxes, c.Limits.Mailboxes)
			changeNumber(details, "storage", &k.Limits.Storage, c.Limits.Storage)
		}
		if c.Reseller != nil && k.Reseller != reseller {
			details["before.reseller"], details["after.reseller"] = idOrNone(k.Reseller), idOrNone(reseller)
			k.Reseller = reseller
		}
		if c.Shared != nil && !slices.Equal(c.Shared, k.Shared) {
			details["before.shared"], details["after.shared"] = strings.Join(k.Shared, " "), strings.Join(c.Shared, " ")
			k.Shared = c.Shared
		}
		if len(details) == 0 {
			return nil, nil
		}
		return []*catalog.Event{h.event("tenant.changed", id.String(), details)}, nil
	})
	if err != nil {
		return err
	}
	return h.a.describeTenant(ctx, id)
}

// maxShared bounds the shared addresses of a tenant.
const maxShared = 5000

func (h *Handle) checkChange(ctx context.Context, c *TenantChange) (reseller uid.ID, err error) {
	if c.Name != nil {
		if *c.Name = strings.TrimSpace(*c.Name); *c.Name == "" {
			return reseller, wrongField("name", "is missing")
		}
		if err := checkName(*c.Name); err != nil {
			return reseller, inField("name", err)
		}
	}
	if c.Zone != nil {
		if err := checkZone(*c.Zone); err != nil || *c.Zone == "" {
			return reseller, wrongField("zone", "is no IANA time zone such as Europe/Berlin")
		}
	}
	if c.Limits != nil {
		if err := checkTenantLimits(*c.Limits); err != nil {
			return reseller, err
		}
	}
	if c.Shared != nil {
		list, err := Addresses(c.Shared)
		if err != nil || len(list) > maxShared {
			return reseller, inField("shared", cmp.Or(err, invalid("at most %d addresses", maxShared)))
		}
		slices.Sort(list)
		c.Shared = append([]string{}, slices.Compact(list)...)
	}
	if c.Reseller != nil {
		return h.chosenReseller(ctx, *c.Reseller)
	}
	return reseller, nil
}

// chosenReseller finds the reseller that a new or changed tenant is to belong to. Only
// an operator may choose.
func (h *Handle) chosenReseller(ctx context.Context, slug string) (uid.ID, error) {
	if h.actor.Role != access.RoleOperator {
		return uid.ID{}, wrongField("reseller", "can be chosen by an operator only")
	}
	if slug == "" {
		return uid.ID{}, nil
	}
	r, err := h.a.catalog.ResellerBySlug(ctx, slug)
	if errors.Is(err, catalog.ErrNotFound) {
		return uid.ID{}, wrongField("reseller", "there is no reseller %.64q", slug)
	}
	if err != nil {
		return uid.ID{}, err
	}
	return r.ID, nil
}

func checkLimits(l catalog.Limits) error {
	if l.Customers < 0 || l.Mailboxes < 0 || l.Storage < 0 {
		return wrongField("limits", "want 0, which is none, or more")
	}
	return nil
}

// checkTenantLimits refuses what only a reseller has.
func checkTenantLimits(l catalog.Limits) error {
	if l.Customers != 0 {
		return wrongField("limits.customers", "is a limit of resellers; a customer has none of its own")
	}
	return checkLimits(l)
}

func idOrNone(id uid.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

func changeText(details map[string]string, name string, v, to *string) {
	if to != nil && *v != *to {
		details["before."+name], details["after."+name] = *v, *to
		*v = *to
	}
}

func changeNumber[N int | int64](details map[string]string, name string, v *N, to N) {
	if *v != to {
		details["before."+name], details["after."+name] = fmt.Sprint(*v), fmt.Sprint(to)
		*v = to
	}
}
