package fts

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/muniment/muniment/internal/uid"
)

// Every Add leaves segments of FTS5 behind, and a search looks at all of them:
// with one segment it is several times as fast as with what a large import
// leaves.
const (
	// mergePages is how many pages one step of merging writes: adding waits no
	// longer than that takes, some tens of milliseconds.
	mergePages = 500
	// A shard is merged again when it has grown by a fifth, so that all merging
	// writes every term about six times.
	tidyMinimum = 500
	tidyShare   = 5
)

// Tidy implements index.Index.
func (x *Index) Tidy(ctx context.Context, tenant uid.ID) error {
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
		if err := s.tidy(ctx); err != nil {
			return err
		}
	}
	return nil
}

// tidy merges the segments of a shard if enough was added since the last time.
func (s *shard) tidy(ctx context.Context) error {
	var docs, tidied int64
	if err := s.read.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM doc), tidied FROM state").Scan(&docs, &tidied); err != nil {
		return s.wrap(err)
	}
	if grown := docs - tidied; grown >= 0 && grown < max(tidyMinimum, tidied/tidyShare) {
		return nil
	}
	for _, table := range []string{"fts", "pre"} {
		if err := s.merge(ctx, table); err != nil {
			return s.wrap(err)
		}
	}
	return s.wrap(s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE state SET tidied = ?", docs)
		return err
	}))
}

// merge makes one segment of all, in steps between which others can write. The
// first step, with a negative number, takes segments of all levels together.
func (s *shard) merge(ctx context.Context, table string) error {
	pages := -mergePages
	for done := false; !done; pages = mergePages {
		err := s.transact(ctx, func(tx *sql.Tx) error {
			var before, after int64
			if err := tx.QueryRowContext(ctx, "SELECT total_changes()").Scan(&before); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s, rank) VALUES ('merge', %d)", table, table, pages)); err != nil {
				return err
			}
			if err := tx.QueryRowContext(ctx, "SELECT total_changes()").Scan(&after); err != nil {
				return err
			}
			done = after-before < 2 // as FTS5 tells that nothing is left to do
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
