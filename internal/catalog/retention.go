package catalog

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// RetentionSetting says how long a tenant keeps what nothing classifies. Settings are
// added and never changed.
type RetentionSetting struct {
	Tenant       uid.ID
	ID           uid.ID
	ValidFrom    time.Time // zero: since ever
	Years        int
	Jurisdiction string
	YearEnd      time.Month // last month of the business year
	Zone         string
	Reason       string
	SetBy        string // as in Event.Actor
	ApprovedBy   string // empty: it needed nobody else
}

type retentionRow struct {
	bun.BaseModel `bun:"table:retention_setting,alias:rs"`

	Tenant       blob `bun:"tenant"`
	ID           blob `bun:"id"`
	ValidFrom    num  `bun:"valid_from"`
	Years        num  `bun:"years"`
	Jurisdiction text `bun:"jurisdiction"`
	YearEnd      num  `bun:"year_end"`
	Zone         text `bun:"zone"`
	Reason       text `bun:"reason"`
	SetBy        text `bun:"set_by"`
	ApprovedBy   text `bun:"approved_by"`
	Checksum     blob `bun:"checksum"`
}

func newRetentionRow(s *RetentionSetting) *retentionRow {
	r := &retentionRow{Tenant: s.Tenant[:], ID: s.ID[:], Years: num(s.Years), Jurisdiction: text(s.Jurisdiction), YearEnd: num(s.YearEnd), Zone: text(s.Zone),
		Reason: text(s.Reason), SetBy: text(s.SetBy), ApprovedBy: text(s.ApprovedBy)}
	if !s.ValidFrom.IsZero() {
		r.ValidFrom = millis(s.ValidFrom)
	}
	r.Checksum = r.sum()
	return r
}

func (r *retentionRow) sum() blob {
	return newSummer(nil, "retention_setting", GroupRow).bytes(r.Tenant, r.ID).num(r.ValidFrom, r.Years).text(r.Jurisdiction).num(r.YearEnd).
		text(r.Zone, r.Reason, r.SetBy, r.ApprovedBy).sum()
}

func (r *retentionRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "retention_setting", Object: idText(r.ID)})
}

func (r *retentionRow) model() (*RetentionSetting, error) {
	s := &RetentionSetting{Tenant: toID(r.Tenant), ID: toID(r.ID), Years: int(r.Years), Jurisdiction: string(r.Jurisdiction), YearEnd: time.Month(r.YearEnd),
		Zone: string(r.Zone), Reason: string(r.Reason), SetBy: string(r.SetBy), ApprovedBy: string(r.ApprovedBy)}
	if r.ValidFrom != 0 {
		s.ValidFrom = r.ValidFrom.millis()
	}
	return s, nil
}

// AddRetention adds settings of a tenant, in this order, together with the events that
// tell of them. ValidFrom, unless it is zero, is put off where needed: a setting comes
// into force after everything that is stored has arrived, and after those before it.
func (c *Catalog) AddRetention(ctx context.Context, tenant uid.ID, list []*RetentionSetting, events ...*Event) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, head *headRow) error {
		for _, s := range list {
			if err := c.addRetention(ctx, tx, head, s); err != nil {
				return err
			}
		}
		return c.appendEvents(ctx, tx, head, events)
	})
	return c.wrap(err, "retention of tenant %s", tenant)
}

func (c *Catalog) addRetention(ctx context.Context, tx bun.Tx, head *headRow, s *RetentionSetting) error {
	if !s.ValidFrom.IsZero() {
		before, err := c.retentions(ctx, tx.NewSelect(), toID(head.Tenant))
		if err != nil {
			return err
		}
		for _, b := range before {
			if !b.ValidFrom.Before(s.ValidFrom) {
				s.ValidFrom = b.ValidFrom.Add(time.Millisecond)
			}
		}
		if last := head.LastReceived.millis(); last.After(s.ValidFrom) {
			s.ValidFrom = last // a clock went wrong, then or now
		}
	}
	_, err := tx.NewInsert().Model(newRetentionRow(s)).Exec(ctx)
	return err
}

// Retentions returns what a tenant has set, in the order in which it came into force.
// Rows that fail their check sum are missing and joined as *RowError in the error,
// beside the good ones: whoever wants to delete something must not go on then.
func (c *Catalog) Retentions(ctx context.Context, tenant uid.ID) ([]*RetentionSetting, error) {
	list, err := c.retentions(ctx, c.read.NewSelect(), tenant)
	return list, c.wrap(err, "retention of tenant %s", tenant)
}

func (c *Catalog) retentions(ctx context.Context, q *bun.SelectQuery, tenant uid.ID) ([]*RetentionSetting, error) {
	return all[retentionRow, RetentionSetting](ctx, q.Where("tenant = ?", tenant).Order("valid_from", "id"))
}
