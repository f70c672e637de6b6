package catalog_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib" // to look at the schema

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/pgtest"
	"github.com/muniment/muniment/internal/uid"
)

// schemas are how to look at the schema of a database.
var schemas = map[string]struct{ columns, versions string }{
	"sqlite": {
		`SELECT m.name || '.' || p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'`,
		`SELECT version_id || ' ' || tstamp FROM schema_version ORDER BY id`,
	},
	"postgres": {
		`SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = current_schema()`,
		`SELECT version_id || ' ' || tstamp FROM schema_version ORDER BY id`,
	},
}

// onBoth runs f on a DSN of each database, with a connection to look at it,
// which connects when it is used.
func onBoth(t *testing.T, f func(t *testing.T, dsn string, db *sql.DB)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "catalog.db")
		f(t, "sqlite:"+file, openFile(t, file))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := pgtest.DSN(t)
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { close1(t, db) })
		f(t, dsn, db)
	})
}

func texts(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestOpeningAgainChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string, db *sql.DB) {
		c := open(t, dsn)
		tenant := &catalog.Tenant{ID: uid.New(time.Now()), Slug: "a", CreatedAt: time.UnixMilli(1).UTC()}
		if err := c.CreateTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		s := schemas[c.Dialect()]
		columns, versions := texts(t, db, s.columns), texts(t, db, s.versions)
		for range 2 {
			again := open(t, dsn)
			list, err := again.Tenants(t.Context())
			if diff := cmp.Diff([]*catalog.Tenant{tenant}, list); diff != "" || err != nil {
				t.Errorf("tenants: %v\n%s", err, diff)
			}
			close1(t, again)
			close1(t, again) // twice is no error
		}
		if diff := cmp.Diff(columns, texts(t, db, s.columns)) + cmp.Diff(versions, texts(t, db, s.versions)); diff != "" {
			t.Errorf("opening again changes the schema:\n%s", diff)
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string, db *sql.DB) {
		close1(t, open(t, dsn))
		insert := `INSERT INTO schema_version (version_id, is_applied) VALUES ($1, $2)`
		if _, err := db.ExecContext(t.Context(), insert, 9999, true); err != nil {
			t.Fatal(err)
		}
		c, err := catalog.Open(t.Context(), dsn, catalog.Options{})
		if !errors.Is(err, catalog.ErrNewer) || !strings.Contains(err.Error(), "9999") {
			t.Errorf("a newer schema: %v", err)
		}
		if err == nil {
			close1(t, c)
		}
	})
}

// TestOpenTogether has many open a fresh database at the same moment.
func TestOpenTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string, db *sql.DB) {
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				c, err := catalog.Open(t.Context(), dsn, catalog.Options{Readers: 2})
				if err != nil {
					t.Errorf("%d: %v", i, err)
					return
				}
				defer close1(t, c)
				if err := c.CreateTenant(t.Context(), &catalog.Tenant{ID: uid.New(time.Now()), Slug: fmt.Sprint(i)}); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		c := open(t, dsn)
		if list, err := c.Tenants(t.Context()); err != nil || len(list) != 6 {
			t.Errorf("%d tenants, %v", len(list), err)
		}
		versions := texts(t, db, `SELECT version_id || '' FROM schema_version`)
		slices.Sort(versions)
		if once := slices.Compact(slices.Clone(versions)); len(once) != len(versions) {
			t.Errorf("a migration ran twice: %v", versions)
		}
	})
}

// TestSchemasAreAlike compares tables and columns of the two databases.
func TestSchemasAreAlike(t *testing.T) {
	t.Parallel()
	found := map[string][]string{}
	for _, dsn := range []string{"sqlite:" + filepath.Join(t.TempDir(), "catalog.db"), pgtest.DSN(t)} {
		c := open(t, dsn)
		driver, source := "pgx", dsn
		if c.Dialect() == "sqlite" {
			driver, source = "sqlite", strings.TrimPrefix(dsn, "sqlite:")
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		list := texts(t, db, schemas[c.Dialect()].columns)
		close1(t, db)
		slices.Sort(list)
		found[c.Dialect()] = list
	}
	if diff := cmp.Diff(found["sqlite"], found["postgres"]); diff != "" || len(found["sqlite"]) < 50 {
		t.Errorf("the schemas differ (-sqlite +postgres):\n%s", diff)
	}
}
