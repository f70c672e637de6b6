package archive

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// What follows is for the doors that fetch from servers. They act for nobody.

// RemoteMailboxes lists the remote mailboxes of all tenants, disabled ones
// included, but not those of tenants that have ended.
func (a *Archive) RemoteMailboxes(ctx context.Context) ([]SourceView, error) {
	tenants, err := a.takingTenants(ctx)
	if err != nil {
		return nil, err
	}
	var out []SourceView
	for _, t := range tenants {
		list, err := a.sourceViews(ctx, t.ID, KindMailbox)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// SourceSecret returns the password or token of a source; nil if it has none.
func (a *Archive) SourceSecret(ctx context.Context, tenant, source uid.ID) ([]byte, error) {
	set, err := a.catalog.SourceSetting(ctx, tenant, source)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && len(set.Secret) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return a.vault.OpenSecret(ctx, tenant, secretName(source), set.Secret)
}

// SwapSourceSecret puts a secret of a source in the place of old, and reports
// whether it did: it does not if old is not what is stored, as when somebody has
// changed it. It is durable when it returns.
func (a *Archive) SwapSourceSecret(ctx context.Context, tenant, source uid.ID, old, secret []byte) (bool, error) {
	return a.swapSecret(ctx, sourceKey{tenant, source}, old, secret)
}

func (a *Archive) swapSecret(ctx context.Context, of sourceKey, old, secret []byte, events ...*catalog.Event) (bool, error) {
	tenant, source := of.tenant, of.id
	set, err := a.catalog.SourceSetting(ctx, tenant, source)
	if err != nil {
		return false, err
	}
	var plain []byte
	if len(set.Secret) > 0 {
		if plain, err = a.vault.OpenSecret(ctx, tenant, secretName(source), set.Secret); err != nil {
			return false, err
		}
	}
	if !bytes.Equal(plain, old) {
		return false, nil
	}
	sealed, err := a.vault.SealSecret(ctx, tenant, secretName(source), secret)
	if err != nil {
		return false, err
	}
	return a.catalog.SwapSourceSecret(ctx, tenant, source, set.Secret, sealed, events...)
}

// LoggedIn is SwapSourceSecret for somebody who has logged in anew, which the event
// log keeps.
func (a *Archive) LoggedIn(ctx context.Context, tenant, source uid.ID, old, secret []byte) (bool, error) {
	return a.swapSecret(ctx, sourceKey{tenant, source}, old, secret, a.cliEvent("source.changed", source.String(), map[string]string{"secret": "set"}))
}

// SetSourceState stores how a source fares, for people to see.
func (a *Archive) SetSourceState(ctx context.Context, tenant, source uid.ID, state []byte) error {
	return a.catalog.SetSourceState(ctx, &catalog.SourceState{Tenant: tenant, Source: source, State: state})
}

// SourceItems returns what a folder of a source keeps and is settled.
func (a *Archive) SourceItems(ctx context.Context, tenant, source uid.ID, folder string) ([]*catalog.SourceItem, error) {
	return a.catalog.SourceItems(ctx, tenant, source, folder)
}

// SettleItems remembers items that stay on the server, and forgets others. Those
// of outcome Left are counted in the completeness account; settle each once.
func (a *Archive) SettleItems(ctx context.Context, tenant, source uid.ID, folder string, add []*catalog.SourceItem, drop []string) error {
	if err := a.catalog.SettleItems(ctx, tenant, source, folder, add, drop); err != nil {
		return err
	}
	left := catalog.Account{Source: source, Day: a.now().UTC().Format(time.DateOnly), Outcome: catalog.Left}
	for _, i := range add {
		if i.Outcome == catalog.Left {
			left.Count++
			left.Bytes += i.Bytes
		}
	}
	if left.Count == 0 {
		return nil
	}
	return a.catalog.AddAccount(ctx, tenant, left)
}

// SourceFolders returns how far the folders of a source have been read.
func (a *Archive) SourceFolders(ctx context.Context, tenant, source uid.ID) (map[string]catalog.SourceFolder, error) {
	return a.catalog.SourceFolders(ctx, tenant, source)
}

// SetSourceFolder remembers how far a folder has been read.
func (a *Archive) SetSourceFolder(ctx context.Context, tenant, source uid.ID, f catalog.SourceFolder) error {
	return a.catalog.SetSourceFolder(ctx, tenant, source, f)
}
