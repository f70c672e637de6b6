package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type settingRow struct {
	bun.BaseModel `bun:"table:source_setting,alias:ss"`

	Source   blob     `bun:"source"`
	Tenant   blob     `bun:"tenant"`
	Settings document `bun:"settings"`
	Secret   blob     `bun:"secret"`
	Checksum blob     `bun:"checksum"`
}

func newSettingRow(s *SourceSetting) *settingRow {
	r := &settingRow{Source: s.Source[:], Tenant: s.Tenant[:], Settings: document(s.Settings), Secret: append(blob{}, s.Secret...)}
	r.Checksum = r.sum()
	return r
}

func (r *settingRow) sum() blob {
	return newSummer(nil, "source_setting", GroupRow).bytes(r.Source, r.Tenant).document(r.Settings).bytes(r.Secret).sum()
}

func (r *settingRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "source_setting", Object: idText(r.Source)})
}

func (r *settingRow) model() (*SourceSetting, error) {
	s := &SourceSetting{Source: toID(r.Source), Tenant: toID(r.Tenant), Settings: []byte(r.Settings)}
	if len(r.Secret) > 0 {
		s.Secret = r.Secret
	}
	return s, nil
}

type stateRow struct {
	bun.BaseModel `bun:"table:source_state,alias:st"`

	Source   blob     `bun:"source"`
	Tenant   blob     `bun:"tenant"`
	State    document `bun:"state"`
	Checksum blob     `bun:"checksum"`
}

func newStateRow(s *SourceState) *stateRow {
	r := &stateRow{Source: s.Source[:], Tenant: s.Tenant[:], State: document(s.State)}
	r.Checksum = r.sum()
	return r
}

func (r *stateRow) sum() blob {
	return newSummer(nil, "source_state", GroupRow).bytes(r.Source, r.Tenant).document(r.State).sum()
}

func (r *stateRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "source_state", Object: idText(r.Source)})
}

func (r *stateRow) model() (*SourceState, error) {
	return &SourceState{Source: toID(r.Source), Tenant: toID(r.Tenant), State: []byte(r.State)}, nil
}

// SourceSetting returns the settings of a source. ErrNotFound if it has none.
func (c *Catalog) SourceSetting(ctx context.Context, tenant, source uid.ID) (*SourceSetting, error) {
	s, err := one[SourceSetting](ctx, new(settingRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("source = ?", source))
	return s, c.wrap(err, "settings of source %s", source)
}

// SourceSettings returns those of the sources of a tenant that have some, by source.
// Damaged rows are left out and joined as *RowError, beside the good ones.
func (c *Catalog) SourceSettings(ctx context.Context, tenant uid.ID) ([]*SourceSetting, error) {
	list, err := all[settingRow, SourceSetting](ctx, c.read.NewSelect().Where("tenant = ?", tenant).OrderExpr("source"))
	return list, c.wrap(err, "settings of sources")
}

// SetSourceSetting stores the settings of a source, in place of older ones.
// ErrNotFound if the tenant has no such source.
func (c *Catalog) SetSourceSetting(ctx context.Context, s *SourceSetting) error {
	err := c.ofSource(ctx, s.Tenant, s.Source, func(ctx context.Context, tx bun.Tx) error {
		return replace(ctx, tx, newSettingRow(s), s.Source)
	})
	return c.wrap(err, "settings of source %s", s.Source)
}

// ChangeSourceSettings stores the settings of a source and leaves its secret as it
// is at that moment. ErrNotFound if the tenant has no such source.
func (c *Catalog) ChangeSourceSettings(ctx context.Context, tenant, source uid.ID, settings []byte) error {
	err := c.ofSource(ctx, tenant, source, func(ctx context.Context, tx bun.Tx) error {
		return changeSettings(ctx, tx, &SourceSetting{Source: source, Tenant: tenant, Settings: settings})
	})
	return c.wrap(err, "settings of source %s", source)
}

// changeSettings stores settings beside the secret that there is.
func changeSettings(ctx context.Context, tx bun.Tx, n *SourceSetting) error {
	s, err := one[SourceSetting](ctx, new(settingRow), tx.NewSelect().Where("tenant = ?", n.Tenant).Where("source = ?", n.Source))
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, ErrNotFound) {
		s, err = &SourceSetting{Source: n.Source, Tenant: n.Tenant}, nil
	}
	if err != nil {
		return err
	}
	s.Settings = n.Settings
	return replace(ctx, tx, newSettingRow(s), n.Source)
}

// errOtherSecret: another secret is stored, so nothing changes.
var errOtherSecret = errors.New("another secret is stored")

// SwapSourceSecret puts a sealed secret of a source in the place of old, and reports
// whether it did: it does not if another one is stored. The events are stored if it does.
// ErrNotFound if there is no such source, or it has no settings.
func (c *Catalog) SwapSourceSecret(ctx context.Context, tenant, source uid.ID, old, secret []byte, events ...*Event) (bool, error) {
	err := c.withAny(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		q := c.locked(tx.NewSelect().Where("tenant = ?", tenant).Where("id = ?", source))
		if _, err := one[Source](ctx, new(sourceRow), q); err != nil {
			return err
		}
		s, err := one[SourceSetting](ctx, new(settingRow), tx.NewSelect().Where("tenant = ?", tenant).Where("source = ?", source))
		if err != nil {
			return err
		}
		if !bytes.Equal(s.Secret, old) {
			return errOtherSecret
		}
		s.Secret = secret
		return replace(ctx, tx, newSettingRow(s), source)
	})
	if errors.Is(err, errOtherSecret) {
		return false, nil
	}
	return err == nil, c.wrap(err, "secret of source %s", source)
}

// SourceStates returns how the sources of a tenant fare, those that have told.
// Rows that fail their check sum are missing and joined as *RowError in the error,
// beside the good ones.
func (c *Catalog) SourceStates(ctx context.Context, tenant uid.ID) (map[uid.ID]*SourceState, error) {
	list, err := all[stateRow, SourceState](ctx, c.read.NewSelect().Where("tenant = ?", tenant))
	states := make(map[uid.ID]*SourceState, len(list))
	for _, s := range list {
		states[s.Source] = s
	}
	return states, c.wrap(err, "states of sources")
}

// SourceStatesOfAll returns how the sources of all tenants fare, by source, as
// SourceStates does.
func (c *Catalog) SourceStatesOfAll(ctx context.Context) (map[uid.ID]*SourceState, error) {
	list, err := all[stateRow, SourceState](ctx, c.read.NewSelect())
	states := make(map[uid.ID]*SourceState, len(list))
	for _, s := range list {
		states[s.Source] = s
	}
	return states, c.wrap(err, "states of sources")
}

// SetSourceState stores how a source fares. ErrNotFound if the tenant has no
// such source.
func (c *Catalog) SetSourceState(ctx context.Context, s *SourceState) error {
	err := c.ofSource(ctx, s.Tenant, s.Source, func(ctx context.Context, tx bun.Tx) error {
		return replace(ctx, tx, newStateRow(s), s.Source)
	})
	return c.wrap(err, "state of source %s", s.Source)
}

// ofSource runs do in a transaction in which the source is the tenant's.
func (c *Catalog) ofSource(ctx context.Context, tenant, source uid.ID, do func(ctx context.Context, tx bun.Tx) error) error {
	return c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		q := c.locked(tx.NewSelect().Where("tenant = ?", tenant).Where("id = ?", source))
		if _, err := one[Source](ctx, new(sourceRow), q); err != nil {
			return err
		}
		return do(ctx, tx)
	})
}

// replace writes the only row that a source has in a table.
func replace(ctx context.Context, tx bun.Tx, r any, source uid.ID) error {
	res, err := tx.NewUpdate().Model(r).Where("source = ?", source).Exec(ctx)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("count changed rows: %w", err)
	}
	if n > 0 {
		return nil
	}
	_, err = tx.NewInsert().Model(r).Exec(ctx)
	return err
}
