package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type itemRow struct {
	bun.BaseModel `bun:"table:source_item,alias:si"`

	Tenant   blob `bun:"tenant"`
	Source   blob `bun:"source"`
	Folder   text `bun:"folder"`
	Item     text `bun:"item"`
	Outcome  text `bun:"outcome"`
	Bytes    num  `bun:"bytes"`
	At       num  `bun:"at"`
	Detail   text `bun:"detail"`
	Checksum blob `bun:"checksum"`
}

func newItemRow(tenant, source uid.ID, i *SourceItem) *itemRow {
	r := &itemRow{Tenant: tenant[:], Source: source[:], Folder: text(i.Folder), Item: text(i.Item), Outcome: text(i.Outcome),
		Bytes: num(i.Bytes), At: millis(i.At), Detail: text(i.Detail)}
	r.Checksum = r.sum()
	return r
}

func (r *itemRow) sum() blob {
	return newSummer(nil, "source_item", GroupRow).bytes(r.Tenant, r.Source).text(r.Folder, r.Item, r.Outcome).num(r.Bytes, r.At).text(r.Detail).sum()
}

func (r *itemRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "source_item", Object: fmt.Sprintf("%.40q of source %s", string(r.Item), idText(r.Source))})
}

func (r *itemRow) model() (*SourceItem, error) {
	return &SourceItem{Folder: string(r.Folder), Item: string(r.Item), Outcome: Outcome(r.Outcome), Bytes: int64(r.Bytes), At: r.At.millis(), Detail: string(r.Detail)}, nil
}

type folderRow struct {
	bun.BaseModel `bun:"table:source_folder,alias:sf"`

	Tenant   blob `bun:"tenant"`
	Source   blob `bun:"source"`
	Folder   text `bun:"folder"`
	Validity num  `bun:"validity"`
	Next     num  `bun:"next"`
	Checksum blob `bun:"checksum"`
}

func newFolderRow(tenant, source uid.ID, f *SourceFolder) *folderRow {
	r := &folderRow{Tenant: tenant[:], Source: source[:], Folder: text(f.Folder), Validity: num(f.Validity), Next: num(f.Next)}
	r.Checksum = r.sum()
	return r
}

func (r *folderRow) sum() blob {
	return newSummer(nil, "source_folder", GroupRow).bytes(r.Tenant, r.Source).text(r.Folder).num(r.Validity, r.Next).sum()
}

func (r *folderRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "source_folder", Object: fmt.Sprintf("%.40q of source %s", string(r.Folder), idText(r.Source))})
}

func (r *folderRow) model() (*SourceFolder, error) {
	return &SourceFolder{Folder: string(r.Folder), Validity: int64(r.Validity), Next: int64(r.Next)}, nil
}

// SourceItems returns the items of a source that stay on its server and are
// settled: those of one folder, or all of them with an outcome other than Stored
// and Duplicate if folder is empty. A damaged row is an error: to forget an item
// would offer it again, to invent one would lose it.
func (c *Catalog) SourceItems(ctx context.Context, tenant, source uid.ID, folder string) ([]*SourceItem, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Where("source = ?", source).Order("folder", "item")
	if folder != "" {
		q = q.Where("folder = ?", text(folder))
	} else {
		q = q.Where("outcome NOT IN (?)", bun.List([]text{text(Stored), text(Duplicate)}))
	}
	list, err := all[itemRow, SourceItem](ctx, q)
	if err != nil {
		return nil, c.wrap(err, "items of source %s", source)
	}
	return list, nil
}

// SettleItems adds items, in place of older ones of the same name, and drops
// others, in one transaction.
func (c *Catalog) SettleItems(ctx context.Context, tenant, source uid.ID, folder string, add []*SourceItem, drop []string) error {
	if len(add)+len(drop) == 0 {
		return nil
	}
	gone := slices.Clone(drop)
	for _, i := range add {
		if err := nameable(text(folder), text(i.Item)); err != nil {
			return c.wrap(err, "items of source %s", source)
		}
		gone = append(gone, i.Item)
	}
	err := c.ofSource(ctx, tenant, source, func(ctx context.Context, tx bun.Tx) error {
		for chunk := range slices.Chunk(gone, listSize) {
			names := make([]text, len(chunk))
			for i, n := range chunk {
				names[i] = text(n)
			}
			_, err := tx.NewDelete().Model((*itemRow)(nil)).Where("source = ?", source).Where("folder = ?", text(folder)).Where("item IN (?)", bun.List(names)).Exec(ctx)
			if err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(add, listSize) {
			rows := make([]*itemRow, len(chunk))
			for i, x := range chunk {
				one := *x
				one.Folder = folder
				rows[i] = newItemRow(tenant, source, &one)
			}
			if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return c.wrap(err, "items of source %s", source)
}

// SourceFolders returns how far the folders of a source have been read. A
// damaged row is an error.
func (c *Catalog) SourceFolders(ctx context.Context, tenant, source uid.ID) (map[string]SourceFolder, error) {
	list, err := all[folderRow, SourceFolder](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Where("source = ?", source))
	if err != nil {
		return nil, c.wrap(err, "folders of source %s", source)
	}
	folders := make(map[string]SourceFolder, len(list))
	for _, f := range list {
		folders[f.Folder] = *f
	}
	return folders, nil
}

// SetSourceFolder stores how far a folder has been read.
func (c *Catalog) SetSourceFolder(ctx context.Context, tenant, source uid.ID, f SourceFolder) error {
	if err := nameable(text(f.Folder)); err != nil {
		return c.wrap(err, "folder of source %s", source)
	}
	err := c.ofSource(ctx, tenant, source, func(ctx context.Context, tx bun.Tx) error {
		r := newFolderRow(tenant, source, &f)
		res, err := tx.NewUpdate().Model(r).Where("source = ?", source).Where("folder = ?", text(f.Folder)).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		_, err = tx.NewInsert().Model(r).Exec(ctx)
		return err
	})
	return c.wrap(err, "folder %q of source %s", f.Folder, source)
}
