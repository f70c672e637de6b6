package catalog

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Token lets a program use the interface in the name of an operator, a reseller or a
// tenant. Only a hash of it is kept.
type Token struct {
	ID        uid.ID
	Hash      [32]byte // SHA-256
	Tenant    uid.ID   // zero: of the operator or a reseller
	Reseller  uid.ID   // zero: of the operator or a tenant
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	TokenSettings
	Used TokenUse
}

// TokenSettings are what somebody has said of a token.
type TokenSettings struct {
	Name   string   `json:"name"`
	Scopes []string `json:"scopes"`
	By     string   `json:"by"` // who made it
	Start  string   `json:"start"`
}

// TokenUse is when and from where a token was used.
type TokenUse struct {
	At    time.Time `json:"at,omitzero"`
	Peers []string  `json:"peers,omitempty"` // the last ones, the youngest first
}

type tokenRow struct {
	bun.BaseModel `bun:"table:api_token,alias:tk"`

	ID        blob     `bun:"id"`
	Hash      blob     `bun:"hash"`
	Tenant    blob     `bun:"tenant"`
	Reseller  blob     `bun:"reseller"`
	Settings  document `bun:"settings"`
	CreatedAt num      `bun:"created_at"`
	ExpiresAt num      `bun:"expires_at"`
	Used      document `bun:"used"`
	Checksum  blob     `bun:"checksum"`
}

func newTokenRow(t *Token) (*tokenRow, error) {
	settings, err := toDocument(t.TokenSettings)
	if err != nil {
		return nil, err
	}
	used, err := toDocument(t.Used)
	r := &tokenRow{ID: t.ID[:], Hash: t.Hash[:], Tenant: t.Tenant[:], Reseller: t.Reseller[:], Settings: settings, CreatedAt: millis(t.CreatedAt),
		ExpiresAt: orZero(t.ExpiresAt), Used: used}
	r.Checksum = r.sum()
	return r, err
}

func (r *tokenRow) sum() blob {
	return newSummer(nil, "api_token", GroupRow).bytes(r.ID, r.Hash, r.Tenant, r.Reseller).document(r.Settings).num(r.CreatedAt, r.ExpiresAt).document(r.Used).sum()
}

func (r *tokenRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "api_token", Object: idText(r.ID)})
}

func (r *tokenRow) model() (*Token, error) {
	t := &Token{ID: toID(r.ID), Hash: toSum(r.Hash), Tenant: toID(r.Tenant), Reseller: toID(r.Reseller), CreatedAt: r.CreatedAt.millis(), ExpiresAt: r.ExpiresAt.orZeroTime()}
	if err := r.Settings.into(&t.TokenSettings); err != nil {
		return nil, err
	}
	return t, r.Used.into(&t.Used)
}

// CreateToken adds t, with events in the log of its tenant or of the installation.
func (c *Catalog) CreateToken(ctx context.Context, t *Token, events ...*Event) error {
	r, err := newTokenRow(t)
	if err != nil {
		return c.wrap(err, "create token")
	}
	err = c.withEvents(ctx, t.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(r).Exec(ctx)
		return err
	})
	return c.wrap(err, "create token")
}

// TokenByHash returns the token with a hash, expired or not. ErrNotFound.
func (c *Catalog) TokenByHash(ctx context.Context, hash [32]byte) (*Token, error) {
	t, err := one[Token](ctx, new(tokenRow), c.read.NewSelect().Where("hash = ?", hash[:]))
	return t, c.wrap(err, "token")
}

// Tokens returns the tokens of a tenant, a reseller or, with neither, the operator,
// the youngest first. Rows that fail their check sum are missing and joined as
// *RowError in the error, beside the good ones.
func (c *Catalog) Tokens(ctx context.Context, tenant, reseller uid.ID) ([]*Token, error) {
	list, err := all[tokenRow, Token](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Where("reseller = ?", reseller).Order("created_at DESC", "id DESC"))
	return list, c.wrap(err, "tokens")
}

// UseToken writes when and from where t was used, with events likewise. ErrNotFound if
// it was revoked.
func (c *Catalog) UseToken(ctx context.Context, t *Token, events ...*Event) error {
	write := func(ctx context.Context, tx bun.Tx) error {
		old, err := one[Token](ctx, new(tokenRow), c.locked(tx.NewSelect().Where("id = ?", t.ID)))
		if err != nil {
			return err
		}
		old.Used = t.Used
		r, err := newTokenRow(old)
		if err != nil {
			return err
		}
		return changed(tx.NewUpdate().Model(r).Where("id = ?", t.ID).Exec(ctx))
	}
	if len(events) == 0 {
		return c.wrap(c.transact(ctx, write), "use of token %s", t.ID)
	}
	return c.wrap(c.withEvents(ctx, t.Tenant, events, write), "use of token %s", t.ID)
}

// DeleteToken revokes a token of a tenant, a reseller or the operator, with events
// likewise. ErrNotFound.
func (c *Catalog) DeleteToken(ctx context.Context, t *Token, events ...*Event) error {
	err := c.withEvents(ctx, t.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		return changed(tx.NewDelete().Model((*tokenRow)(nil)).Where("tenant = ?", t.Tenant).Where("reseller = ?", t.Reseller).Where("id = ?", t.ID).Exec(ctx))
	})
	return c.wrap(err, "revoke token %s", t.ID)
}
