package fts

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// checkLines bounds what SQLite says is wrong with one file.
const checkLines = 10

// Check implements index.Index.
func (x *Index) Check(ctx context.Context, tenant uid.ID) error {
	t, done, err := x.begin(tenant)
	if err != nil {
		return err
	}
	defer done()
	years, err := t.years()
	if err != nil {
		return err
	}
	var errs []error
	for _, y := range years {
		s, err := t.shard(ctx, y, false)
		if err == nil && s != nil {
			err = s.check(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// check runs SQLite's own check of the pages, the tables and, in the same pass,
// FTS5's of the terms: the sums over each full-text index must be right. It reads
// only, so writers do not wait for it. It needs a connection of its own: on one that
// has been used, FTS5 would compare with its memory of an earlier state.
func (s *shard) check(ctx context.Context) error {
	db, err := openPool(s.path, "", readerPragmas, 1)
	if err != nil {
		return s.wrap(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", checkLines))
	if err != nil {
		return s.wrap(err)
	}
	defer rows.Close()
	var wrong []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return s.wrap(err)
		}
		if line != "ok" {
			wrong = append(wrong, strings.ReplaceAll(line, "\n", " "))
		}
	}
	if err := rows.Err(); err != nil {
		return s.wrap(err)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("index %s: %w: %s", s.path, index.ErrDamaged, strings.Join(wrong, "; "))
	}
	return nil
}

// isDamage reports whether SQLite has met a file that is not what it wrote.
func isDamage(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}
