package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// Options of Open. The zero value is good.
type Options struct {
	Log     *slog.Logger // default: discards
	Readers int          // connections for reading; default: 4 (SQLite), 16 in all (PostgreSQL)
}

// Catalog is an open database.
type Catalog struct {
	// On SQLite, write is one connection whose transactions begin by taking the
	// write lock, and read is a pool that cannot write. On PostgreSQL they are
	// the same pool.
	write, read *bun.DB
	dialect     dialect
	inserts     inserts
	log         *slog.Logger
}

// dialect is what differs between the two databases.
type dialect struct {
	name     string
	rowLocks bool             // SELECT … FOR UPDATE exists and is needed
	taken    func(error) bool // a unique constraint was violated
	retry    func(error) bool // the transaction lost against another one: run it again
	// snapshot has all reads of a transaction see one moment.
	snapshot *sql.TxOptions
	// integrity runs the database's own check.
	integrity func(ctx context.Context, c *Catalog, report func(error)) error
}

// Open connects to the database dsn names and brings its schema up to date.
//
//	sqlite:/path/catalog.db       the file is created, its directory is not
//	postgres://user@host/name     the database exists and is encoded in UTF-8
//
// ErrNewer if the schema is newer than this program. A second process may open
// the same database.
func Open(ctx context.Context, dsn string, opts Options) (*Catalog, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	c := &Catalog{log: opts.Log}
	var err error
	switch scheme, rest, _ := strings.Cut(dsn, ":"); scheme {
	case "sqlite":
		err = c.openSQLite(ctx, rest, opts.Readers)
	case "postgres", "postgresql":
		err = c.openPostgres(ctx, dsn, opts.Readers)
	default:
		return nil, fmt.Errorf("open catalog: %w: want sqlite:/path or postgres://…", ErrInvalid)
	}
	if err == nil {
		err = c.migrate(ctx)
	}
	if err == nil {
		err = c.prepareInserts(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open catalog: %w", err), c.Close())
	}
	return c, nil
}

// Close waits for running statements and closes the connections. Closing twice
// is no error.
func (c *Catalog) Close() error {
	var errs []error
	for _, db := range []*bun.DB{c.read, c.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Dialect is "sqlite" or "postgres".
func (c *Catalog) Dialect() string { return c.dialect.name }

// Ping reports whether the database answers.
func (c *Catalog) Ping(ctx context.Context) error {
	var one int
	if err := c.read.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("catalog does not answer: %w", err)
	}
	return nil
}

// attempts bounds how often a transaction is run that others got in the way of.
const attempts = 8

// transact runs do in a transaction and commits it. do may run several times
// and must not change anything outside the transaction until transact returns.
func (c *Catalog) transact(ctx context.Context, do func(ctx context.Context, tx bun.Tx) error) error {
	for n := 1; ; n++ {
		err := c.write.RunInTx(ctx, nil, do)
		if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			// The drivers do not always tell that they gave up because of it.
			return fmt.Errorf("%w (%w)", ctx.Err(), err)
		}
		if err == nil || n == attempts || !c.dialect.retry(err) {
			return err
		}
		pause := time.NewTimer(rand.N(time.Duration(n) * 20 * time.Millisecond))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("%w (after %w)", ctx.Err(), err)
		}
	}
}

// snapshot runs do in a transaction that reads, and in which all reads see one
// moment: what stands in two tables fits together.
func (c *Catalog) snapshot(ctx context.Context, do func(ctx context.Context, tx bun.Tx) error) error {
	return c.read.RunInTx(ctx, c.dialect.snapshot, do)
}

// wrap gives err its context and the errors of this package their names.
func (c *Catalog) wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case c.dialect.taken(err):
		return fmt.Errorf("%s: %w (%w)", what, ErrTaken, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// changed turns the outcome of an UPDATE that must hit one row into an error.
func changed(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("count changed rows: %w", err)
	}
	if n == 0 {
		return sql.ErrNoRows
	}
	return nil
}
