package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Directory is a user repository of a tenant.
type Directory struct {
	ID        uid.ID
	Tenant    uid.ID
	Kind      string // ldap, oidc, imap
	Name      string // unique within the tenant
	Settings  []byte // JSON
	Secret    []byte // sealed; nil: none
	Position  int    // the order in which they are asked
	Disabled  bool
	CreatedAt time.Time
}

// DirectoryState is how a directory fares.
type DirectoryState struct {
	Directory uid.ID
	Tenant    uid.ID
	State     []byte // JSON
}

type directoryRow struct {
	bun.BaseModel `bun:"table:directory,alias:dir"`

	ID        blob     `bun:"id"`
	Tenant    blob     `bun:"tenant"`
	Kind      text     `bun:"kind"`
	Name      text     `bun:"name"`
	Settings  document `bun:"settings"`
	Secret    blob     `bun:"secret"`
	Position  num      `bun:"position"`
	Disabled  num      `bun:"disabled"`
	CreatedAt num      `bun:"created_at"`
	Checksum  blob     `bun:"checksum"`
}

func newDirectoryRow(d *Directory) *directoryRow {
	r := &directoryRow{ID: d.ID[:], Tenant: d.Tenant[:], Kind: text(d.Kind), Name: text(d.Name), Settings: document(d.Settings),
		Secret: append(blob{}, d.Secret...), Position: num(d.Position), Disabled: flag(d.Disabled), CreatedAt: millis(d.CreatedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *directoryRow) sum() blob {
	return newSummer(nil, "directory", GroupRow).bytes(r.ID, r.Tenant).text(r.Kind, r.Name).document(r.Settings).bytes(r.Secret).
		num(r.Position, r.Disabled, r.CreatedAt).sum()
}

func (r *directoryRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "directory", Object: idText(r.ID)})
}

func (r *directoryRow) model() (*Directory, error) {
	d := &Directory{ID: toID(r.ID), Tenant: toID(r.Tenant), Kind: string(r.Kind), Name: string(r.Name), Settings: []byte(r.Settings),
		Position: int(r.Position), Disabled: r.Disabled != 0, CreatedAt: r.CreatedAt.millis()}
	if len(r.Secret) > 0 {
		d.Secret = r.Secret
	}
	return d, nil
}

type directoryStateRow struct {
	bun.BaseModel `bun:"table:directory_state,alias:dst"`

	Directory blob     `bun:"directory"`
	Tenant    blob     `bun:"tenant"`
	State     document `bun:"state"`
	Checksum  blob     `bun:"checksum"`
}

func newDirectoryStateRow(s *DirectoryState) *directoryStateRow {
	r := &directoryStateRow{Directory: s.Directory[:], Tenant: s.Tenant[:], State: document(s.State)}
	r.Checksum = r.sum()
	return r
}

func (r *directoryStateRow) sum() blob {
	return newSummer(nil, "directory_state", GroupRow).bytes(r.Directory, r.Tenant).document(r.State).sum()
}

func (r *directoryStateRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "directory_state", Object: idText(r.Directory)})
}

func (r *directoryStateRow) model() (*DirectoryState, error) {
	return &DirectoryState{Directory: toID(r.Directory), Tenant: toID(r.Tenant), State: []byte(r.State)}, nil
}

// CreateDirectory adds d and the events of it. ErrTaken if the tenant has one of the
// name.
func (c *Catalog) CreateDirectory(ctx context.Context, d *Directory, events ...*Event) error {
	if d.ID.IsZero() || d.Name == "" {
		return fmt.Errorf("create directory: %w: no id or no name", ErrInvalid)
	}
	if err := nameable(text(d.Name)); err != nil {
		return c.wrap(err, "create directory")
	}
	err := c.withEvents(ctx, d.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := one[Tenant](ctx, new(tenantRow), tx.NewSelect().Where("id = ?", d.Tenant)); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newDirectoryRow(d)).Exec(ctx)
		return err
	})
	return c.wrap(err, "create directory %s", d.ID)
}

// UpdateDirectory writes everything but ID, tenant, kind and time of creation.
// ErrNotFound, ErrTaken.
func (c *Catalog) UpdateDirectory(ctx context.Context, d *Directory, events ...*Event) error {
	if err := nameable(text(d.Name)); err != nil || d.Name == "" {
		return fmt.Errorf("update directory: %w: no name, or a long one", ErrInvalid)
	}
	err := c.withEvents(ctx, d.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		var old directoryRow
		if err := c.locked(tx.NewSelect().Model(&old).Where("tenant = ?", d.Tenant).Where("id = ?", d.ID)).Scan(ctx); err != nil {
			return err
		}
		next := *d
		next.Kind, next.CreatedAt = string(old.Kind), old.CreatedAt.millis()
		return changed(tx.NewUpdate().Model(newDirectoryRow(&next)).Where("id = ?", d.ID).Exec(ctx))
	})
	return c.wrap(err, "update directory %s", d.ID)
}

// DeleteDirectory removes a directory with its state. The users who came from it stay
// without a way to log in, and their sessions end. ErrNotFound.
func (c *Catalog) DeleteDirectory(ctx context.Context, tenant, id uid.ID, events ...*Event) error {
	err := c.withEvents(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		users := tx.NewSelect().Model((*originRow)(nil)).Column("user_id").Where("tenant = ?", tenant).Where("directory = ?", id)
		if _, err := tx.NewDelete().Model((*sessionRow)(nil)).Where("tenant = ?", tenant).Where("user_id IN (?)", users).Exec(ctx); err != nil {
			return err
		}
		for _, model := range []any{(*originRow)(nil), (*directoryStateRow)(nil)} {
			if _, err := tx.NewDelete().Model(model).Where("tenant = ?", tenant).Where("directory = ?", id).Exec(ctx); err != nil {
				return err
			}
		}
		return changed(tx.NewDelete().Model((*directoryRow)(nil)).Where("tenant = ?", tenant).Where("id = ?", id).Exec(ctx))
	})
	return c.wrap(err, "delete directory %s", id)
}

// Directory returns a directory of a tenant.
func (c *Catalog) Directory(ctx context.Context, tenant, id uid.ID) (*Directory, error) {
	d, err := one[Directory](ctx, new(directoryRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("id = ?", id))
	return d, c.wrap(err, "directory %s", id)
}

// Directories returns all directories of a tenant in their order. Rows that fail
// their check sum are missing and joined as *RowError in the error, beside the good
// ones.
func (c *Catalog) Directories(ctx context.Context, tenant uid.ID) ([]*Directory, error) {
	list, err := all[directoryRow, Directory](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Order("position", "id"))
	return list, c.wrap(err, "directories")
}

// DirectoriesOfAll returns the directories of a kind of all tenants, in no order. It is
// for the clockwork, and for log-in where the tenant is not known yet.
func (c *Catalog) DirectoriesOfAll(ctx context.Context, kind string) ([]*Directory, error) {
	list, err := all[directoryRow, Directory](ctx, c.read.NewSelect().Where("kind = ?", text(kind)))
	return list, c.wrap(err, "directories of all tenants")
}

// SetDirectoryState stores how a directory fares. ErrNotFound if there is none.
func (c *Catalog) SetDirectoryState(ctx context.Context, s *DirectoryState) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		n, err := tx.NewSelect().Model((*directoryRow)(nil)).Where("tenant = ?", s.Tenant).Where("id = ?", s.Directory).Count(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotFound
		}
		if _, err := tx.NewDelete().Model((*directoryStateRow)(nil)).Where("directory = ?", s.Directory).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(newDirectoryStateRow(s)).Exec(ctx)
		return err
	})
	return c.wrap(err, "state of directory %s", s.Directory)
}

// DirectoryStates returns how the directories of a tenant fare.
func (c *Catalog) DirectoryStates(ctx context.Context, tenant uid.ID) ([]*DirectoryState, error) {
	list, err := all[directoryStateRow, DirectoryState](ctx, c.read.NewSelect().Where("tenant = ?", tenant))
	return list, c.wrap(err, "states of directories")
}
