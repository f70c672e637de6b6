package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// LogKey is a key that signs checkpoints of the event logs of the installation.
type LogKey struct {
	Number   int64  // 1, 2, 3 …; the highest signs
	Instance uid.ID // names the installation in checkpoints; the same for all keys
	Public   []byte // Ed25519
	Secret   []byte // sealed; nil: destroyed
	// ChangeNote is an eventlog.Succession signed by the key before; empty: there was
	// none.
	ChangeNote string
	CreatedAt  time.Time
}

type logKeyRow struct {
	bun.BaseModel `bun:"table:log_key,alias:lk"`

	Number     num  `bun:"number"`
	Instance   blob `bun:"instance"`
	Public     blob `bun:"public"`
	Secret     blob `bun:"secret"`
	ChangeNote text `bun:"change_note"`
	CreatedAt  num  `bun:"created_at"`
	Checksum   blob `bun:"checksum"`
}

func newLogKeyRow(k *LogKey) *logKeyRow {
	r := &logKeyRow{Number: num(k.Number), Instance: k.Instance[:], Public: append(blob{}, k.Public...), Secret: append(blob{}, k.Secret...),
		ChangeNote: text(k.ChangeNote), CreatedAt: millis(k.CreatedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *logKeyRow) sum() blob {
	return newSummer(nil, "log_key", GroupRow).num(r.Number).bytes(r.Instance, r.Public, r.Secret).text(r.ChangeNote).num(r.CreatedAt).sum()
}

func (r *logKeyRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "log_key", Object: fmt.Sprintf("number %d", r.Number)})
}

func (r *logKeyRow) model() (*LogKey, error) {
	k := &LogKey{Number: int64(r.Number), Instance: toID(r.Instance), Public: r.Public, ChangeNote: string(r.ChangeNote), CreatedAt: r.CreatedAt.millis()}
	if len(r.Secret) > 0 {
		k.Secret = r.Secret
	}
	return k, nil
}

// LogKeys returns all keys by number; none if there never was one.
func (c *Catalog) LogKeys(ctx context.Context) ([]*LogKey, error) {
	list, err := all[logKeyRow, LogKey](ctx, c.read.NewSelect())
	slices.SortFunc(list, func(a, b *LogKey) int { return cmp.Compare(a.Number, b.Number) })
	return list, c.wrap(err, "keys of the event logs")
}

// AddLogKey adds a key whose number follows the highest, destroys the secrets of
// the others, and stores the event of it in the log of the installation. ErrTaken
// if somebody else was faster.
func (c *Catalog) AddLogKey(ctx context.Context, k *LogKey, e *Event) error {
	err := c.withEvents(ctx, uid.ID{}, []*Event{e}, func(ctx context.Context, tx bun.Tx) error {
		list, err := all[logKeyRow, LogKey](ctx, c.locked(tx.NewSelect()))
		if err != nil {
			return err
		}
		if k.Number != int64(len(list))+1 {
			return ErrTaken
		}
		for _, old := range list {
			old.Secret = nil
			if err := changed(tx.NewUpdate().Model(newLogKeyRow(old)).Where("number = ?", old.Number).Exec(ctx)); err != nil {
				return err
			}
		}
		_, err = tx.NewInsert().Model(newLogKeyRow(k)).Exec(ctx)
		return err
	})
	return c.wrap(err, "add a key of the event logs")
}
