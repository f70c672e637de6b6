package fts

import (
	"bytes"
	"context"
	"database/sql"
	"errors"

	"github.com/muniment/muniment/internal/uid"
)

// Remove implements index.Index.
func (x *Index) Remove(ctx context.Context, tenant uid.ID, ids []uid.ID) error {
	t, done, err := x.begin(tenant)
	if err != nil {
		return err
	}
	defer done()
	all, err := t.all(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := s.remove(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// remove forgets those of ids that the shard has. It takes the write lock only
// if there are any.
func (s *shard) remove(ctx context.Context, ids []uid.ID) error {
	known, err := s.known(ctx, ids)
	if err != nil || len(known) == 0 {
		return s.wrap(err)
	}
	return s.wrap(s.transact(ctx, func(tx *sql.Tx) error {
		for _, id := range known {
			var rowid int64
			err := tx.QueryRowContext(ctx, "SELECT rowid FROM doc WHERE id = ?", id[:]).Scan(&rowid)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if err := forget(ctx, tx, rowid); err != nil {
				return err
			}
		}
		return nil
	}))
}

// known returns those of ids that the shard has.
func (s *shard) known(ctx context.Context, ids []uid.ID) ([]uid.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var newest []byte
	if err := s.read.QueryRowContext(ctx, "SELECT max(id) FROM doc").Scan(&newest); err != nil {
		return nil, err
	}
	var out []uid.ID
	for _, id := range ids {
		if bytes.Compare(id[:], newest) > 0 {
			continue
		}
		var one int
		err := s.read.QueryRowContext(ctx, "SELECT 1 FROM doc WHERE id = ?", id[:]).Scan(&one)
		if err == nil {
			out = append(out, id)
		} else if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	return out, nil
}

// IDs implements index.Index.
func (x *Index) IDs(ctx context.Context, tenant uid.ID, fn func(uid.ID) error) error {
	t, done, err := x.begin(tenant)
	if err != nil {
		return err
	}
	defer done()
	all, err := t.all(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := s.ids(ctx, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *shard) ids(ctx context.Context, fn func(uid.ID) error) error {
	rows, err := s.read.QueryContext(ctx, "SELECT id FROM doc")
	if err != nil {
		return s.wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return s.wrap(err)
		}
		id, err := toID(b)
		if err != nil {
			return s.wrap(err)
		}
		if err := fn(id); err != nil {
			return err
		}
	}
	return s.wrap(rows.Err())
}

func toID(b []byte) (uid.ID, error) {
	if len(b) != len(uid.ID{}) {
		return uid.ID{}, errors.New("identifier is damaged; run: muniment reindex")
	}
	return uid.ID(b), nil
}
