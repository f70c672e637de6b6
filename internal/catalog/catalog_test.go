package catalog_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/catalog/catalogtest"
	"github.com/muniment/muniment/internal/pgtest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(t *testing.T) catalogtest.Database {
		file := filepath.Join(t.TempDir(), "catalog.db")
		c := open(t, "sqlite:"+file)
		return catalogtest.Database{Catalog: c, SQL: openFile(t, file)}
	})
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(t *testing.T) catalogtest.Database {
		dsn := pgtest.DSN(t)
		cfg, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		cfg.RuntimeParams["session_replication_role"] = "replica" // no references are enforced
		db := stdlib.OpenDB(*cfg)
		t.Cleanup(func() { close1(t, db) })
		return catalogtest.Database{Catalog: open(t, dsn), SQL: db}
	})
}

func open(t *testing.T, dsn string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Open(t.Context(), dsn, catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close1(t, c) })
	return c
}

// openFile opens a database file as it is, whatever a catalog would ask for.
func openFile(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close1(t, db) })
	return db
}

func close1(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
