package fts

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// segments counts the segments of FTS5 in the only shard.
func segments(t *testing.T, s *shard, table string) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), "SELECT count(DISTINCT segid) FROM "+table+"_idx").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func addSome(t *testing.T, x *Index, tenant uid.ID, from, n int) {
	t.Helper()
	for i := from; i < from+n; i += 10 {
		var docs []index.Doc
		for j := i; j < i+10; j++ {
			docs = append(docs, index.Doc{ID: uid.New(time.Now()), Date: time.Date(2024, 1, 1, 0, 0, j, 0, time.UTC), Body: fmt.Sprintf("common w%d", j)})
		}
		if err := x.Add(t.Context(), tenant, docs); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTidyLeavesOneSegment(t *testing.T) {
	t.Parallel()
	x, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	tenant := uid.New(time.Now())
	tidied := func(added, want int) {
		t.Helper()
		addSome(t, x, tenant, added, added)
		held, done, err := x.begin(tenant)
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		all, err := held.all(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before := segments(t, all[0], "fts")
		if err := x.Tidy(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		if want == 0 {
			want = before
		}
		if n := segments(t, all[0], "fts"); n != want {
			t.Errorf("%d segments of %d after Tidy, want %d", n, before, want)
		}
		if n := segments(t, all[0], "pre"); want == 1 && n != 1 {
			t.Errorf("%d segments of beginnings after Tidy, want 1", n)
		}
	}
	tidied(1000, 1)
	tidied(60, 0) // not worth while
	tidied(2000, 1)
}

// An index that an earlier version has written goes on.
func TestLayoutOneIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	dir, tenant := t.TempDir(), uid.New(time.Now())
	x, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	addSome(t, x, tenant, 0, 20)
	held, done, err := x.begin(tenant)
	if err != nil {
		t.Fatal(err)
	}
	all, err := held.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = all[0].transact(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(context.WithoutCancel(t.Context()), "ALTER TABLE state DROP COLUMN tidied; PRAGMA user_version=1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if x, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	addSome(t, x, tenant, 20, 600)
	if err := x.Tidy(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := x.IDs(t.Context(), tenant, func(uid.ID) error { n++; return nil }); err != nil || n != 620 {
		t.Errorf("%d documents, %v, want 620", n, err)
	}
}
