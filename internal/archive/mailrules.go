package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
)

// MailRules are what the operator says of domains, for all tenants.
type MailRules struct {
	// JournalDomain is the domain of new journal addresses; those that are there stay.
	JournalDomain string
	// Configured is that of the configuration file, which holds as long as nothing is set.
	Configured string
	// ProofNeeded says that mail of a domain is seen only when the tenant has proven that
	// the domain is its own.
	ProofNeeded bool
}

// mailRules is what is stored.
type mailRules struct {
	JournalDomain string `json:"journal_domain,omitempty"`
	ProofNeeded   bool   `json:"proof_needed,omitempty"`
}

// mailRulesSetting is the name of the setting of the installation.
const mailRulesSetting = "mail-rules"

// MailRules returns what the operator says of domains.
func (h *Handle) MailRules(ctx context.Context) (*MailRules, error) {
	if err := h.actor.Check(access.ManageSite); err != nil {
		return nil, err
	}
	return h.a.MailRules(ctx)
}

// MailRules is Handle.MailRules, for the archive itself and the command line. While the
// row is damaged, domains have to be proven: it is set anew by SetMailRules.
func (a *Archive) MailRules(ctx context.Context) (*MailRules, error) {
	m := &MailRules{JournalDomain: a.domain, Configured: a.domain}
	row, err := a.catalog.InstanceSetting(ctx, mailRulesSetting)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return m, nil
	case len(rowErrors(err)) > 0:
		a.log.Error("the rules for domains are damaged; set them anew", "error", err)
		m.ProofNeeded = true
		return m, nil
	case err != nil:
		return nil, err
	}
	var s mailRules
	if err := json.Unmarshal(row.Settings, &s); err != nil {
		return nil, fmt.Errorf("rules for domains: %w", err)
	}
	if m.ProofNeeded = s.ProofNeeded; s.JournalDomain != "" {
		m.JournalDomain = s.JournalDomain
	}
	return m, nil
}

// SetMailRules sets them; nil stays, an empty domain is that of the configuration file.
// A *FieldError says what is wrong.
func (h *Handle) SetMailRules(ctx context.Context, journalDomain *string, proofNeeded *bool) error {
	if err := h.actor.Check(access.ManageSite); err != nil {
		return err
	}
	return h.a.setMailRules(ctx, journalDomain, proofNeeded, h.event)
}

// SetMailRules is that of a Handle, for the operator on the command line.
func (a *Archive) SetMailRules(ctx context.Context, journalDomain *string, proofNeeded *bool) error {
	return a.setMailRules(ctx, journalDomain, proofNeeded, a.cliEvent)
}

func (a *Archive) setMailRules(ctx context.Context, journalDomain *string, proofNeeded *bool, act describeAct) error {
	old, err := a.MailRules(ctx)
	if err != nil {
		return err
	}
	next := mailRules{ProofNeeded: old.ProofNeeded}
	if old.JournalDomain != old.Configured {
		next.JournalDomain = old.JournalDomain
	}
	details := map[string]string{}
	if journalDomain != nil {
		if next.JournalDomain = strings.TrimSpace(*journalDomain); next.JournalDomain != "" {
			if next.JournalDomain, err = a.checkJournalDomain(ctx, next.JournalDomain); err != nil {
				return err
			}
		}
		if next.JournalDomain == old.Configured {
			next.JournalDomain = ""
		}
		after := next.JournalDomain
		if after == "" {
			after = old.Configured
		}
		changeText(details, "journal_domain", &old.JournalDomain, &after)
	}
	if proofNeeded != nil && *proofNeeded != old.ProofNeeded {
		details["before.proof_needed"], details["after.proof_needed"] = fmt.Sprint(old.ProofNeeded), fmt.Sprint(*proofNeeded)
		next.ProofNeeded = *proofNeeded
	}
	if len(details) == 0 {
		return nil
	}
	b, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := a.catalog.SetInstanceSetting(ctx, &catalog.InstanceSetting{Name: mailRulesSetting, Settings: b}, act("mail-rules.changed", "", details)); err != nil {
		return err
	}
	a.rerouted()
	return nil
}

// checkJournalDomain returns a domain as it is stored: its mail comes to the archive, so
// no tenant may have it.
func (a *Archive) checkJournalDomain(ctx context.Context, name string) (string, error) {
	domain, ok := message.NormalizeDomain(name)
	if !ok {
		return "", wrongField("journal_domain", "%.80q: want one such as journal.example.com", name)
	}
	list, err := a.catalog.Domains(ctx)
	if err := a.sound("domains", err); err != nil {
		return "", err
	}
	for _, d := range list {
		if d.Name == domain {
			return "", wrongField("journal_domain", "%s is the mail domain of a customer; take one of its own, such as journal.%s", domain, domain)
		}
	}
	return domain, nil
}

// ofJournals reports whether a domain is one of journal addresses, now or as the
// configuration file has it.
func (a *Archive) ofJournals(ctx context.Context, domain string) bool {
	if domain == message.DomainOf("x@"+a.domain) {
		return true
	}
	m, err := a.MailRules(ctx)
	if err != nil {
		a.log.Error("the rules for domains cannot be read", "error", err)
		return false
	}
	return domain == m.JournalDomain
}
