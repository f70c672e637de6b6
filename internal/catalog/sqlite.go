package catalog

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteReaders is the default size of the pool of readers.
const sqliteReaders = 4

// patience is how long a connection waits for others.
const patience = "busy_timeout = 30000"

// pragmas returns what every connection runs when it opens, in this order.
func pragmas(reader bool) []string {
	list := []string{
		patience,             // first: the others may meet another process's lock
		"page_size = 8192",   // of a new database: a message's row and its neighbours fit on a page
		"journal_mode = WAL", // readers and the writer do not wait for each other
		"synchronous = FULL", // an acknowledged message has been synced, not only its page cache
		"foreign_keys = ON",
		"cell_size_check = ON",          // damaged pages are errors, not nonsense
		"cache_size = -16384",           // 16 MiB a connection
		"mmap_size = 268435456",         // reads of the first 256 MiB without copying
		"temp_store = MEMORY",           // no temporary files outside the data directory
		"journal_size_limit = 67108864", // the WAL file shrinks again after a rush
		"wal_autocheckpoint = 1000",
		"trusted_schema = OFF",
		"secure_delete = ON", // what is deleted is overwritten: rows are few that ever are
	}
	if reader {
		list = append(list, "query_only = ON")
	}
	return list
}

func (c *Catalog) openSQLite(ctx context.Context, path string, readers int) error {
	if path == "" {
		return fmt.Errorf("%w: no file named", ErrInvalid)
	}
	if readers <= 0 {
		readers = sqliteReaders
	}
	if err := isDatabase(path); err != nil {
		return err
	}
	c.dialect = dialect{name: "sqlite", taken: sqliteTaken, retry: sqliteRetry, integrity: sqliteIntegrity}
	file := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path)}).String()
	writer, err := openSQLitePool(file+"?_txlock=immediate", false, 1)
	if err != nil {
		return err
	}
	c.write = writer
	// The writer goes first: it creates the file and switches it to WAL.
	if err := c.write.PingContext(ctx); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	c.read, err = openSQLitePool(file, true, readers)
	return err
}

// isDatabase refuses a file that is none, before SQLite, which takes a file of
// a few bytes for an empty one, writes to it. A file that is empty or missing
// becomes a database.
func isDatabase(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() // nothing was written
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	n, err := io.ReadFull(f, head)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case string(head[:n]) != magic:
		return fmt.Errorf("%w: %s is not a database", ErrInvalid, path)
	}
	return nil
}

func openSQLitePool(dsn string, reader bool, size int) (*bun.DB, error) {
	base, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(&sqliteConnector{Connector: base, pragmas: pragmas(reader)})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return bun.NewDB(db, sqlitedialect.New(), bun.WithDiscardUnknownColumns()), nil
}

// sqliteConnector sets connections up. The driver's own way would run the
// pragmas in alphabetical order, and page_size after journal_mode has no effect.
type sqliteConnector struct {
	driver.Connector
	pragmas []string
}

// Connect implements driver.Connector.
func (s *sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("driver cannot execute statements"), conn.Close())
	}
	for _, p := range s.pragmas {
		if err := setPragma(ctx, execer, p); err != nil {
			return nil, errors.Join(fmt.Errorf("pragma %s: %w", p, err), conn.Close())
		}
	}
	return conn, nil
}

// setPragma tries for a while where another process is about to switch a new
// file to WAL: SQLite does not wait for that, whatever busy_timeout says.
func setPragma(ctx context.Context, conn driver.ExecerContext, pragma string) error {
	const attempts, pause = 500, 20 * time.Millisecond
	for n := 1; ; n++ {
		_, err := conn.ExecContext(ctx, "PRAGMA "+pragma, nil)
		if err == nil || !sqliteRetry(err) || n == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return sqlite3.SQLITE_OK
}

func sqliteTaken(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY ||
		code == sqlite3.SQLITE_CONSTRAINT_ROWID
}

// sqliteRetry is for another process that held the lock longer than
// busy_timeout; within this process writers queue for the one connection.
func sqliteRetry(err error) bool { return sqliteCode(err)&0xff == sqlite3.SQLITE_BUSY }

func sqliteIntegrity(ctx context.Context, c *Catalog, report func(error)) error {
	rows, err := c.read.QueryContext(ctx, "PRAGMA integrity_check(1000)")
	if err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("integrity check: %w", err)
		}
		if line != "ok" {
			report(fmt.Errorf("database file: %s", line))
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	return nil
}
