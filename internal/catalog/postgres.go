package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// postgresPool is the default number of connections.
const postgresPool = 16

// SQLSTATEs (PostgreSQL, appendix A).
const (
	pgUniqueViolation      = "23505"
	pgSerializationFailure = "40001"
	pgDeadlockDetected     = "40P01"
	pgLockNotAvailable     = "55P03"
)

func (c *Catalog) openPostgres(ctx context.Context, dsn string, size int) error {
	if size <= 0 {
		size = postgresPool
	}
	c.dialect = dialect{name: "postgres", rowLocks: true, taken: postgresTaken, retry: postgresRetry, integrity: postgresIntegrity,
		snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}}
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err // pgx leaves the password out
	}
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	cfg.RuntimeParams["standard_conforming_strings"] = "on"
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "muniment"
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(postgresDurable))
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	c.write = bun.NewDB(db, pgdialect.New(), bun.WithDiscardUnknownColumns())
	c.read = c.write
	return c.postgresSettings(ctx)
}

// postgresDurable makes COMMIT wait for the disk where the server's default
// is not to. A stronger setting, which waits for stand-bys, stays.
func postgresDurable(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

func (c *Catalog) postgresSettings(ctx context.Context) error {
	var encoding, fsync string
	row := c.write.QueryRowContext(ctx, `SELECT current_setting('server_encoding'), current_setting('fsync')`)
	if err := row.Scan(&encoding, &fsync); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%w: the database is encoded in %s, want UTF8", ErrInvalid, encoding)
	}
	if fsync != "on" {
		c.log.WarnContext(ctx, "PostgreSQL runs with fsync off: acknowledged messages may be lost with the server")
	}
	return nil
}

func postgresState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func postgresTaken(err error) bool { return postgresState(err) == pgUniqueViolation }

func postgresRetry(err error) bool {
	switch postgresState(err) {
	case pgSerializationFailure, pgDeadlockDetected, pgLockNotAvailable:
		return true
	}
	return false
}

// postgresIntegrity runs amcheck on our indexes if the extension is installed.
func postgresIntegrity(ctx context.Context, c *Catalog, report func(error)) error {
	var installed bool
	if err := c.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'amcheck')`).Scan(&installed); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	if !installed {
		c.log.InfoContext(ctx, "the extension amcheck is not installed: indexes are not checked by the database itself")
		return nil
	}
	var names []string
	err := c.read.NewRaw(`SELECT quote_ident(n.nspname) || '.' || quote_ident(i.relname)
		FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
		JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_am a ON a.oid = i.relam
		WHERE a.amname = 'btree' AND t.relkind = 'r' AND n.nspname = current_schema() ORDER BY 1`).Scan(ctx, &names)
	if err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	for _, name := range names {
		if _, err := c.read.ExecContext(ctx, `SELECT bt_index_check(?::regclass, true)`, name); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("integrity check: %w", err)
			}
			report(fmt.Errorf("index %s: %w", name, err))
		}
	}
	return nil
}
