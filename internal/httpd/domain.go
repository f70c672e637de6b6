package httpd

import (
	"context"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
)

func describeProof(v *archive.ProofView) api.DomainProof {
	if v == nil { // removed meanwhile
		return api.DomainProof{}
	}
	return api.DomainProof{Record: v.Record, Value: v.Value, Needed: v.Needed, ProvenAt: known(v.ProvenAt), CheckedAt: known(v.CheckedAt), Problem: v.Problem}
}

// ProveDomain implements api.Service.
func (s *Server) ProveDomain(ctx context.Context, name string) (*api.DomainProof, error) {
	h, err := s.entitled(ctx, access.ManageDomains)
	if err != nil {
		return nil, err
	}
	v, err := h.ProveDomain(ctx, name)
	if err != nil {
		return nil, err
	}
	out := describeProof(v)
	return &out, nil
}

// MailRules implements api.Service.
func (s *Server) MailRules(ctx context.Context) (*api.MailRules, error) {
	h, err := s.entitled(ctx, access.ManageSite)
	if err != nil {
		return nil, err
	}
	m, err := h.MailRules(ctx)
	if err != nil {
		return nil, err
	}
	return &api.MailRules{JournalDomain: m.JournalDomain, Configured: m.Configured, ProofNeeded: m.ProofNeeded}, nil
}

// ChangeMailRules implements api.Service.
func (s *Server) ChangeMailRules(ctx context.Context, c api.MailRulesChange) (*api.MailRules, error) {
	h, err := s.entitled(ctx, access.ManageSite)
	if err != nil {
		return nil, err
	}
	if err := h.SetMailRules(ctx, c.JournalDomain, c.ProofNeeded); err != nil {
		return nil, judged(err)
	}
	return s.MailRules(ctx)
}

// AddTenantDomain implements api.Service.
func (s *Server) AddTenantDomain(ctx context.Context, id string, n api.NewDomain) (*api.TenantDetail, error) {
	h, tenant, err := s.about(ctx, access.ManageTenants, id)
	if err != nil {
		return nil, err
	}
	if err := h.AddTenantDomain(ctx, tenant, n.Name, n.AliasOf); err != nil {
		return nil, typed("body.name", err)
	}
	return tenantDetail(ctx, h, tenant)
}

// RemoveTenantDomain implements api.Service.
func (s *Server) RemoveTenantDomain(ctx context.Context, id, name string) (*api.TenantDetail, error) {
	h, tenant, err := s.about(ctx, access.ManageTenants, id)
	if err != nil {
		return nil, err
	}
	if err := h.RemoveTenantDomain(ctx, tenant, name); err != nil {
		return nil, typed("path.name", err)
	}
	return tenantDetail(ctx, h, tenant)
}
