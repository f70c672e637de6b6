package catalog

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// SourceEdit is a source with its settings, which are stored as a whole or not at all.
type SourceEdit struct {
	Source     *Source
	New        bool // it is made; else its settings and what UpdateSource changes are replaced
	Settings   []byte
	Secret     []byte // sealed; empty: none
	KeepSecret bool   // whatever the secret is at that moment, it stays
	Events     []*Event
}

// EditSource makes or changes a source, and stores the events of it. ErrNotFound if
// the tenant has no such source, or there is no such tenant; ErrTaken if the name or the
// journal address is in use.
func (c *Catalog) EditSource(ctx context.Context, e *SourceEdit) error {
	s := e.Source
	if s.ID.IsZero() || s.Kind == "" || s.Name == "" {
		return fmt.Errorf("source: %w: no id, kind or name", ErrInvalid)
	}
	if err := nameable(text(s.Kind), text(s.Name), text(s.JournalAddress)); err != nil {
		return c.wrap(err, "source %s", s.ID)
	}
	err := c.withAny(ctx, s.Tenant, e.Events, func(ctx context.Context, tx bun.Tx) error {
		store := c.replaceSource
		if e.New {
			store = insertSource
		}
		if err := store(ctx, tx, s); err != nil {
			return err
		}
		set := &SourceSetting{Source: s.ID, Tenant: s.Tenant, Settings: e.Settings, Secret: e.Secret}
		if e.KeepSecret {
			return changeSettings(ctx, tx, set)
		}
		return replace(ctx, tx, newSettingRow(set), s.ID)
	})
	return c.wrap(err, "source %q", s.Name)
}
