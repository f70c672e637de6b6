package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// tenantData is what the vault keeps of a tenant, for rebuild; docs/format.md,
// "Metadata", specifies it.
type tenantData struct {
	Slug      string       `json:"slug"`
	Name      string       `json:"name"`
	Zone      string       `json:"zone"`
	CreatedAt time.Time    `json:"created_at"`
	Sources   []sourceData `json:"sources,omitempty"`
	// SourcesLeftOut counts the sources for which there was no room.
	SourcesLeftOut int `json:"sources_left_out,omitempty"`
	// SettingsLeftOut counts the sources that are there without their settings.
	SettingsLeftOut int `json:"settings_left_out,omitempty"`

	// State is empty for an active tenant, Reseller for the operator's own.
	State    catalog.TenantState `json:"state,omitempty"`
	Since    time.Time           `json:"since,omitzero"`
	Reseller *resellerData       `json:"reseller,omitempty"`
	Limits   catalog.Limits      `json:"limits,omitzero"`

	Domains   []domainData   `json:"domains,omitempty"`
	Selection *selectionData `json:"selection,omitempty"`

	Retention []settingData `json:"retention,omitempty"`

	SecondFactor []access.Role `json:"second_factor,omitempty"` // roles that have to have one

	Directories        []directoryData `json:"directories,omitempty"`
	DirectoriesLeftOut int             `json:"directories_left_out,omitempty"` // for which there was no room
	// AccessSilent: whose mail is read by others is not told of it.
	AccessSilent bool `json:"access_silent,omitempty"`

	settings map[uid.ID][]byte // of sources, as the catalog has them
}

// sourceData is what the vault keeps of a source. Passwords are not among it.
type sourceData struct {
	ID             uid.ID `json:"id"`
	Kind           string `json:"kind"`
	Name           string `json:"name"`
	JournalAddress string `json:"journal_address,omitempty"`
	Category       string `json:"category,omitempty"`
	Disabled       bool   `json:"disabled,omitempty"`
	// Settings is a JSON object; its members depend on the kind.
	Settings json.RawMessage `json:"settings,omitempty"`
}

// resellerData is what the vault keeps of the reseller who looks after a tenant.
type resellerData struct {
	ID   uid.ID `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// describeCare adds state and care to what the vault keeps of a tenant.
func (a *Archive) describeCare(ctx context.Context, t *catalog.Tenant, d *tenantData) error {
	k, err := a.catalog.Care(ctx, t.ID)
	if err != nil {
		return err
	}
	d.Limits = k.Limits
	if t.State != catalog.TenantActive {
		d.State, d.Since = t.State, k.Since
	}
	if k.Reseller.IsZero() {
		return nil
	}
	r, err := a.catalog.Reseller(ctx, k.Reseller)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	if err == nil {
		d.Reseller = &resellerData{r.ID, r.Slug, r.Name}
	}
	return err
}

// describedAgain bounds how often a description is written anew because others
// change sources at the same time.
const describedAgain = 10

// describeTenant writes what rebuild needs to know of a tenant into the vault, if
// it is not there yet. Every process reads the catalog again after it has written:
// whoever writes last has seen everything.
func (a *Archive) describeTenant(ctx context.Context, tenant uid.ID) error {
	a.describing.Lock()
	defer a.describing.Unlock()
	for range describedAgain {
		same, want, err := a.described(ctx, tenant)
		if err != nil || same {
			return err
		}
		if err := a.vault.UpdateTenant(ctx, vault.TenantInfo{ID: tenant, Data: want}); err != nil {
			return err
		}
	}
	return nil
}

// described reports whether the vault's description of a tenant is what it should be.
func (a *Archive) described(ctx context.Context, tenant uid.ID) (same bool, want []byte, err error) {
	t, err := a.catalog.Tenant(ctx, tenant)
	if err != nil {
		return false, nil, err
	}
	list, err := a.catalog.Sources(ctx, tenant)
	if err != nil {
		return false, nil, err
	}
	d := tenantData{}
	if err := a.describeCare(ctx, t, &d); err != nil {
		return false, nil, err
	}
	if err := a.describeRules(ctx, tenant, &d); err != nil {
		return false, nil, err
	}
	if err := a.describeDirectories(ctx, tenant, &d); err != nil {
		return false, nil, err
	}
	if err := a.describeRetention(ctx, tenant, &d); err != nil {
		return false, nil, err
	}
	info, err := a.vault.Tenant(ctx, tenant)
	if err != nil {
		return false, nil, err
	}
	if err := a.describeSettings(ctx, tenant, &d, info.Data); err != nil {
		return false, nil, err
	}
	policy, err := a.loginPolicy(ctx, tenant)
	if err != nil {
		return false, nil, err
	}
	d.SecondFactor = policy.SecondFactor
	if want, err = tenantDescription(t, list, d); err != nil {
		return false, nil, err
	}
	return bytes.Equal(info.Data, want), want, nil
}

// describeSettings adds the settings of sources. Of a damaged row, what was described
// before stays.
func (a *Archive) describeSettings(ctx context.Context, tenant uid.ID, d *tenantData, before []byte) error {
	list, err := a.catalog.SourceSettings(ctx, tenant)
	if damaged := len(rowErrors(err)) > 0; damaged {
		var old tenantData
		if json.Unmarshal(before, &old) == nil {
			for _, s := range old.Sources {
				list = append([]*catalog.SourceSetting{{Source: s.ID, Settings: s.Settings}}, list...)
			}
		}
	}
	if err := a.sound("settings of sources", err); err != nil {
		return err
	}
	d.settings = make(map[uid.ID][]byte, len(list))
	for _, s := range list {
		d.settings[s.Source] = s.Settings
	}
	return nil
}

// tenantDescription makes the JSON that the vault keeps. If there is not enough
// room for all sources, those with a journal address go first: only they are lost
// for good with the catalog. d has the tenant's rules.
func tenantDescription(t *catalog.Tenant, list []*catalog.Source, d tenantData) ([]byte, error) {
	d.Slug, d.Name, d.Zone, d.CreatedAt = t.Slug, t.Name, t.Zone, t.CreatedAt.UTC()
	list = slices.Clone(list)
	slices.SortFunc(list, func(x, y *catalog.Source) int {
		return cmp.Or(cmp.Compare(y.JournalAddress, "")-cmp.Compare(x.JournalAddress, ""), x.ID.Compare(y.ID))
	})
	for _, s := range list {
		d.Sources = append(d.Sources, sourceData{ID: s.ID, Kind: s.Kind, Name: s.Name, JournalAddress: s.JournalAddress, Category: s.Category, Disabled: s.Disabled})
	}
	d.addSettings(settingsRecord)
	for {
		b, err := json.Marshal(d)
		if err == nil && len(b) > vault.MaxTenantData && slices.ContainsFunc(d.Sources, func(s sourceData) bool { return len(s.Settings) > 0 }) {
			d.addSettings(0) // they can be entered anew
			continue
		}
		if err == nil && len(b) > vault.MaxTenantData && len(d.Directories) > 0 { // they can be set up anew
			d.DirectoriesLeftOut += len(d.Directories)
			d.Directories = nil
			continue
		}
		if err != nil || len(b) <= vault.MaxTenantData || len(d.Sources) == 0 {
			return b, err
		}
		n := max(len(d.Sources)/20, 1)
		d.Sources = d.Sources[:len(d.Sources)-n]
		d.SourcesLeftOut += n
	}
}

// settingsRecord bounds the JSON of the settings of sources in the vault's description of
// a tenant, in bytes: a quarter of it.
const settingsRecord = 16 << 10

// addSettings gives sources their settings, those with a journal address first, and
// counts those for which there is no room.
func (d *tenantData) addSettings(room int) {
	d.SettingsLeftOut = 0
	for i := range d.Sources {
		s := &d.Sources[i]
		s.Settings = nil
		switch b := d.settings[s.ID]; {
		case len(b) == 0 || string(b) == "{}" || !json.Valid(b):
		case len(b) > room:
			d.SettingsLeftOut++
		default:
			s.Settings = b
			room -= len(b)
		}
	}
}

// DescribeTenants brings the vault's descriptions of all tenants up to date. What
// cannot be done is logged; it prevents nothing.
func (a *Archive) DescribeTenants(ctx context.Context) {
	tenants, err := a.Tenants(ctx)
	if err != nil {
		a.log.Error("tenants cannot be described in the vault", "error", err)
	}
	for _, t := range tenants {
		if err := a.describeTenant(ctx, t.ID); err != nil {
			a.log.Error("tenant cannot be described in the vault", "tenant", t.ID, "error", err)
		}
		if err := a.describeHolds(ctx, t.ID); err != nil {
			a.log.Error("holds cannot be described in the vault", "tenant", t.ID, "error", err)
		}
	}
}

// ErrCatalogLost is returned when the vault knows tenants and the catalog none.
var ErrCatalogLost = errors.New("the catalog has lost its tenants")

// CheckFounded returns ErrCatalogLost (wrapped) if the vault holds tenants and the
// catalog knows none at all: whoever went on would begin a second archive in the
// place of the first.
func (a *Archive) CheckFounded(ctx context.Context) error {
	tenants, err := a.catalog.Tenants(ctx)
	if len(tenants) > 0 || err != nil { // damaged rows are rows
		if len(rowErrors(err)) > 0 {
			err = nil
		}
		return err
	}
	n := 0
	err = a.vault.Tenants(ctx, func(vault.TenantInfo, error) error { n++; return nil })
	if err == nil && n > 0 {
		err = fmt.Errorf("%w: the vault holds %d, the catalog is empty. Put the catalog back from a backup, or run: muniment rebuild", ErrCatalogLost, n)
	}
	return err
}
