package httpd

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// judged turns what the archive says of a request of those above the tenants into
// problems.
func judged(err error) error {
	var field *archive.FieldError
	var different *archive.DifferentOrder
	var limit *archive.LimitError
	switch {
	case errors.As(err, &field):
		return mistake("body."+field.Field, field.Text)
	case errors.As(err, &different):
		p := api.NewProblem(api.CodeDifferent, "The reference was used for another order: "+different.Field+" differs.")
		p.Errors = []api.ProblemError{{Location: "body." + different.Field, Message: "differs from the first order of this reference"}}
		return p
	case errors.As(err, &limit):
		return api.NewProblem(api.CodeLimit, fmt.Sprintf("The limit of %d customers is reached; ask the operator of the installation for more.", limit.Customers))
	case errors.Is(err, archive.ErrNotDeletable):
		return api.NewProblem(api.CodeNotYet, err.Error())
	}
	return err
}

// entitled checks a right before the request is judged: whoever lacks it learns nothing
// else.
func (s *Server) entitled(ctx context.Context, right access.Right) (*archive.Handle, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.cfg.Archive.As(a.Actor), a.Actor.Check(right)
}

// about is entitled for something that a client names; what is no id is nobody's.
func (s *Server) about(ctx context.Context, right access.Right, id string) (*archive.Handle, uid.ID, error) {
	h, err := s.entitled(ctx, right)
	if err != nil {
		return nil, uid.ID{}, err
	}
	x, err := uid.Parse(id)
	if err != nil || x.IsZero() {
		return nil, uid.ID{}, fmt.Errorf("%.40q: %w", id, catalog.ErrNotFound)
	}
	return h, x, nil
}

// Tenants implements api.Service.
func (s *Server) Tenants(ctx context.Context) (*api.Tenants, error) {
	h, err := s.entitled(ctx, access.ManageTenants)
	if err != nil {
		return nil, err
	}
	views, err := h.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Tenants{Tenants: make([]api.TenantFigures, 0, len(views))}
	for i := range views {
		out.Tenants = append(out.Tenants, describeTenant(&views[i]))
	}
	return out, nil
}

func describeTenant(v *archive.TenantView) api.TenantFigures {
	f := api.TenantFigures{ID: v.ID.String(), Slug: v.Slug, Name: v.Name, State: string(v.State), CreatedAt: v.CreatedAt,
		Messages: v.Totals.Messages, RawBytes: v.Totals.RawBytes, Mailboxes: v.Usage.Mailboxes, Stored: v.Usage.StoredBytes, Limits: describeLimits(v.Limits)}
	if v.Reseller != nil {
		f.Reseller = v.Reseller.Slug
	}
	return f
}

func describeLimits(uses []archive.LimitUse) []api.LimitUse {
	out := make([]api.LimitUse, 0, len(uses))
	for _, u := range uses {
		out = append(out, api.LimitUse{What: u.What, Used: u.Used, Limit: u.Limit, Level: string(u.Level)})
	}
	return out
}

// Tenant implements api.Service.
func (s *Server) Tenant(ctx context.Context, id string) (*api.TenantDetail, error) {
	h, tenant, err := s.about(ctx, access.ManageTenants, id)
	if err != nil {
		return nil, err
	}
	return tenantDetail(ctx, h, tenant)
}

func tenantDetail(ctx context.Context, h *archive.Handle, tenant uid.ID) (*api.TenantDetail, error) {
	d, err := h.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := &api.TenantDetail{TenantFigures: describeTenant(&d.TenantView), Zone: d.Zone, Since: known(d.Care.Since), DeletableAt: known(d.DeletableAt), Reference: d.Reference,
		Domains: []api.TenantDomain{}, Journals: list(d.Journals), Shared: list(d.Care.Shared), Sources: d.Sources, Users: d.Users, Months: []api.TenantMonth{}}
	for _, x := range d.Domains {
		out.Domains = append(out.Domains, api.TenantDomain{Name: x.Name, AliasOf: x.Main})
	}
	for _, u := range d.Months {
		out.Months = append(out.Months, describeMonth(u))
	}
	return out, nil
}

func describeMonth(u *catalog.Usage) api.TenantMonth {
	return api.TenantMonth{Month: u.Month, Mailboxes: u.Mailboxes, Shared: u.Shared, Messages: u.Messages, Bytes: u.Bytes, Stored: u.StoredBytes}
}

func limits(l *api.Limits) *catalog.Limits {
	if l == nil {
		return nil
	}
	return &catalog.Limits{Customers: l.Customers, Mailboxes: l.Mailboxes, Storage: l.Storage}
}

// ChangeTenant implements api.Service.
func (s *Server) ChangeTenant(ctx context.Context, id string, c api.TenantChange) (*api.TenantDetail, error) {
	h, tenant, err := s.about(ctx, access.ManageTenants, id)
	if err != nil {
		return nil, err
	}
	err = h.ChangeTenant(ctx, tenant, archive.TenantChange{Name: c.Name, Zone: c.Zone, Reseller: c.Reseller, Limits: limits(c.Limits), Shared: c.Shared})
	if err != nil {
		return nil, judged(err)
	}
	return tenantDetail(ctx, h, tenant)
}

// SetTenantState implements api.Service.
func (s *Server) SetTenantState(ctx context.Context, id string, c api.TenantState) (*api.TenantDetail, error) {
	h, tenant, err := s.about(ctx, access.ManageTenants, id)
	if err != nil {
		return nil, err
	}
	if err := h.SetTenantState(ctx, tenant, catalog.TenantState(c.State)); err != nil {
		return nil, judged(err)
	}
	return tenantDetail(ctx, h, tenant)
}

// DeleteTenant implements api.Service.
func (s *Server) DeleteTenant(ctx context.Context, id string, d api.TenantDeletion) (*api.Certificate, error) {
	h, tenant, err := s.about(ctx, access.DeleteTenants, id)
	if err != nil {
		return nil, err
	}
	// What has begun is carried out, whether somebody still waits for it or not; what is
	// interrupted all the same goes on by itself.
	c, err := h.DeleteTenant(context.WithoutCancel(ctx), tenant, d.Name)
	if err != nil {
		return nil, judged(err)
	}
	out := describeCertificate(c, requestOf(ctx).language)
	return &out, nil
}

// Certificates implements api.Service.
func (s *Server) Certificates(ctx context.Context) (*api.Certificates, error) {
	h, err := s.entitled(ctx, access.DeleteTenants)
	if err != nil {
		return nil, err
	}
	certificates, err := h.Certificates(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Certificates{Certificates: []api.Certificate{}}
	for _, c := range certificates {
		out.Certificates = append(out.Certificates, describeCertificate(c, requestOf(ctx).language))
	}
	return out, nil
}

func describeCertificate(c *archive.Certificate, lang string) api.Certificate {
	return api.Certificate{Tenant: c.Tenant.String(), Slug: c.Slug, Name: c.Name, Reseller: c.Reseller, CreatedAt: c.Made, EndedAt: c.Ended, RequestedAt: c.Asked,
		RequestedBy: c.ByName, Messages: c.Messages, RawBytes: c.RawBytes, StoredBytes: c.StoredBytes, Users: c.Users, Sources: c.Sources, Domains: c.Domains,
		LogSize: c.Events, LogRoot: c.LogRoot, KeyDestroyed: known(c.KeyDestroyed), CompletedAt: known(c.Done), Objects: c.Objects, Text: c.Text(lang)}
}

// Resellers implements api.Service.
func (s *Server) Resellers(ctx context.Context) (*api.Resellers, error) {
	h, err := s.entitled(ctx, access.ManageBranding)
	if err != nil {
		return nil, err
	}
	views, err := h.Resellers(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Resellers{Resellers: []api.Reseller{}}
	for i := range views {
		out.Resellers = append(out.Resellers, describeReseller(&views[i]))
	}
	return out, nil
}

func describeReseller(v *archive.ResellerView) api.Reseller {
	return api.Reseller{ID: v.ID.String(), Slug: v.Slug, Name: v.Name, Host: v.Host, CreatedAt: v.CreatedAt, Tenants: v.Tenants, Limits: describeLimits(v.Limits),
		Branding: api.Branding(v.Branding)}
}

// Reseller implements api.Service.
func (s *Server) Reseller(ctx context.Context, id string) (*api.Reseller, error) {
	h, reseller, err := s.about(ctx, access.ManageBranding, id)
	if err != nil {
		return nil, err
	}
	v, err := h.Reseller(ctx, reseller)
	if err != nil {
		return nil, err
	}
	out := describeReseller(v)
	return &out, nil
}

// CreateReseller implements api.Service.
func (s *Server) CreateReseller(ctx context.Context, n api.NewReseller) (*api.Reseller, error) {
	h, err := s.entitled(ctx, access.ManageResellers)
	if err != nil {
		return nil, err
	}
	r, err := h.CreateReseller(ctx, archive.NewReseller{Slug: n.Slug, Name: n.Name, Host: n.Host, Limits: limits(n.Limits)})
	if err != nil {
		return nil, judged(err)
	}
	return s.Reseller(ctx, r.ID.String())
}

// ChangeReseller implements api.Service.
func (s *Server) ChangeReseller(ctx context.Context, id string, c api.ResellerChange) (*api.Reseller, error) {
	h, reseller, err := s.about(ctx, access.ManageBranding, id)
	if err != nil {
		return nil, err
	}
	change := archive.ResellerChange{Name: c.Name, Host: c.Host, Limits: limits(c.Limits)}
	if c.Branding != nil {
		b := catalog.Branding(*c.Branding)
		change.Branding = &b
	}
	if c.Logo != nil {
		if change.Logo, err = base64.StdEncoding.DecodeString(*c.Logo); err != nil {
			return nil, mistake("body.logo", "is not base64")
		}
		if change.Logo == nil {
			change.Logo = []byte{}
		}
	}
	if err := h.ChangeReseller(ctx, reseller, change); err != nil {
		return nil, judged(err)
	}
	return s.Reseller(ctx, id)
}

// Staff implements api.Service.
func (s *Server) Staff(ctx context.Context, id string) (*api.Staff, error) {
	h, reseller, err := s.about(ctx, access.ManageBranding, id)
	if err != nil {
		return nil, err
	}
	users, err := h.Staff(ctx, reseller)
	if err != nil {
		return nil, err
	}
	out := &api.Staff{Staff: []api.StaffMember{}}
	for _, u := range users {
		out.Staff = append(out.Staff, describeStaff(u))
	}
	return out, nil
}

func describeStaff(u *catalog.User) api.StaffMember {
	return api.StaffMember{ID: u.ID.String(), Login: u.Login, Name: u.Name, Disabled: u.Disabled}
}

// AddStaff implements api.Service.
func (s *Server) AddStaff(ctx context.Context, id string, n api.NewStaffMember) (*api.StaffMember, error) {
	h, reseller, err := s.about(ctx, access.ManageResellers, id)
	if err != nil {
		return nil, err
	}
	u, err := h.AddStaff(ctx, reseller, archive.NewUser{Login: n.Login, Name: n.Name, Password: n.Password})
	if err != nil {
		return nil, judged(err)
	}
	out := describeStaff(u)
	return &out, nil
}

// Tokens implements api.Service.
func (s *Server) Tokens(ctx context.Context) (*api.Tokens, error) {
	h, err := s.entitled(ctx, access.ManageTokens)
	if err != nil {
		return nil, err
	}
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := h.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Tokens{Tokens: []api.Token{}, Scopes: []string{}}
	for _, scope := range archive.ScopesFor(a.Actor.Role) {
		out.Scopes = append(out.Scopes, string(scope))
	}
	for _, t := range tokens {
		out.Tokens = append(out.Tokens, describeToken(t))
	}
	return out, nil
}

func describeToken(t *catalog.Token) api.Token {
	return api.Token{ID: t.ID.String(), Name: t.Name, Start: t.Start, Scopes: list(t.Scopes), CreatedBy: t.By, CreatedAt: t.CreatedAt, ExpiresAt: known(t.ExpiresAt),
		UsedAt: known(t.Used.At), UsedFrom: list(t.Used.Peers)}
}

// CreateToken implements api.Service.
func (s *Server) CreateToken(ctx context.Context, n api.NewToken) (*api.CreatedToken, error) {
	h, err := s.entitled(ctx, access.ManageTokens)
	if err != nil {
		return nil, err
	}
	var scopes []archive.Scope
	for _, x := range n.Scopes {
		scopes = append(scopes, archive.Scope(x))
	}
	var expires time.Time
	if n.ExpiresAt != nil {
		expires = *n.ExpiresAt
	}
	secret, t, err := h.CreateToken(ctx, n.Name, scopes, expires)
	if err != nil {
		return nil, judged(err)
	}
	return &api.CreatedToken{Token: describeToken(t), Secret: secret}, nil
}

// RevokeToken implements api.Service.
func (s *Server) RevokeToken(ctx context.Context, id string) error {
	h, token, err := s.about(ctx, access.ManageTokens, id)
	if err != nil {
		return err
	}
	return h.RevokeToken(ctx, token)
}
