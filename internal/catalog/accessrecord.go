package catalog

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// AccessRecord is one act under a request for access.
type AccessRecord struct {
	Tenant    uid.ID
	ID        uid.ID
	Request   uid.ID
	User      uid.ID
	At        time.Time
	Act       string   // as in Event.Action
	Object    string   // the message's AOID; empty: a search
	Query     string   // of a search
	Addresses []string // whose mail it was, of those of the request
	Peer      string
}

type recordRow struct {
	bun.BaseModel `bun:"table:access_record,alias:rec"`

	Tenant    blob     `bun:"tenant"`
	ID        blob     `bun:"id"`
	Request   blob     `bun:"request"`
	UserID    blob     `bun:"user_id"`
	At        num      `bun:"at"`
	Act       text     `bun:"act"`
	Object    text     `bun:"object"`
	Query     text     `bun:"query"`
	Addresses document `bun:"addresses"`
	Peer      text     `bun:"peer"`
	Checksum  blob     `bun:"checksum"`
}

func newRecordRow(a *AccessRecord) (*recordRow, error) {
	list, err := toDocument(a.Addresses)
	r := &recordRow{Tenant: a.Tenant[:], ID: a.ID[:], Request: a.Request[:], UserID: a.User[:], At: millis(a.At), Act: text(a.Act), Object: text(a.Object),
		Query: text(a.Query), Addresses: list, Peer: text(a.Peer)}
	r.Checksum = r.sum()
	return r, err
}

func (r *recordRow) sum() blob {
	return newSummer(nil, "access_record", GroupRow).bytes(r.Tenant, r.ID, r.Request, r.UserID).num(r.At).text(r.Act, r.Object, r.Query).
		document(r.Addresses).text(r.Peer).sum()
}

func (r *recordRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "access_record", Object: idText(r.ID)})
}

func (r *recordRow) model() (*AccessRecord, error) {
	a := &AccessRecord{Tenant: toID(r.Tenant), ID: toID(r.ID), Request: toID(r.Request), User: toID(r.UserID), At: r.At.millis(), Act: string(r.Act),
		Object: string(r.Object), Query: string(r.Query), Peer: string(r.Peer)}
	return a, r.Addresses.into(&a.Addresses)
}

// AddAccessRecord stores what is about to be read, together with its event. The
// request must be approved and its time not over at that moment: ErrAccessState.
func (c *Catalog) AddAccessRecord(ctx context.Context, a *AccessRecord, events ...*Event) error {
	r, err := newRecordRow(a)
	if err == nil {
		err = c.withEvents(ctx, a.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
			if err := c.inAccessState(ctx, tx, a.Tenant, a.Request, AccessApproved, a.At); err != nil {
				return err
			}
			_, err := tx.NewInsert().Model(r).Exec(ctx)
			return err
		})
	}
	return c.wrap(err, "record of access %s", a.Request)
}

// RecordFilter chooses records. Zero members choose all.
type RecordFilter struct {
	Requests []uid.ID
	User     uid.ID
	From, To time.Time // From <= At < To
	Before   uid.ID    // id: only older ones
}

// AccessRecords returns at most limit records of a tenant, the newest first. Rows that
// fail their check sum are missing and joined as *RowError in the error, beside the
// good ones.
func (c *Catalog) AccessRecords(ctx context.Context, tenant uid.ID, f RecordFilter, limit int) ([]*AccessRecord, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Order("id DESC")
	if len(f.Requests) > 0 {
		ids := make([]blob, len(f.Requests))
		for i := range f.Requests {
			ids[i] = f.Requests[i][:]
		}
		q = q.Where("request IN (?)", bun.List(ids))
	}
	if !f.User.IsZero() {
		q = q.Where("user_id = ?", f.User)
	}
	if !f.From.IsZero() {
		q = q.Where("at >= ?", millis(f.From))
	}
	if !f.To.IsZero() {
		q = q.Where("at < ?", millis(f.To))
	}
	if !f.Before.IsZero() {
		q = q.Where("id < ?", f.Before)
	}
	list, err := all[recordRow, AccessRecord](ctx, atMost(q, limit))
	return list, c.wrap(err, "records of access")
}

// AccessPolicy says whether people learn who has read their mail.
type AccessPolicy struct {
	Tenant    uid.ID
	Silent    bool // they do not
	ChangedAt time.Time
	ChangedBy string // as in Event.Actor
}

type accessPolicyRow struct {
	bun.BaseModel `bun:"table:access_policy,alias:pol"`

	Tenant    blob `bun:"tenant"`
	Silent    num  `bun:"silent"`
	ChangedAt num  `bun:"changed_at"`
	ChangedBy text `bun:"changed_by"`
	Checksum  blob `bun:"checksum"`
}

func newAccessPolicyRow(p *AccessPolicy) *accessPolicyRow {
	r := &accessPolicyRow{Tenant: p.Tenant[:], Silent: flag(p.Silent), ChangedAt: millis(p.ChangedAt), ChangedBy: text(p.ChangedBy)}
	r.Checksum = r.sum()
	return r
}

func (r *accessPolicyRow) sum() blob {
	return newSummer(nil, "access_policy", GroupRow).bytes(r.Tenant).num(r.Silent, r.ChangedAt).text(r.ChangedBy).sum()
}

func (r *accessPolicyRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "access_policy", Object: idText(r.Tenant)})
}

func (r *accessPolicyRow) model() (*AccessPolicy, error) {
	return &AccessPolicy{Tenant: toID(r.Tenant), Silent: r.Silent != 0, ChangedAt: r.ChangedAt.millis(), ChangedBy: string(r.ChangedBy)}, nil
}

// AccessPolicy returns that of a tenant. ErrNotFound if nobody has ever said.
func (c *Catalog) AccessPolicy(ctx context.Context, tenant uid.ID) (*AccessPolicy, error) {
	p, err := one[AccessPolicy](ctx, new(accessPolicyRow), c.read.NewSelect().Where("tenant = ?", tenant))
	return p, c.wrap(err, "access policy")
}

// SetAccessPolicy stores p in place of what was there, damaged or not, together with
// the events that tell of it.
func (c *Catalog) SetAccessPolicy(ctx context.Context, p *AccessPolicy, events ...*Event) error {
	err := c.withEvents(ctx, p.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*accessPolicyRow)(nil)).Where("tenant = ?", p.Tenant).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newAccessPolicyRow(p)).Exec(ctx)
		return err
	})
	return c.wrap(err, "set access policy")
}
