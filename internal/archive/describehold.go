package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/retention"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// holdData is what the vault keeps of a hold, for rebuild; docs/format.md, "Metadata",
// specifies it.
type holdData struct {
	Version    int             `json:"v"`
	Name       string          `json:"name"`
	Reason     string          `json:"reason"`
	Scope      json.RawMessage `json:"scope"`
	PlacedBy   string          `json:"placed_by"`
	PlacedRole string          `json:"placed_role,omitempty"`
	PlacedAt   time.Time       `json:"placed_at"`
	LiftedAt   time.Time       `json:"lifted_at,omitzero"`
	LiftedBy   string          `json:"lifted_by,omitempty"`
	ApprovedBy string          `json:"approved_by,omitempty"`
	LiftReason string          `json:"lift_reason,omitempty"`
}

// holdVersion is the version of holdData.
const holdVersion = 1

func encodeHold(h *catalog.Hold) ([]byte, error) {
	return json.Marshal(holdData{Version: holdVersion, Name: h.Name, Reason: h.Reason, Scope: h.Scope, PlacedBy: h.PlacedBy, PlacedRole: h.PlacedRole, PlacedAt: h.PlacedAt,
		LiftedAt: h.LiftedAt, LiftedBy: h.LiftedBy, ApprovedBy: h.ApprovedBy, LiftReason: h.LiftReason})
}

func decodeHold(tenant, id uid.ID, b []byte) (*catalog.Hold, error) {
	var d holdData
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fmt.Errorf("hold %s: %w", id, err)
	}
	if d.Version != holdVersion {
		return nil, fmt.Errorf("hold %s of version %d; this release reads %d", id, d.Version, holdVersion)
	}
	h := &catalog.Hold{Tenant: tenant, ID: id, Name: d.Name, Reason: d.Reason, Scope: d.Scope, PlacedBy: d.PlacedBy, PlacedRole: d.PlacedRole, PlacedAt: d.PlacedAt,
		LiftedAt: d.LiftedAt, LiftedBy: d.LiftedBy, ApprovedBy: d.ApprovedBy, LiftReason: d.LiftReason}
	_, err := scopeOf(h)
	return h, err
}

// describeHolds writes into the vault what rebuild needs to know of the holds of a
// tenant, if it is not there yet.
func (a *Archive) describeHolds(ctx context.Context, tenant uid.ID) error {
	a.describing.Lock()
	defer a.describing.Unlock()
	list, err := a.catalog.Holds(ctx, tenant, false)
	if err := a.sound("holds", err); err != nil {
		return err
	}
	for _, h := range list {
		same, want, err := a.holdDescribed(ctx, h)
		if err == nil && !same {
			err = a.vault.PutHold(ctx, tenant, h.ID, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// describeBoth writes what the vault is to remember of a tenant and of its holds.
func (a *Archive) describeBoth(ctx context.Context, tenant uid.ID) error {
	return errors.Join(a.describeTenant(ctx, tenant), a.describeHolds(ctx, tenant))
}

// holdDescribed reports whether the vault knows a hold as it is.
func (a *Archive) holdDescribed(ctx context.Context, h *catalog.Hold) (same bool, want []byte, err error) {
	if want, err = encodeHold(h); err != nil {
		return false, nil, err
	}
	have, err := a.vault.ReadHold(ctx, h.Tenant, h.ID)
	if errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrCorrupt) {
		return false, want, nil
	}
	return bytes.Equal(have, want), want, err
}

// describeRetention adds to what the vault keeps of a tenant the settings of retention
// that make a difference to anything stored.
func (a *Archive) describeRetention(ctx context.Context, tenant uid.ID, d *tenantData) error {
	k, err := a.keeping(ctx, tenant)
	if err != nil {
		return err
	}
	for _, s := range k.history.Needed() {
		d.Retention = append(d.Retention, newSettingData(s))
	}
	info, err := a.vault.Tenant(ctx, tenant)
	if errors.Is(err, vault.ErrNotFound) {
		return nil
	}
	var have tenantData
	if err == nil && json.Unmarshal(info.Data, &have) == nil { // else it is written anew
		// What only the vault knows any more stays there until rebuild restores it.
		d.Retention = append(d.Retention, lostSettings(k.history, have.Retention)...)
		slices.SortStableFunc(d.Retention, func(x, y settingData) int { return x.From.Compare(y.From) })
	}
	return nil
}

// lostSettings are those of the vault that the catalog does not have. One that was
// restored may have come into force later than before.
func lostSettings(history retention.History, vaulted []settingData) []settingData {
	left := slices.Clone(history)
	without := func(list []settingData, known func(a, b retention.Setting) bool) (rest []settingData) {
		for _, d := range list {
			if i := slices.IndexFunc(left, func(s retention.Setting) bool { return known(s, d.setting()) }); i >= 0 {
				left = slices.Delete(left, i, i+1)
				continue
			}
			rest = append(rest, d)
		}
		return rest
	}
	rest := without(vaulted, func(a, b retention.Setting) bool { return a.Same(b) && a.From.Equal(b.From) })
	return without(rest, retention.Setting.Same)
}

// restoreRetention restores the settings that the vault knows of a tenant and the catalog
// has lost.
func (a *Archive) restoreRetention(ctx context.Context, tenant uid.ID, list []settingData) error {
	k, err := a.keeping(ctx, tenant)
	if err != nil {
		return err
	}
	if list = lostSettings(k.history, list); len(list) == 0 {
		return nil
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	var rows []*catalog.RetentionSetting
	for i, d := range list {
		r := settingRow(tenant, d.setting(), now.Add(time.Duration(i)*time.Millisecond))
		r.ValidFrom, r.SetBy = d.From, cliActor
		rows = append(rows, r)
	}
	return a.catalog.AddRetention(ctx, tenant, rows, a.cliEvent("retention.restored", "", map[string]string{"after.settings": fmt.Sprint(len(list))}))
}

// holds restores the holds of a tenant that the catalog has lost. One that it knows stays
// as it is there; one whose row is damaged is restored.
func (r *rebuild) holds(ctx context.Context, tenant uid.ID) error {
	return r.a.vault.Holds(ctx, tenant, func(id uid.ID, data []byte, err error) error {
		var h *catalog.Hold
		if err == nil {
			h, err = decodeHold(tenant, id, data)
		}
		if err != nil {
			r.out.Damaged = append(r.out.Damaged, err)
			return nil
		}
		_, err = r.a.catalog.Hold(ctx, tenant, id)
		if err == nil {
			return nil
		}
		if !errors.Is(err, catalog.ErrNotFound) && len(rowErrors(err)) == 0 {
			return err
		}
		return r.a.catalog.RestoreHold(ctx, h, r.a.cliEvent("hold.restored", id.String(), map[string]string{"name": h.Name}))
	})
}

// retentions looks for settings of retention that the vault remembers and the catalog has
// lost: what arrived under them could be deleted too early.
func (f *fsck) retentions(ctx context.Context, tenant uid.ID) error {
	k, err := f.a.keeping(ctx, tenant)
	if len(rowErrors(err)) > 0 { // Check has reported it
		return nil
	}
	if err != nil {
		return f.unreadable(ctx, "catalog", err)
	}
	info, err := f.a.vault.Tenant(ctx, tenant)
	if errors.Is(err, vault.ErrNotFound) { // told of with the tenant
		return nil
	}
	var have tenantData
	if err != nil || json.Unmarshal(info.Data, &have) != nil {
		return f.unreadable(ctx, "description of tenant "+tenant.String(), err)
	}
	for _, d := range lostSettings(k.history, have.Retention) {
		since := "the beginning"
		if !d.From.IsZero() {
			since = d.From.UTC().Format(time.DateOnly)
		}
		f.damage("retention of tenant "+tenant.String(), "the vault remembers that %d years (%s) hold from %s on, but the catalog has lost that: what arrived then could be deleted too early; muniment rebuild restores it",
			d.Years, d.Jurisdiction, since)
	}
	return nil
}

// holds compares the holds of a tenant with what the vault remembers of them.
func (f *fsck) holds(ctx context.Context, tenant uid.ID) error {
	list, err := f.a.catalog.Holds(ctx, tenant, false)
	if err != nil && len(rowErrors(err)) == 0 { // Check has reported damaged rows
		return f.unreadable(ctx, "catalog", err)
	}
	known := map[uid.ID]bool{}
	for _, b := range rowErrors(err) {
		if id, err := uid.Parse(b.Object); err == nil {
			known[id] = true
		}
	}
	for _, h := range list {
		known[h.ID] = true
		same, _, err := f.a.holdDescribed(ctx, h)
		if err != nil {
			return f.unreadable(ctx, "hold "+h.ID.String(), err)
		}
		if same {
			continue
		}
		x := Finding{Severity: Leftover, Object: "hold " + h.ID.String(), What: "the vault does not remember it as it is; the next start of muniment serve writes it anew"}
		if f.o.Repair {
			if err := f.a.describeHolds(ctx, tenant); err != nil {
				return err
			}
			x.Repaired = true
		}
		f.report(x)
	}
	err = f.a.vault.Holds(ctx, tenant, func(id uid.ID, _ []byte, err error) error {
		switch {
		case known[id]: // compared above
		case err != nil:
			f.damage("hold "+id.String(), "%v", err)
		default:
			if _, err := f.a.catalog.Hold(ctx, tenant, id); errors.Is(err, catalog.ErrNotFound) { // else it was placed meanwhile
				f.damage("hold "+id.String(), "the vault remembers it, but the catalog has lost it: what it covers is not protected; muniment rebuild restores it")
			}
		}
		return nil
	})
	return f.unreadable(ctx, "holds of tenant "+tenant.String(), err)
}
