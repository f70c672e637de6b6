package archive

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// What a tenant enters into the DNS to prove that a domain is its own: a TXT record
// (RFC 1035 §3.3.14) of a name below the domain.
const (
	proofLabel = "_muniment-challenge."
	proofText  = "muniment-domain-verification="
)

// proofTime bounds a question to the DNS, maxProofRecords the records that are compared.
const (
	proofTime       = 10 * time.Second
	maxProofRecords = 100
)

// Codes of what a check of a domain meets.
const (
	ProofMissing     = "missing"     // there is no such record
	ProofDifferent   = "different"   // there is one with another text
	ProofUnreachable = "unreachable" // the DNS did not answer
)

// ProofView is whether a domain is proven, and how it is.
type ProofView struct {
	Record string // name of the TXT record, as it is entered, in ASCII
	Value  string // its text
	Needed bool   // mail of the domain is not seen before
	catalog.DomainProof
}

// proofValue is the text that proves a domain for a tenant. It need not be secret: it
// counts only in the DNS of the domain, and only for this tenant.
func proofValue(tenant uid.ID, domain string) string {
	h := sha256.Sum256([]byte("muniment domain proof 1\x00" + tenant.String() + "\x00" + domain))
	return proofText + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h[:20]))
}

func proofRecord(domain string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("domain %.80q: %w", domain, err)
	}
	return proofLabel + ascii, nil
}

// provenDomains lists the domains of a tenant whose mail may be seen; nil: all, for they
// need not be proven.
func (a *Archive) provenDomains(ctx context.Context, tenant uid.ID) (map[string]bool, error) {
	rules, err := a.MailRules(ctx)
	if err != nil || !rules.ProofNeeded {
		return nil, err
	}
	proofs, err := a.catalog.DomainProofs(ctx, tenant)
	if err := a.sound("proofs of domains", err); err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for name, p := range proofs {
		if !p.ProvenAt.IsZero() {
			out[name] = true
		}
	}
	return out, nil
}

// DomainProofs tells of the domains of the tenant whether they are proven, by name.
func (h *Handle) DomainProofs(ctx context.Context) (map[string]*ProofView, error) {
	if err := h.actor.Check(access.ManageDomains); err != nil {
		return nil, err
	}
	return h.a.DomainProofs(ctx, h.actor.Tenant)
}

// DomainProofs is that of a Handle, for the operator on the command line.
func (a *Archive) DomainProofs(ctx context.Context, tenant uid.ID) (map[string]*ProofView, error) {
	rules, err := a.MailRules(ctx)
	if err != nil {
		return nil, err
	}
	list, err := a.catalog.DomainsOf(ctx, tenant)
	if err := a.sound("domains", err); err != nil {
		return nil, err
	}
	proofs, err := a.catalog.DomainProofs(ctx, tenant)
	if err := a.sound("proofs of domains", err); err != nil {
		return nil, err
	}
	out := map[string]*ProofView{}
	for _, d := range list {
		v := &ProofView{Value: proofValue(tenant, d.Name), Needed: rules.ProofNeeded, DomainProof: catalog.DomainProof{Name: d.Name, Tenant: tenant}}
		if p := proofs[d.Name]; p != nil {
			v.DomainProof = *p
		}
		if v.Record, err = proofRecord(d.Name); err != nil {
			return nil, err
		}
		out[d.Name] = v
	}
	return out, nil
}

// ProveDomain asks the DNS whether a domain of the tenant is its own. What was proven
// once stays so until the domain is removed. catalog.ErrNotFound.
func (h *Handle) ProveDomain(ctx context.Context, name string) (*ProofView, error) {
	if err := h.actor.Check(access.ManageDomains); err != nil {
		return nil, err
	}
	return h.a.proveDomain(ctx, h.actor.Tenant, name, h.ruleEvent)
}

// ProveDomain is that of a Handle, for the operator on the command line.
func (a *Archive) ProveDomain(ctx context.Context, tenant uid.ID, name string) (*ProofView, error) {
	return a.proveDomain(ctx, tenant, name, a.cliRuleEvent)
}

func (a *Archive) proveDomain(ctx context.Context, tenant uid.ID, name string, act describeAct) (*ProofView, error) {
	domain, _ := message.NormalizeDomain(name)
	views, err := a.DomainProofs(ctx, tenant)
	if err != nil {
		return nil, err
	}
	v := views[domain]
	if v == nil {
		return nil, fmt.Errorf("domain %.80q: %w", name, catalog.ErrNotFound)
	}
	v.Problem = a.askProof(ctx, v)
	v.CheckedAt = a.now().UTC().Truncate(time.Millisecond)
	var events []*catalog.Event
	if v.Problem == "" && v.ProvenAt.IsZero() {
		v.ProvenAt = v.CheckedAt
		events = append(events, act("domain.proven", domain, map[string]string{"record": v.Record}))
	}
	if err := a.catalog.SetDomainProof(ctx, &v.DomainProof, events...); err != nil {
		return nil, err
	}
	a.rerouted()
	return v, a.describeTenant(ctx, tenant)
}

// askProof returns the code of what is wrong with the record of a domain; empty: it is
// there.
func (a *Archive) askProof(ctx context.Context, v *ProofView) string {
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	list, err := a.lookupTXT(ctx, v.Record+".")
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return ProofMissing
	case err != nil:
		a.log.Warn("the DNS does not tell whether a domain is proven", "record", v.Record, "error", err)
		return ProofUnreachable
	}
	list = list[:min(len(list), maxProofRecords)]
	if slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), v.Value) }) {
		return ""
	}
	if slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, proofText) }) {
		return ProofDifferent
	}
	return ProofMissing
}
