package catalog

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// modelRow is a guarded row that stands for a model.
type modelRow[M any] interface {
	row
	model() (*M, error)
}

// one selects a single row into r, verifies it and returns its model.
// sql.ErrNoRows if there is none.
func one[M any](ctx context.Context, r modelRow[M], q *bun.SelectQuery) (*M, error) {
	if err := q.Model(r).Limit(1).Scan(ctx); err != nil {
		return nil, err
	}
	return verified(r)
}

// rowOf says that the pointer to R is a row for M.
type rowOf[R, M any] interface {
	*R
	modelRow[M]
}

// all selects rows and returns the models of the sound ones; the others are
// joined in the error.
func all[R, M any, P rowOf[R, M]](ctx context.Context, q *bun.SelectQuery) ([]*M, error) {
	var list []*M
	var bad []error
	err := each[R, M, P](ctx, q, func(_ P, m *M, err error) error {
		if err != nil {
			bad = append(bad, err)
		} else {
			list = append(list, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, errors.Join(bad...)
}

// each selects rows and calls do for each, with the model or with what is
// wrong with the row.
func each[R, M any, P rowOf[R, M]](ctx context.Context, q *bun.SelectQuery, do func(P, *M, error) error) error {
	var rows []R
	if err := q.Model(&rows).Scan(ctx); err != nil {
		return err
	}
	for i := range rows {
		r := P(&rows[i])
		m, err := verified(r)
		if err := do(r, m, err); err != nil {
			return err
		}
	}
	return nil
}

func verified[M any](r modelRow[M]) (*M, error) {
	if bad := r.verify(); bad != nil {
		return nil, bad
	}
	return r.model()
}

// locked keeps others from changing the selected rows until the transaction
// ends. SQLite has let only one writer in anyway.
func (c *Catalog) locked(q *bun.SelectQuery) *bun.SelectQuery {
	if c.dialect.rowLocks {
		return q.For("UPDATE")
	}
	return q
}

// atMost limits a query; bun takes a limit of 0 for none.
func atMost(q *bun.SelectQuery, limit int) *bun.SelectQuery {
	if limit <= 0 {
		return q.Where("1 = 0")
	}
	return q.Limit(int64(limit))
}

// toID converts a column that has passed its check sum; anything else becomes
// the zero ID.
func toID(b blob) uid.ID {
	var id uid.ID
	if len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}

func toSum(b blob) [32]byte {
	var sum [32]byte
	if len(b) == len(sum) {
		copy(sum[:], b)
	}
	return sum
}

// idText names an object by what stands in its column now.
func idText(b blob) string {
	if len(b) == len(uid.ID{}) {
		return toID(b).String()
	}
	return fmt.Sprintf("(%d bytes %.32s)", len(b), hex.EncodeToString(b))
}

func hexText(b blob) string { return fmt.Sprintf("%.64s", hex.EncodeToString(b)) }
