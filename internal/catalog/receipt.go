package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// Receipt is a checkpoint of an event log that was handed out.
type Receipt struct {
	Tenant uid.ID // zero: the installation
	Day    string // 2006-01-02 in the tenant's time zone
	MadeAt time.Time
	Size   int64  // events that it covers
	Key    int64  // number of the key that signed it
	Body   string // the file: an eventlog.Receipt
	Filed  bool   // it is in the directory for receipts
	Mailed bool   // it is queued to be sent, or nobody wants it
}

type receiptRow struct {
	bun.BaseModel `bun:"table:receipt,alias:rec"`

	Tenant    blob `bun:"tenant"`
	Day       text `bun:"day"`
	MadeAt    num  `bun:"made_at"`
	Size      num  `bun:"size"`
	KeyNumber num  `bun:"key_number"`
	Body      text `bun:"body"`
	Filed     num  `bun:"filed"`
	Mailed    num  `bun:"mailed"`
	Checksum  blob `bun:"checksum"`
}

func newReceiptRow(x *Receipt) *receiptRow {
	r := &receiptRow{Tenant: x.Tenant[:], Day: text(x.Day), MadeAt: millis(x.MadeAt), Size: num(x.Size), KeyNumber: num(x.Key), Body: text(x.Body),
		Filed: flag(x.Filed), Mailed: flag(x.Mailed)}
	r.Checksum = r.sum()
	return r
}

func (r *receiptRow) sum() blob {
	return newSummer(nil, "receipt", GroupRow).bytes(r.Tenant).text(r.Day).num(r.MadeAt, r.Size, r.KeyNumber).text(r.Body).num(r.Filed, r.Mailed).sum()
}

func (r *receiptRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "receipt", Object: fmt.Sprintf("%.20q of tenant %s", string(r.Day), idText(r.Tenant))})
}

func (r *receiptRow) model() (*Receipt, error) {
	return &Receipt{Tenant: toID(r.Tenant), Day: string(r.Day), MadeAt: r.MadeAt.millis(), Size: int64(r.Size), Key: int64(r.KeyNumber), Body: string(r.Body),
		Filed: r.Filed != 0, Mailed: r.Mailed != 0}, nil
}

// MakeReceipt has sign sign the head that the tenant's log has now, and stores what
// it returns together with its event, which the receipt does not cover. before is
// called first; its events are covered. The last receipt is given to it, nil if
// there is none. ErrTaken if the day has its receipt.
func (c *Catalog) MakeReceipt(ctx context.Context, tenant uid.ID, day string, before func(last *Receipt) []*Event, sign func(eventlog.Head) (*Receipt, *Event, error)) (*Receipt, error) {
	var made *Receipt
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		last, err := lastReceipt(ctx, tx, tenant)
		if err != nil {
			return err
		}
		if last != nil && last.Day >= day {
			return ErrTaken
		}
		if err := c.appendEvents(ctx, tx, h, before(last)); err != nil {
			return err
		}
		f, err := h.frontier()
		if err != nil {
			return err
		}
		x, e, err := sign(f.Head())
		if err != nil {
			return err
		}
		x.Tenant, x.Day, x.Size = tenant, day, f.Size()
		if _, err := tx.NewInsert().Model(newReceiptRow(x)).Exec(ctx); err != nil {
			return err
		}
		made = x
		return c.appendEvents(ctx, tx, h, []*Event{e})
	})
	return made, c.wrap(err, "make the receipt of %s", day)
}

func lastReceipt(ctx context.Context, tx bun.Tx, tenant uid.ID) (*Receipt, error) {
	list, err := all[receiptRow, Receipt](ctx, tx.NewSelect().Where("tenant = ?", tenant).Order("day DESC").Limit(1))
	if len(list) == 0 {
		return nil, err
	}
	return list[0], err
}

// Receipts returns at most limit receipts of a tenant, the youngest first, of days
// before a day; empty: all. Rows that fail their check sum are missing and joined
// as *RowError in the error, beside the good ones.
func (c *Catalog) Receipts(ctx context.Context, tenant uid.ID, before string, limit int) ([]*Receipt, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Order("day DESC")
	if before != "" {
		q = q.Where("day < ?", text(before))
	}
	list, err := all[receiptRow, Receipt](ctx, atMost(q, limit))
	return list, c.wrap(err, "receipts")
}

// Receipt returns the receipt of a day. ErrNotFound.
func (c *Catalog) Receipt(ctx context.Context, tenant uid.ID, day string) (*Receipt, error) {
	x, err := one[Receipt](ctx, new(receiptRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("day = ?", text(day)))
	return x, c.wrap(err, "receipt")
}

// HandedOut remembers that a receipt was filed or is queued to be sent.
func (c *Catalog) HandedOut(ctx context.Context, tenant uid.ID, day string, filed, mailed bool) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		x, err := one[Receipt](ctx, new(receiptRow), c.locked(tx.NewSelect().Where("tenant = ?", tenant).Where("day = ?", text(day))))
		if err != nil {
			return err
		}
		x.Filed, x.Mailed = x.Filed || filed, x.Mailed || mailed
		return changed(tx.NewUpdate().Model(newReceiptRow(x)).Where("tenant = ?", tenant).Where("day = ?", text(day)).Exec(ctx))
	})
	return c.wrap(err, "receipt %s handed out", day)
}

// AttachRecord stores a receipt's file anew, with its evidence record. What it
// covers stays. ErrNotFound.
func (c *Catalog) AttachRecord(ctx context.Context, tenant uid.ID, day, body string) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		x, err := one[Receipt](ctx, new(receiptRow), c.locked(tx.NewSelect().Where("tenant = ?", tenant).Where("day = ?", text(day))))
		if err != nil {
			return err
		}
		x.Body = body
		return changed(tx.NewUpdate().Model(newReceiptRow(x)).Where("tenant = ?", tenant).Where("day = ?", text(day)).Exec(ctx))
	})
	return c.wrap(err, "attach a record to receipt %s", day)
}

// ReceiptSetting says who gets the receipts of a tenant.
type ReceiptSetting struct {
	Tenant   uid.ID // zero: of the installation
	Settings []byte // JSON
}

type receiptSettingRow struct {
	bun.BaseModel `bun:"table:receipt_setting,alias:rs"`

	Tenant   blob     `bun:"tenant"`
	Settings document `bun:"settings"`
	Checksum blob     `bun:"checksum"`
}

func (r *receiptSettingRow) sum() blob {
	return newSummer(nil, "receipt_setting", GroupRow).bytes(r.Tenant).document(r.Settings).sum()
}

func (r *receiptSettingRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "receipt_setting", Object: idText(r.Tenant)})
}

func (r *receiptSettingRow) model() (*ReceiptSetting, error) {
	return &ReceiptSetting{Tenant: toID(r.Tenant), Settings: []byte(r.Settings)}, nil
}

// ReceiptSetting returns who gets the receipts of a tenant; nil if nobody has said.
func (c *Catalog) ReceiptSetting(ctx context.Context, tenant uid.ID) (*ReceiptSetting, error) {
	s, err := one[ReceiptSetting](ctx, new(receiptSettingRow), c.read.NewSelect().Where("tenant = ?", tenant))
	if err = c.wrap(err, "settings of receipts"); errors.Is(err, ErrNotFound) {
		return nil, nil //nolint:nilnil // the contract
	}
	return s, err
}

// SetReceiptSetting stores s in place of what was set, damaged or not, with its
// event.
func (c *Catalog) SetReceiptSetting(ctx context.Context, s *ReceiptSetting, e *Event) error {
	r := &receiptSettingRow{Tenant: s.Tenant[:], Settings: document(s.Settings)}
	r.Checksum = r.sum()
	err := c.withEvents(ctx, s.Tenant, []*Event{e}, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*receiptSettingRow)(nil)).Where("tenant = ?", s.Tenant).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(r).Exec(ctx)
		return err
	})
	return c.wrap(err, "set who gets receipts")
}
