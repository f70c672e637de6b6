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

// Provision is a tenant that somebody has ordered.
type Provision struct {
	Owner     uid.ID // the reseller; zero: the operator
	Reference string // of the order, unique for its owner
	Tenant    uid.ID
	Request   []byte // JSON
	Answer    []byte // JSON
	CreatedAt time.Time
}

type provisionRow struct {
	bun.BaseModel `bun:"table:provision,alias:pv"`

	Owner     blob     `bun:"owner"`
	Reference text     `bun:"reference"`
	Tenant    blob     `bun:"tenant"`
	Request   document `bun:"request"`
	Answer    document `bun:"answer"`
	CreatedAt num      `bun:"created_at"`
	Checksum  blob     `bun:"checksum"`
}

func newProvisionRow(p *Provision) *provisionRow {
	r := &provisionRow{Owner: p.Owner[:], Reference: text(p.Reference), Tenant: p.Tenant[:], Request: document(p.Request), Answer: document(p.Answer), CreatedAt: millis(p.CreatedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *provisionRow) sum() blob {
	return newSummer(nil, "provision", GroupRow).bytes(r.Owner).text(r.Reference).bytes(r.Tenant).document(r.Request, r.Answer).num(r.CreatedAt).sum()
}

func (r *provisionRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "provision", Object: idText(r.Tenant)})
}

func (r *provisionRow) model() (*Provision, error) {
	return &Provision{Owner: toID(r.Owner), Reference: string(r.Reference), Tenant: toID(r.Tenant), Request: []byte(r.Request), Answer: []byte(r.Answer),
		CreatedAt: r.CreatedAt.millis()}, nil
}

// Provision returns what an owner has ordered under a reference. ErrNotFound.
func (c *Catalog) Provision(ctx context.Context, owner uid.ID, reference string) (*Provision, error) {
	p, err := one[Provision](ctx, new(provisionRow), c.read.NewSelect().Where("owner = ?", owner).Where("reference = ?", text(reference)))
	return p, c.wrap(err, "order %.80q", reference)
}

// ProvisionOf returns the order that a tenant was made by. ErrNotFound.
func (c *Catalog) ProvisionOf(ctx context.Context, tenant uid.ID) (*Provision, error) {
	p, err := one[Provision](ctx, new(provisionRow), c.read.NewSelect().Where("tenant = ?", tenant))
	return p, c.wrap(err, "order of tenant %s", tenant)
}

// NewTenant is a tenant with all that it begins with.
type NewTenant struct {
	Tenant    *Tenant
	Care      *Care
	Domains   []*Domain
	Sources   []*Source
	Users     []*User
	Provision *Provision // nil: nobody has ordered it under a reference
	Events    []*Event   // of the tenant's log
	Instance  []*Event   // of the log of the installation
	// Customers bounds how many tenants of Care.Reseller there may be with this one;
	// 0: any number.
	Customers int
}

// ErrLimit is returned (wrapped) when a tenant would exceed NewTenant.Customers.
var ErrLimit = errors.New("limit of customers is reached")

// AddTenant adds a tenant with all that belongs to it, or nothing. ErrTaken if the
// reference, the slug, a domain or something else is in use already, ErrLimit.
func (c *Catalog) AddTenant(ctx context.Context, n *NewTenant) error {
	if n.Tenant.ID.IsZero() || n.Tenant.Slug == "" {
		return fmt.Errorf("add tenant: %w: no id or no slug", ErrInvalid)
	}
	if err := n.nameable(); err != nil {
		return c.wrap(err, "add tenant")
	}
	err := c.withEvents(ctx, uid.ID{}, n.Instance, func(ctx context.Context, tx bun.Tx) error {
		if n.Customers > 0 {
			have, err := tx.NewSelect().Model((*careRow)(nil)).Where("reseller = ?", n.Care.Reseller).Count(ctx)
			if err != nil {
				return err
			}
			if have >= int64(n.Customers) {
				return ErrLimit
			}
		}
		if _, err := tx.NewInsert().Model(newTenantRow(n.Tenant)).Exec(ctx); err != nil {
			return err
		}
		if n.Provision != nil {
			if _, err := tx.NewInsert().Model(newProvisionRow(n.Provision)).Exec(ctx); err != nil {
				return err
			}
		}
		return c.fillTenant(ctx, tx, n)
	})
	return c.wrap(err, "add tenant %s", n.Tenant.Slug)
}

func (n *NewTenant) nameable() error {
	names := []text{text(n.Tenant.Slug)}
	for _, d := range n.Domains {
		names = append(names, text(d.Name), text(d.Main))
	}
	for _, s := range n.Sources {
		names = append(names, text(s.Kind), text(s.Name), text(s.JournalAddress))
	}
	for _, u := range n.Users {
		names = append(names, text(u.Login))
		for _, a := range u.Addresses {
			names = append(names, text(a))
		}
	}
	if n.Provision != nil {
		names = append(names, text(n.Provision.Reference))
	}
	return nameable(names...)
}

// fillTenant inserts what belongs to a new tenant, whose row is there, and its log.
func (c *Catalog) fillTenant(ctx context.Context, tx bun.Tx, n *NewTenant) error {
	h := &headRow{Tenant: n.Tenant.ID[:], Peaks: blob((&eventlog.Frontier{}).Bytes())}
	h.Checksum = h.sum()
	if _, err := tx.NewInsert().Model(h).Exec(ctx); err != nil {
		return err
	}
	if err := setCare(ctx, tx, n.Care); err != nil {
		return err
	}
	for _, d := range n.Domains {
		if _, err := tx.NewInsert().Model(newDomainRow(d)).Exec(ctx); err != nil {
			return err
		}
	}
	for _, s := range n.Sources {
		if _, err := tx.NewInsert().Model(newSourceRow(s)).Exec(ctx); err != nil {
			return err
		}
	}
	for _, u := range n.Users {
		r := newUserRow(u)
		if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
			return err
		}
		if err := insertAddresses(ctx, tx, r); err != nil {
			return err
		}
	}
	if err := c.appendEvents(ctx, tx, h, n.Events); err != nil {
		return err
	}
	return writeHead(ctx, tx, h)
}
