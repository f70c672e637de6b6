package catalog

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// InstanceSetting is a setting of the installation that is not in its configuration
// file.
type InstanceSetting struct {
	Name     string
	Settings []byte // JSON
	Secret   []byte // sealed; nil: none
}

type instanceSettingRow struct {
	bun.BaseModel `bun:"table:instance_setting,alias:ins"`

	Name     text     `bun:"name"`
	Settings document `bun:"settings"`
	Secret   blob     `bun:"secret"`
	Checksum blob     `bun:"checksum"`
}

func newInstanceSettingRow(s *InstanceSetting) *instanceSettingRow {
	r := &instanceSettingRow{Name: text(s.Name), Settings: document(s.Settings), Secret: append(blob{}, s.Secret...)}
	r.Checksum = r.sum()
	return r
}

func (r *instanceSettingRow) sum() blob {
	return newSummer(nil, "instance_setting", GroupRow).text(r.Name).document(r.Settings).bytes(r.Secret).sum()
}

func (r *instanceSettingRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "instance_setting", Object: string(r.Name)})
}

func (r *instanceSettingRow) model() (*InstanceSetting, error) {
	s := &InstanceSetting{Name: string(r.Name), Settings: []byte(r.Settings)}
	if len(r.Secret) > 0 {
		s.Secret = r.Secret
	}
	return s, nil
}

// InstanceSetting returns a setting of the installation. ErrNotFound if it is not set.
func (c *Catalog) InstanceSetting(ctx context.Context, name string) (*InstanceSetting, error) {
	s, err := one[InstanceSetting](ctx, new(instanceSettingRow), c.read.NewSelect().Where("name = ?", text(name)))
	return s, c.wrap(err, "setting %s", name)
}

// SetInstanceSetting stores s in place of what was set, and the events of it in the
// log of the installation.
func (c *Catalog) SetInstanceSetting(ctx context.Context, s *InstanceSetting, events ...*Event) error {
	if err := nameable(text(s.Name)); err != nil {
		return c.wrap(err, "set setting")
	}
	err := c.ofInstance(ctx, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*instanceSettingRow)(nil)).Where("name = ?", text(s.Name)).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newInstanceSettingRow(s)).Exec(ctx)
		return err
	})
	return c.wrap(err, "set setting %s", s.Name)
}

// DeleteInstanceSetting removes a setting, and stores the events of it likewise.
// ErrNotFound if it is not set.
func (c *Catalog) DeleteInstanceSetting(ctx context.Context, name string, events ...*Event) error {
	err := c.ofInstance(ctx, events, func(ctx context.Context, tx bun.Tx) error {
		return changed(tx.NewDelete().Model((*instanceSettingRow)(nil)).Where("name = ?", text(name)).Exec(ctx))
	})
	return c.wrap(err, "delete setting %s", name)
}

// ofInstance runs do and appends events to the log of the installation, if there are
// any, in one transaction.
func (c *Catalog) ofInstance(ctx context.Context, events []*Event, do func(ctx context.Context, tx bun.Tx) error) error {
	if len(events) == 0 {
		return c.transact(ctx, do)
	}
	return c.withEvents(ctx, uid.ID{}, events, do)
}
