package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Delivery is an event that a webhook is told of.
type Delivery struct {
	ID      uid.ID
	Webhook uid.ID
	Tenant  uid.ID // of the webhook
	Log     uid.ID // the tenant in whose event log the event is; zero: the installation's
	Seq     int64  // there
	Kind    string
	Body    string // JSON, as it is sent
	State   OutgoingState

	Attempts     int
	NextAt       time.Time // it is not tried before
	ClaimedUntil time.Time // somebody is at it until then; zero: nobody
	CreatedAt    time.Time
	TriedAt      time.Time // zero: never
	EndedAt      time.Time // zero: it waits
	Result       []byte    // JSON, of the last attempt; nil: none
}

type deliveryRow struct {
	bun.BaseModel `bun:"table:webhook_delivery,alias:wd"`

	ID           blob     `bun:"id"`
	Webhook      blob     `bun:"webhook"`
	Tenant       blob     `bun:"tenant"`
	Log          blob     `bun:"log"`
	Seq          num      `bun:"seq"`
	Kind         text     `bun:"kind"`
	Body         document `bun:"body"`
	State        text     `bun:"state"`
	Attempts     num      `bun:"attempts"`
	NextAt       num      `bun:"next_at"`
	ClaimedUntil num      `bun:"claimed_until"`
	CreatedAt    num      `bun:"created_at"`
	TriedAt      num      `bun:"tried_at"`
	EndedAt      num      `bun:"ended_at"`
	Result       document `bun:"result"`
	Checksum     blob     `bun:"checksum"`
}

func newDeliveryRow(d *Delivery) *deliveryRow {
	r := &deliveryRow{ID: d.ID[:], Webhook: d.Webhook[:], Tenant: d.Tenant[:], Log: d.Log[:], Seq: num(d.Seq), Kind: text(d.Kind), Body: document(d.Body), State: text(d.State),
		Attempts: num(d.Attempts), NextAt: millis(d.NextAt), ClaimedUntil: orZero(d.ClaimedUntil), CreatedAt: millis(d.CreatedAt), TriedAt: orZero(d.TriedAt),
		EndedAt: orZero(d.EndedAt), Result: document(d.Result)}
	r.Checksum = r.sum()
	return r
}

func (r *deliveryRow) sum() blob {
	return newSummer(nil, "webhook_delivery", GroupRow).bytes(r.ID, r.Webhook, r.Tenant, r.Log).num(r.Seq).text(r.Kind).document(r.Body).text(r.State).
		num(r.Attempts, r.NextAt, r.ClaimedUntil, r.CreatedAt, r.TriedAt, r.EndedAt).document(r.Result).sum()
}

func (r *deliveryRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "webhook_delivery", Object: idText(r.ID)})
}

func (r *deliveryRow) model() (*Delivery, error) {
	d := &Delivery{ID: toID(r.ID), Webhook: toID(r.Webhook), Tenant: toID(r.Tenant), Log: toID(r.Log), Seq: int64(r.Seq), Kind: string(r.Kind), Body: string(r.Body),
		State: OutgoingState(r.State), Attempts: int(r.Attempts), NextAt: r.NextAt.millis(), ClaimedUntil: r.ClaimedUntil.orZeroTime(), CreatedAt: r.CreatedAt.millis(),
		TriedAt: r.TriedAt.orZeroTime(), EndedAt: r.EndedAt.orZeroTime()}
	if r.Result != "" {
		d.Result = []byte(r.Result)
	}
	return d, nil
}

// QueueDeliveries adds deliveries of events of a log, and remembers that its events
// below until were read, in one transaction. ErrTaken if somebody else has read on from
// from meanwhile: then nothing is added.
func (c *Catalog) QueueDeliveries(ctx context.Context, log uid.ID, from, until int64, list []*Delivery) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		mark, err := one[int64](ctx, new(webhookMarkRow), c.locked(tx.NewSelect().Where("tenant = ?", log)))
		if errors.Is(err, sql.ErrNoRows) {
			mark, err = new(int64), nil
			if _, err := tx.NewInsert().Model(newWebhookMarkRow(log, until)).Exec(ctx); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if *mark != from {
			return fmt.Errorf("%w: read up to %d, not %d", ErrTaken, *mark, from)
		}
		if err := changed(tx.NewUpdate().Model(newWebhookMarkRow(log, until)).Where("tenant = ?", log).Exec(ctx)); err != nil {
			return err
		}
		for _, d := range list {
			if _, err := tx.NewInsert().Model(newDeliveryRow(d)).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return c.wrap(err, "queue deliveries")
}

// ClaimDelivery takes the delivery that is due for the longest time, of a webhook to
// which nothing is being sent and which may be asked now, so that nobody else gets it
// before the lease is over, and counts the attempt. ErrNotFound if none is due. Damaged
// rows are passed over.
func (c *Catalog) ClaimDelivery(ctx context.Context, now time.Time, lease time.Duration) (*Delivery, error) {
	var found *Delivery
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		found = nil
		q := tx.NewSelect().Where("state = ?", OutgoingWaiting).Where("next_at <= ?", millis(now)).Where("claimed_until <= ?", millis(now)).
			Where("webhook NOT IN (SELECT webhook FROM webhook_delivery WHERE claimed_until > ?)", millis(now)).
			Where("webhook IN (SELECT id FROM webhook WHERE next_at <= ?)", millis(now)).Order("next_at", "created_at", "id").Limit(candidates)
		list, err := all[deliveryRow, Delivery](ctx, c.locked(q))
		if len(list) == 0 {
			return errors.Join(err, ErrNotFound)
		}
		d := list[0]
		d.Attempts++
		d.TriedAt, d.ClaimedUntil = now, now.Add(lease)
		found = d
		return changed(tx.NewUpdate().Model(newDeliveryRow(d)).Where("id = ?", d.ID).Exec(ctx))
	})
	return found, c.wrap(err, "claim delivery")
}

// SettleDelivery writes what became of a claimed delivery and gives it back. ErrNotFound
// if it is gone, or somebody else has claimed it meanwhile and it was not taken now.
func (c *Catalog) SettleDelivery(ctx context.Context, d *Delivery) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		old, err := one[Delivery](ctx, new(deliveryRow), c.locked(tx.NewSelect().Where("id = ?", d.ID)))
		if err != nil {
			return err
		}
		if old.State == OutgoingSent || old.Attempts != d.Attempts && d.State != OutgoingSent {
			return ErrNotFound
		}
		settled := *d
		settled.ClaimedUntil = time.Time{}
		return changed(tx.NewUpdate().Model(newDeliveryRow(&settled)).Where("id = ?", d.ID).Exec(ctx))
	})
	return c.wrap(err, "settle delivery %s", d.ID)
}

// Deliveries returns at most limit deliveries of a webhook of a tenant, the youngest
// first. Rows that fail their check sum are missing and joined as *RowError in the
// error, beside the good ones.
func (c *Catalog) Deliveries(ctx context.Context, tenant, webhook uid.ID, limit int) ([]*Delivery, error) {
	list, err := all[deliveryRow, Delivery](ctx, atMost(c.read.NewSelect().Where("webhook = ?", webhook).Where("tenant = ?", tenant).Order("created_at DESC", "id DESC"), limit))
	return list, c.wrap(err, "deliveries")
}

// WaitingDeliveries counts what waits for each webhook.
func (c *Catalog) WaitingDeliveries(ctx context.Context) (map[uid.ID]int, error) {
	var rows []struct {
		Webhook blob  `bun:"webhook"`
		N       int64 `bun:"n"`
	}
	err := c.read.NewSelect().Model((*deliveryRow)(nil)).ColumnExpr("webhook, COUNT(*) AS n").Where("state = ?", OutgoingWaiting).Group("webhook").Scan(ctx, &rows)
	out := make(map[uid.ID]int, len(rows))
	for _, r := range rows {
		out[toID(r.Webhook)] = int(r.N)
	}
	return out, c.wrap(err, "count deliveries")
}

// RetryDelivery makes a delivery due now, whatever its state, and stores the events of
// it in the log of the webhook's tenant or the installation. ErrNotFound.
func (c *Catalog) RetryDelivery(ctx context.Context, tenant, webhook, id uid.ID, now time.Time, events ...*Event) error {
	err := c.withEvents(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		d, err := one[Delivery](ctx, new(deliveryRow), c.locked(tx.NewSelect().Where("id = ?", id).Where("webhook = ?", webhook).Where("tenant = ?", tenant)))
		if err != nil {
			return err
		}
		d.State, d.Attempts, d.NextAt, d.EndedAt = OutgoingWaiting, 0, now, time.Time{}
		return changed(tx.NewUpdate().Model(newDeliveryRow(d)).Where("id = ?", id).Exec(ctx))
	})
	return c.wrap(err, "retry delivery %s", id)
}

// TidyDeliveries forgets what ended before a time, and of each webhook all that ended
// but the youngest keep.
func (c *Catalog) TidyDeliveries(ctx context.Context, before time.Time, keep int) error {
	_, err := c.write.ExecContext(ctx, "DELETE FROM webhook_delivery WHERE state <> ? AND ended_at < ?", OutgoingWaiting, millis(before))
	if err == nil {
		_, err = c.write.ExecContext(ctx, `DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM (
			SELECT id, ROW_NUMBER() OVER (PARTITION BY webhook ORDER BY ended_at DESC, id DESC) AS n FROM webhook_delivery WHERE state <> ?) o WHERE n > ?)`, OutgoingWaiting, keep)
	}
	return c.wrap(err, "tidy deliveries")
}

type webhookMarkRow struct {
	bun.BaseModel `bun:"table:webhook_mark,alias:wm"`

	Tenant   blob `bun:"tenant"`
	Seq      num  `bun:"seq"`
	Checksum blob `bun:"checksum"`
}

func newWebhookMarkRow(tenant uid.ID, seq int64) *webhookMarkRow {
	r := &webhookMarkRow{Tenant: tenant[:], Seq: num(seq)}
	r.Checksum = r.sum()
	return r
}

func (r *webhookMarkRow) sum() blob {
	return newSummer(nil, "webhook_mark", GroupRow).bytes(r.Tenant).num(r.Seq).sum()
}

func (r *webhookMarkRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "webhook_mark", Object: idText(r.Tenant)})
}

func (r *webhookMarkRow) model() (*int64, error) {
	n := int64(r.Seq)
	return &n, nil
}

// WebhookMarks tells how far each log has been read for webhooks; what was never read is
// missing. Rows that fail their check sum are missing as well and joined as *RowError in
// the error, beside the good ones.
func (c *Catalog) WebhookMarks(ctx context.Context) (map[uid.ID]int64, error) {
	out := map[uid.ID]int64{}
	var bad []error
	err := each[webhookMarkRow, int64](ctx, c.read.NewSelect(), func(r *webhookMarkRow, n *int64, err error) error {
		if err != nil {
			bad = append(bad, err)
		} else {
			out[toID(r.Tenant)] = *n
		}
		return nil
	})
	return out, c.wrap(errors.Join(append(bad, err)...), "marks of webhooks")
}

// LogSizes tells how many events each log has that has any.
func (c *Catalog) LogSizes(ctx context.Context) (map[uid.ID]int64, error) {
	var rows []headRow
	err := c.read.NewSelect().Model(&rows).Column("tenant", "events").Where("events > 0").Scan(ctx)
	out := make(map[uid.ID]int64, len(rows))
	for i := range rows {
		out[toID(rows[i].Tenant)] = int64(rows[i].Events)
	}
	return out, c.wrap(err, "sizes of logs")
}

// EventsNamed returns at most limit events of a log with from <= Seq < until, one of
// the actions, and not before a time, ascending. Rows that differ from their leaf are
// missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) EventsNamed(ctx context.Context, tenant uid.ID, from, until int64, since time.Time, actions []string, limit int) ([]*Event, error) {
	var rows []eventRow
	q := c.read.NewSelect().Model(&rows).Where("tenant = ?", tenant).Where("seq >= ?", from).Where("seq < ?", until).Where("at >= ?", millis(since)).
		Where("action IN (?)", bun.List(actions)).Order("seq")
	if err := atMost(q, limit).Scan(ctx); err != nil {
		return nil, c.wrap(err, "events by name")
	}
	if err := c.withDetails(ctx, tenant, rows); err != nil {
		return nil, c.wrap(err, "details of events")
	}
	return soundEvents(rows)
}
