package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// nameTries bounds the search for a name that is still free.
const nameTries = 1000

// restoreTenant makes the tenant's row if it is missing. If somebody has used its
// short name for another tenant since, it gets a similar one.
func (r *rebuild) restoreTenant(ctx context.Context, info vault.TenantInfo) (t *catalog.Tenant, made bool, err error) {
	t, err = r.a.catalog.Tenant(ctx, info.ID)
	if !errors.Is(err, catalog.ErrNotFound) {
		return t, false, err
	}
	var d tenantData
	if err := json.Unmarshal(info.Data, &d); err != nil {
		return nil, false, fmt.Errorf("tenant %s: data in the vault: %w", info.ID, err)
	}
	t = &catalog.Tenant{ID: info.ID, Slug: d.Slug, Name: d.Name, Zone: d.Zone, State: catalog.TenantActive, CreatedAt: d.CreatedAt}
	for n := 2; ; n++ {
		err := r.a.catalog.CreateTenant(ctx, t)
		if !errors.Is(err, catalog.ErrTaken) || n > nameTries {
			if err == nil {
				err = r.restoreCare(ctx, t, &d)
			}
			if err == nil && t.Slug != d.Slug {
				r.out.Remarks = append(r.out.Remarks, fmt.Sprintf(
					"tenant %s: was called %s before, but somebody has made another tenant of that name since. Both are there now; nothing was mixed.", t.Slug, d.Slug))
			}
			return t, true, err
		}
		end := fmt.Sprintf("-%d", n)
		t.Slug = strings.TrimRight(d.Slug[:min(len(d.Slug), 63-len(end))], "-") + end
	}
}

// restoreCare restores the state of a tenant, its limits, and the reseller who looks
// after it, whose own settings are lost.
func (r *rebuild) restoreCare(ctx context.Context, t *catalog.Tenant, d *tenantData) error {
	if d.State == "" && d.Reseller == nil && d.Limits == (catalog.Limits{}) {
		return nil
	}
	if d.Reseller != nil {
		_, err := r.a.catalog.Reseller(ctx, d.Reseller.ID)
		if errors.Is(err, catalog.ErrNotFound) {
			err = r.a.catalog.CreateReseller(ctx, &catalog.Reseller{ID: d.Reseller.ID, Slug: d.Reseller.Slug, Name: d.Reseller.Name, CreatedAt: d.Reseller.ID.Time(),
				Limits: catalog.Limits{Customers: DefaultCustomers, Mailboxes: DefaultMailboxes}}, r.a.cliEvent("reseller.restored", d.Reseller.ID.String(), nil))
			r.out.Remarks = append(r.out.Remarks, fmt.Sprintf("reseller %s: the catalog had lost it. Its staff, its host name and how it looks are lost, and its limits are those of a new one.", d.Reseller.Slug))
		}
		if err != nil && !errors.Is(err, catalog.ErrTaken) { // somebody has made another one of that name: the operator decides
			return err
		}
	}
	return r.a.catalog.ChangeTenant(ctx, t.ID, func(x *catalog.Tenant, k *catalog.Care) ([]*catalog.Event, error) {
		if d.State != "" {
			x.State, t.State, k.Since = d.State, d.State, d.Since
		}
		if d.Reseller != nil {
			k.Reseller = d.Reseller.ID
		}
		k.Limits = d.Limits
		return []*catalog.Event{r.a.cliEvent("tenant.restored", t.ID.String(), nil)}, nil
	})
}

// describedSources makes the sources that the vault remembers and the catalog has
// lost, with their journal addresses and settings. Remote mailboxes, whose passwords are
// lost, and watched folders stay disabled until somebody has looked at them.
func (r *rebuild) describedSources(ctx context.Context, done *adopted, info vault.TenantInfo) error {
	var d tenantData
	if err := json.Unmarshal(info.Data, &d); err != nil {
		return nil //nolint:nilerr // the tenant is there without it; the messages name their sources
	}
	for _, s := range d.Sources {
		err := r.a.makeSource(ctx, &catalog.Source{ID: s.ID, Tenant: info.ID, Kind: s.Kind, Name: s.Name, JournalAddress: s.JournalAddress,
			Category: s.Category, Disabled: s.Disabled || s.Kind == KindMailbox || s.Kind == KindFolder, CreatedAt: s.ID.Time()})
		if err != nil {
			return err
		}
		if err := r.a.restoreSettings(ctx, info.ID, s); err != nil {
			return err
		}
		done.sources[s.ID] = true
	}
	return nil
}

// restoreSettings stores the settings of a source that the catalog has lost; what cannot
// be used is left out, and remark tells of it.
func (a *Archive) restoreSettings(ctx context.Context, tenant uid.ID, s sourceData) error {
	if !usableSettings(s.Settings) {
		return nil
	}
	if _, err := a.catalog.SourceSetting(ctx, tenant, s.ID); !errors.Is(err, catalog.ErrNotFound) {
		return a.sound("settings of a source", err)
	}
	return a.catalog.SetSourceSetting(ctx, &catalog.SourceSetting{Source: s.ID, Tenant: tenant, Settings: s.Settings})
}

// usableSettings reports whether the vault remembers settings that a source can have.
func usableSettings(b []byte) bool {
	var common CommonSettings
	if len(b) == 0 || len(b) > maxSettings || json.Unmarshal(b, &common) != nil {
		return false
	}
	_, err := HintPeers(common.HintPeers)
	return err == nil
}

// restoreSource makes a source that the catalog has lost and the vault's
// description of the tenant does not tell of: its journal address is lost, so it
// stays disabled.
func (a *Archive) restoreSource(ctx context.Context, done *adopted, s sourceRecord) error {
	if done.sources[s.ID] {
		return nil
	}
	done.sources[s.ID] = true
	return a.makeSource(ctx, &catalog.Source{ID: s.ID, Tenant: done.tenant, Kind: s.Kind, Name: s.Name, Disabled: true, CreatedAt: s.ID.Time()})
}

// makeSource makes a source if the catalog lacks it. If another one has its name by
// now, it gets a similar one.
func (a *Archive) makeSource(ctx context.Context, s *catalog.Source) error {
	_, err := a.catalog.Source(ctx, s.Tenant, s.ID)
	if !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	name := s.Name
	for n := 2; ; n++ {
		err := a.catalog.CreateSource(ctx, s)
		if !errors.Is(err, catalog.ErrTaken) || n > nameTries {
			return err
		}
		s.Name = fmt.Sprintf("%s (%d)", name, n)
	}
}

// accounts counts messages by the account they belong to.
type accounts map[accountKey]*catalog.Account

// count counts an arrival, as commit.count does when it happens.
func (l accounts) count(e vault.Entry, c *catalog.Capture, o catalog.Outcome, row *catalog.Message) {
	if rec, err := decodeRecord(e.Meta); err != nil || rec.Capture.several() && rec.Capture.second(row.SHA256) {
		return // one message was offered, the report
	}
	k := accountKey{c.Source, c.ReceivedAt.Format(time.DateOnly), o}
	if l[k] == nil {
		l[k] = &catalog.Account{Source: k.source, Day: k.day, Outcome: k.outcome}
	}
	l[k].Count++
	l[k].Bytes += row.Size
}

// completeAccounts adds to the accounts what was restored and is not counted there.
// What they say beyond that stays: it was true once.
func (r *rebuild) completeAccounts(ctx context.Context, tenant uid.ID) error {
	list, err := r.a.catalog.Accounts(ctx, tenant, "", "")
	if bad := rowErrors(err); len(bad) > 0 {
		for _, b := range bad {
			r.out.Damaged = append(r.out.Damaged, b)
		}
		return nil
	} else if err != nil {
		return err
	}
	for _, have := range list {
		if x := r.accounts[accountKey{have.Source, have.Day, have.Outcome}]; x != nil {
			x.Count, x.Bytes = x.Count-have.Count, max(x.Bytes-have.Bytes, 0)
		}
	}
	for _, x := range r.accounts {
		if x.Count <= 0 {
			continue
		}
		if err := r.a.catalog.AddAccount(ctx, tenant, *x); err != nil {
			return err
		}
	}
	return nil
}

// remark says what of a tenant is not as it was.
func (r *rebuild) remark(ctx context.Context, t *catalog.Tenant, made bool) error {
	say := func(format string, args ...any) {
		r.out.Remarks = append(r.out.Remarks, "tenant "+t.Slug+": "+fmt.Sprintf(format, args...))
	}
	if made {
		say("the catalog had lost it. Its users are lost: make them anew with muniment user create. Its event log begins anew with this rebuild: receipts from before do not fit it, and who gets them has to be set again. What was refused or offered twice is not counted any more.")
		say("not in the vault, and so lost as well: requests for access to other people's mail with what was read under them, tokens and webhooks. Make tokens and webhooks anew. Directories are there again; look at the preview of each and synchronise.")
	}
	info, err := r.a.vault.Tenant(ctx, t.ID)
	if err != nil {
		return err
	}
	var d tenantData
	if err := json.Unmarshal(info.Data, &d); err != nil {
		return err
	}
	if d.DirectoriesLeftOut > 0 {
		say("has %d directories more than the vault's description of a tenant takes; keep backups of the catalog.", d.DirectoriesLeftOut)
	}
	if d.SettingsLeftOut > 0 {
		say("has settings of %d sources more than the vault's description of a tenant takes; keep backups of the catalog.", d.SettingsLeftOut)
	}
	if d.SourcesLeftOut > 0 {
		say("has %d sources more than the vault's description of a tenant takes; keep backups of the catalog.", d.SourcesLeftOut)
	}
	list, err := r.a.catalog.Sources(ctx, t.ID)
	if err != nil && len(rowErrors(err)) == 0 {
		return err
	}
	settings, err := r.a.catalog.SourceSettings(ctx, t.ID)
	if err := r.a.sound("settings of sources", err); err != nil {
		return err
	}
	for _, s := range list {
		known := slices.ContainsFunc(settings, func(x *catalog.SourceSetting) bool { return x.Source == s.ID })
		switch {
		case s.Kind == KindJournal && s.JournalAddress == "":
			say("the journal address of source %q is lost, and the source is disabled. Make a new one with muniment source create %s NAME and tell those who send to it. As long as this source is disabled, mail to addresses that may have been its own is put off, not refused.", s.Name, t.Slug)
		case made && s.Kind == KindFolder && known:
			say("the watched folder %q is disabled: look at its settings and enable it.", s.Name)
		case made && s.Kind == KindMailbox && known:
			say("the password of the mailbox %q is lost, and it is disabled: enter it again.", s.Name)
		case made && s.Kind == KindFolder:
			say("settings of the watched folder %q are lost, and it is disabled: enter them again.", s.Name)
		case made && s.Kind == KindMailbox:
			say("settings and password of the mailbox %q are lost, and it is disabled: enter them again.", s.Name)
		}
	}
	return nil
}
