package catalog

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date. On PostgreSQL an advisory lock keeps
// several nodes from doing so at the same time; on SQLite the slower process
// fails and looks again.
func (c *Catalog) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/"+c.dialect.name)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	options := []goose.ProviderOption{goose.WithTableName("schema_version"), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger())}
	dialect := goose.DialectSQLite3
	if c.dialect.rowLocks {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // asks every second, for 5 minutes
		if err != nil {
			return fmt.Errorf("migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, c.write.DB, files, options...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return migrateWith(ctx, p)
}

func migrateWith(ctx context.Context, p *goose.Provider) error {
	var failed error
	for before := int64(-1); ; {
		current, newest, err := p.GetVersions(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("schema version: %w", err)
		case current > newest:
			return fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, current, newest)
		case current == newest:
			return nil
		case failed != nil && current == before: // and nobody else got further
			return fmt.Errorf("migrations: %w", failed)
		}
		before = current
		_, failed = p.Up(ctx)
	}
}
