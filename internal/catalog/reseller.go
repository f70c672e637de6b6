package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Reseller sells archives to customers and looks after them.
type Reseller struct {
	ID        uid.ID
	Slug      string // [a-z0-9-], unique
	Name      string
	Host      string // under which its customers reach the archive, lower case; empty: none
	Limits    Limits
	Branding  Branding
	CreatedAt time.Time
	// Warned and WarnedAt are as those of CareSettings.
	Warned   map[string]string
	WarnedAt map[string]time.Time
}

// Limits bound a reseller or a tenant; 0 is none. They never keep mail out.
type Limits struct {
	Customers int   `json:"customers,omitempty"` // of a reseller
	Mailboxes int   `json:"mailboxes,omitempty"` // addresses with mail in a month
	Storage   int64 `json:"storage,omitempty"`   // bytes as stored
}

// Branding is how the archive looks to a reseller's customers.
type Branding struct {
	Name    string `json:"name,omitempty"`     // in place of the product's
	Accent  string `json:"accent,omitempty"`   // #rrggbb
	ReplyTo string `json:"reply_to,omitempty"` // of mail to its customers
	Support string `json:"support,omitempty"`  // mail address for questions
	Logo    string `json:"logo,omitempty"`     // hash of the picture; empty: none
}

type resellerSettings struct {
	Limits   Limits   `json:"limits"`
	Branding Branding `json:"branding"`

	Warned   map[string]string    `json:"warned,omitempty"`
	WarnedAt map[string]time.Time `json:"warned_at,omitempty"`
}

type resellerRow struct {
	bun.BaseModel `bun:"table:reseller,alias:rs"`

	ID        blob     `bun:"id"`
	Slug      text     `bun:"slug"`
	Name      text     `bun:"name"`
	Host      text     `bun:"host"`
	Settings  document `bun:"settings"`
	CreatedAt num      `bun:"created_at"`
	Checksum  blob     `bun:"checksum"`
}

func newResellerRow(s *Reseller) (*resellerRow, error) {
	settings, err := toDocument(resellerSettings{s.Limits, s.Branding, s.Warned, s.WarnedAt})
	if err != nil {
		return nil, err
	}
	r := &resellerRow{ID: s.ID[:], Slug: text(s.Slug), Name: text(s.Name), Host: text(s.Host), Settings: settings, CreatedAt: millis(s.CreatedAt)}
	r.Checksum = r.sum()
	return r, nameable(r.Slug, r.Host)
}

func (r *resellerRow) sum() blob {
	return newSummer(nil, "reseller", GroupRow).bytes(r.ID).text(r.Slug, r.Name, r.Host).document(r.Settings).num(r.CreatedAt).sum()
}

func (r *resellerRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "reseller", Object: idText(r.ID)})
}

func (r *resellerRow) model() (*Reseller, error) {
	s := &Reseller{ID: toID(r.ID), Slug: string(r.Slug), Name: string(r.Name), Host: string(r.Host), CreatedAt: r.CreatedAt.millis()}
	var set resellerSettings
	err := r.Settings.into(&set)
	s.Limits, s.Branding, s.Warned, s.WarnedAt = set.Limits, set.Branding, set.Warned, set.WarnedAt
	return s, err
}

// CreateReseller adds s, with events in the log of the installation. ErrTaken if its
// slug or host is in use.
func (c *Catalog) CreateReseller(ctx context.Context, s *Reseller, events ...*Event) error {
	if s.ID.IsZero() || s.Slug == "" {
		return fmt.Errorf("create reseller: %w: no id or no slug", ErrInvalid)
	}
	r, err := newResellerRow(s)
	if err != nil {
		return c.wrap(err, "create reseller")
	}
	err = c.withEvents(ctx, uid.ID{}, events, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(r).Exec(ctx)
		return err
	})
	return c.wrap(err, "create reseller %s", s.Slug)
}

// UpdateReseller writes everything but ID, slug and time of creation. logo is the
// picture whose hash is in the branding, as PNG; nil leaves what is there. A picture
// whose hash is no longer in the branding is removed.
func (c *Catalog) UpdateReseller(ctx context.Context, s *Reseller, logo []byte, events ...*Event) error {
	err := c.withEvents(ctx, uid.ID{}, events, func(ctx context.Context, tx bun.Tx) error {
		old, err := one[Reseller](ctx, new(resellerRow), c.locked(tx.NewSelect().Where("id = ?", s.ID)))
		if err != nil {
			return err
		}
		old.Name, old.Host, old.Limits, old.Branding = s.Name, s.Host, s.Limits, s.Branding
		old.Warned, old.WarnedAt = s.Warned, s.WarnedAt
		r, err := newResellerRow(old)
		if err != nil {
			return err
		}
		if err := changed(tx.NewUpdate().Model(r).Where("id = ?", s.ID).Exec(ctx)); err != nil {
			return err
		}
		if logo == nil && s.Branding.Logo != "" {
			return nil
		}
		if _, err := tx.NewDelete().Model((*logoRow)(nil)).Where("reseller = ?", s.ID).Exec(ctx); err != nil || s.Branding.Logo == "" {
			return err
		}
		_, err = tx.NewInsert().Model(newLogoRow(s.ID, s.Branding.Logo, logo)).Exec(ctx)
		return err
	})
	return c.wrap(err, "update reseller %s", s.ID)
}

// WarnReseller lets change alter what a reseller was warned of (Warned, WarnedAt) as it
// is at that moment, and stores the events that change returns. ErrNotFound.
func (c *Catalog) WarnReseller(ctx context.Context, id uid.ID, change func(now *Reseller) []*Event) error {
	err := c.withHead(ctx, uid.ID{}, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		now, err := one[Reseller](ctx, new(resellerRow), c.locked(tx.NewSelect().Where("id = ?", id)))
		if err != nil {
			return err
		}
		events := change(now)
		r, err := newResellerRow(now)
		if err != nil {
			return err
		}
		if err := changed(tx.NewUpdate().Model(r).Where("id = ?", id).Exec(ctx)); err != nil {
			return err
		}
		return c.appendEvents(ctx, tx, h, events)
	})
	return c.wrap(err, "warn reseller %s", id)
}

// Reseller returns a reseller by its ID.
func (c *Catalog) Reseller(ctx context.Context, id uid.ID) (*Reseller, error) {
	s, err := one[Reseller](ctx, new(resellerRow), c.read.NewSelect().Where("id = ?", id))
	return s, c.wrap(err, "reseller %s", id)
}

// ResellerBySlug returns a reseller by its short name.
func (c *Catalog) ResellerBySlug(ctx context.Context, slug string) (*Reseller, error) {
	s, err := one[Reseller](ctx, new(resellerRow), c.read.NewSelect().Where("slug = ?", text(slug)))
	return s, c.wrap(err, "reseller %q", slug)
}

// Resellers returns all resellers by slug. Rows that fail their check sum are missing
// and joined as *RowError in the error, beside the good ones.
func (c *Catalog) Resellers(ctx context.Context) ([]*Reseller, error) {
	list, err := all[resellerRow, Reseller](ctx, c.read.NewSelect())
	slices.SortFunc(list, func(a, b *Reseller) int { return strings.Compare(a.Slug, b.Slug) })
	return list, c.wrap(err, "resellers")
}

type logoRow struct {
	bun.BaseModel `bun:"table:reseller_logo,alias:rl"`

	Reseller blob `bun:"reseller"`
	Hash     text `bun:"hash"`
	PNG      blob `bun:"png"`
	Checksum blob `bun:"checksum"`
}

func newLogoRow(reseller uid.ID, hash string, png []byte) *logoRow {
	r := &logoRow{Reseller: reseller[:], Hash: text(hash), PNG: append(blob{}, png...)}
	r.Checksum = r.sum()
	return r
}

func (r *logoRow) sum() blob {
	return newSummer(nil, "reseller_logo", GroupRow).bytes(r.Reseller).text(r.Hash).bytes(r.PNG).sum()
}

func (r *logoRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "reseller_logo", Object: idText(r.Reseller)})
}

func (r *logoRow) model() (*[]byte, error) {
	b := []byte(r.PNG)
	return &b, nil
}

// Logo returns the picture with a hash, as PNG. ErrNotFound.
func (c *Catalog) Logo(ctx context.Context, hash string) ([]byte, error) {
	b, err := one[[]byte](ctx, new(logoRow), c.read.NewSelect().Where("hash = ?", text(hash)))
	if err != nil {
		return nil, c.wrap(err, "logo")
	}
	return *b, nil
}

// Staff says which reseller a user without a tenant belongs to.
type Staff struct{ User, Reseller uid.ID }

type staffRow struct {
	bun.BaseModel `bun:"table:reseller_user,alias:ru"`

	UserID   blob `bun:"user_id"`
	Reseller blob `bun:"reseller"`
	Checksum blob `bun:"checksum"`
}

func newStaffRow(s Staff) *staffRow {
	r := &staffRow{UserID: s.User[:], Reseller: s.Reseller[:]}
	r.Checksum = r.sum()
	return r
}

func (r *staffRow) sum() blob {
	return newSummer(nil, "reseller_user", GroupRow).bytes(r.UserID, r.Reseller).sum()
}

func (r *staffRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "reseller_user", Object: idText(r.UserID)})
}

func (r *staffRow) model() (*Staff, error) {
	return &Staff{User: toID(r.UserID), Reseller: toID(r.Reseller)}, nil
}

// AddStaff adds u, a user without a tenant, to a reseller, with events in the log of
// the installation. ErrTaken if the login is in use there.
func (c *Catalog) AddStaff(ctx context.Context, reseller uid.ID, u *User, events ...*Event) error {
	if u.ID.IsZero() || u.Login == "" || !u.Tenant.IsZero() {
		return fmt.Errorf("add staff: %w: no id, no login, or a tenant", ErrInvalid)
	}
	r := newUserRow(u)
	if err := errors.Join(nameable(r.Login), nameable(r.addresses...)); err != nil {
		return c.wrap(err, "add staff")
	}
	err := c.withEvents(ctx, uid.ID{}, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := one[Reseller](ctx, new(resellerRow), tx.NewSelect().Where("id = ?", reseller)); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
			return err
		}
		if err := insertAddresses(ctx, tx, r); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newStaffRow(Staff{u.ID, reseller})).Exec(ctx)
		return err
	})
	return c.wrap(err, "add staff %s", u.ID)
}

// ResellerOf returns the reseller whose staff a user is. ErrNotFound if none.
func (c *Catalog) ResellerOf(ctx context.Context, user uid.ID) (uid.ID, error) {
	s, err := one[Staff](ctx, new(staffRow), c.read.NewSelect().Where("user_id = ?", user))
	if err != nil {
		return uid.ID{}, c.wrap(err, "reseller of user %s", user)
	}
	return s.Reseller, nil
}

// Staff returns the users of a reseller by login, as Users does.
func (c *Catalog) Staff(ctx context.Context, reseller uid.ID) ([]*User, error) {
	list, err := c.readUsers(ctx, "tenant = ? AND id IN (SELECT user_id FROM reseller_user WHERE reseller = ?)", uid.ID{}, reseller)
	return list, c.wrap(err, "staff")
}
