package fts_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/fts"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// damagedShard is an index of one file that damage has changed.
func damagedShard(t *testing.T, damage func(path string)) (*fts.Index, uid.ID, string) {
	t.Helper()
	dir, tenant := t.TempDir(), uid.New(time.Now())
	x, err := fts.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var docs []index.Doc
	for i := range 400 {
		docs = append(docs, index.Doc{ID: uid.New(time.Now()), Date: time.Date(2024, 5, 1, 0, 0, i, 0, time.UTC), Subject: fmt.Sprintf("number%d common", i),
			Body: strings.Repeat(fmt.Sprintf("w%d x%d ", i, i*7), 50)})
	}
	if err := x.Add(t.Context(), tenant, docs); err != nil {
		t.Fatal(err)
	}
	if err := x.Check(t.Context(), tenant); err != nil {
		t.Fatalf("sound: %v", err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, tenant.String(), "2024.db")
	damage(path)
	if x, err = fts.Open(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x, tenant, path
}

func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	exec := func(statement string) func(string) {
		return func(path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			res, err := db.Exec(statement)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				t.Fatalf("%s changes nothing", statement)
			}
		}
	}
	for name, damage := range map[string]func(string){
		"term lost":       exec("DELETE FROM fts_data WHERE id = (SELECT max(id) FROM fts_data)"),
		"beginnings lost": exec("DELETE FROM pre_data WHERE id = (SELECT max(id) FROM pre_data)"),
		"terms changed":   exec("UPDATE fts_data SET block = zeroblob(length(block)) WHERE id = (SELECT max(id) FROM fts_data)"),
		"page": func(path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for at := 4096 * 3; at < len(b); at += 4096 {
				copy(b[at:min(at+200, len(b))], make([]byte, 200))
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"no database": func(path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("this is no database ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, tenant, path := damagedShard(t, damage)
			err := x.Check(t.Context(), tenant)
			if !errors.Is(err, index.ErrDamaged) || !strings.Contains(err.Error(), path) {
				t.Errorf("check says %v", err)
			}
			if err := x.Drop(t.Context(), tenant); err != nil {
				t.Errorf("drop: %v", err)
			}
			if err := x.Check(t.Context(), tenant); err != nil {
				t.Errorf("after drop: %v", err)
			}
		})
	}
}

// A search that meets damage says so, instead of finding less.
func TestSearchMeetsDamage(t *testing.T) {
	t.Parallel()
	x, tenant, path := damagedShard(t, func(path string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := 4096; at < len(b); at += 4096 {
			copy(b[at:min(at+200, len(b))], make([]byte, 200))
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	q, err := query.Parse("common", query.Env{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Search(t.Context(), tenant, index.Request{Query: q, Scope: index.Scope{All: true}, Limit: 10})
	if !errors.Is(err, index.ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("search says %v", err)
	}
}
