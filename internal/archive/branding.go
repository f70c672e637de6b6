package archive

import (
	"context"
	"net"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
)

// BrandingOf returns how the archive looks to a user: that of the reseller who looks
// after the tenant, or whose staff the user is. The zero one if nobody has said.
func (a *Archive) BrandingOf(ctx context.Context, actor access.Actor) (catalog.Branding, error) {
	reseller := actor.Reseller
	if !actor.Tenant.IsZero() {
		k, err := a.catalog.Care(ctx, actor.Tenant)
		if err := a.sound("care of tenants", err); err != nil || k == nil {
			return catalog.Branding{}, err
		}
		reseller = k.Reseller
	}
	if reseller.IsZero() {
		return catalog.Branding{}, nil
	}
	r, err := a.catalog.Reseller(ctx, reseller)
	if err := a.sound("resellers", err); err != nil || r == nil {
		return catalog.Branding{}, err
	}
	return r.Branding, nil
}

// BrandingAt returns how the archive looks under a host name, to everybody. The zero
// one if it is nobody's.
func (a *Archive) BrandingAt(ctx context.Context, host string) (catalog.Branding, error) {
	r, err := a.resellerAt(ctx, host)
	if r == nil || err != nil {
		return catalog.Branding{}, err
	}
	return r.Branding, nil
}

// ResellerHost returns a host name, without port, if it is a reseller's: certificates are
// got for it as for the site's own. Empty: it is nobody's.
func (a *Archive) ResellerHost(ctx context.Context, host string) (string, error) {
	r, err := a.resellerAt(ctx, host)
	if r == nil || err != nil {
		return "", err
	}
	return r.Host, nil
}

// resellerAt returns the reseller whose host name, perhaps with a port, it is; nil: nobody's.
func (a *Archive) resellerAt(ctx context.Context, host string) (*catalog.Reseller, error) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" {
		return nil, nil
	}
	list, err := a.catalog.Resellers(ctx)
	if err := a.sound("resellers", err); err != nil {
		return nil, err
	}
	for _, r := range list {
		if r.Host == host {
			return r, nil
		}
	}
	return nil, nil
}
