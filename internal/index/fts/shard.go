package fts

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"modernc.org/sqlite"

	"github.com/muniment/muniment/internal/index"
)

// suffix ends the names of the files.
const suffix = ".db"

// version is the layout of the files. A file of another version is brought up to
// date where that is quick, and refused otherwise: the index is derived data and
// is made again.
const version = 3

// readers is the number of searches that read one file at the same time.
const readers = 4

// idle is how long a connection stays open without use; an installation may
// have thousands of files.
const idle = 2 * time.Minute

// schema: doc holds what lists, facets and filters need; fts holds the terms,
// no text (content=”). state.spill is how many seconds a row number may lie after
// its date, state.tidied how many documents there were at the last Tidy. Tokens
// come ready-made, so the tokenizer only splits; the underscore begins terms that
// are not words.
const schema = `
CREATE TABLE person (id INTEGER PRIMARY KEY, address TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (address, name)) STRICT;
CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE doc (
	rowid INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, date INTEGER NOT NULL, size INTEGER NOT NULL,
	files INTEGER NOT NULL, category INTEGER NOT NULL, sender INTEGER NOT NULL, people BLOB NOT NULL) STRICT;
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), spill INTEGER NOT NULL, tidied INTEGER NOT NULL) STRICT;
INSERT INTO state VALUES (1, 0, 0);
CREATE VIRTUAL TABLE fts USING fts5(subject, body, file, attach, sender, rcpt, cc, meta,
	content='', contentless_delete=1, tokenize="ascii tokenchars '_'");
CREATE VIRTUAL TABLE pre USING fts5(word, content='', contentless_delete=1, detail=none, tokenize="ascii tokenchars '_'");
INSERT INTO fts (fts, rank) VALUES ('hashsize', 16777216);
INSERT INTO pre (pre, rank) VALUES ('hashsize', 16777216);
` + lateMerging

// lateMerging lets twice as many segments gather as FTS5 does by itself before
// it merges them while documents are added; Tidy merges all.
const lateMerging = `
INSERT INTO fts (fts, rank) VALUES ('automerge', 8);
INSERT INTO pre (pre, rank) VALUES ('automerge', 8);
`

// shard is one open file. Writers take turns; readers do not wait for them.
type shard struct {
	year  int
	path  string
	write *sql.DB
	read  *sql.DB

	mu     sync.Mutex
	memory interned // replaced, never changed
}

func openShard(ctx context.Context, path string, year int) (*shard, error) {
	s := &shard{year: year, path: path}
	var err error
	if s.write, err = openPool(path, "?_txlock=immediate", writerPragmas, 1); err != nil {
		return nil, s.wrap(err)
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(s.wrap(err), s.write.Close())
	}
	if s.read, err = openPool(path, "", readerPragmas, readers); err != nil {
		return nil, errors.Join(s.wrap(err), s.write.Close())
	}
	return s, nil
}

// The first pragma must be the busy time-out: the others may meet the lock of
// another process. synchronous=FULL, because what Add returned for counts as
// indexed for ever. secure_delete=FAST, because Erase must leave nothing in pages that
// are in use; the free ones it overwrites itself.
const (
	patience      = "PRAGMA busy_timeout=30000"
	shortPatience = "PRAGMA busy_timeout=1000"
	writerPragmas = patience + "; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8192;" +
		"PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=4194304; PRAGMA wal_autocheckpoint=1000; PRAGMA secure_delete=FAST"
	readerPragmas = patience + "; PRAGMA query_only=ON; PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY"
)

func openPool(path, params, pragmas string, size int) (*sql.DB, error) {
	file := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path)}).String()
	c, err := sqlite.NewConnector(file + params)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(&connector{Connector: c, pragmas: pragmas})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxIdleTime(idle)
	return db, nil
}

// connector runs pragmas, in their order, on every new connection.
type connector struct {
	driver.Connector
	pragmas string
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	x, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("driver cannot execute statements"), conn.Close())
	}
	if _, err := x.ExecContext(ctx, c.pragmas, nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// prepare makes the tables of a new file and checks the version of an old one.
func (s *shard) prepare(ctx context.Context) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		var v int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v); err != nil {
			return err
		}
		change := schema
		switch v {
		case version:
			return nil
		case 0:
		case 1:
			change = "ALTER TABLE state ADD COLUMN tidied INTEGER NOT NULL DEFAULT 0;" + lateMerging
		case 2:
			change = lateMerging
		default:
			return fmt.Errorf("layout %d is not the layout %d of this program; run: muniment reindex", v, version)
		}
		if _, err := tx.ExecContext(ctx, change); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version=%d", version))
		return err
	})
}

// transact runs fn in a transaction that holds the write lock from its start.
func (s *shard) transact(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// shrink gives the pages back that the writer has in memory. Mail of forty years
// is written to forty shards.
func (s *shard) shrink(ctx context.Context) error {
	_, err := s.write.ExecContext(ctx, "PRAGMA shrink_memory")
	return err
}

// ignoreDone forgives the rollback of a transaction that its context ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func (s *shard) wrap(err error) error {
	if err == nil {
		return nil
	}
	if isDamage(err) {
		return fmt.Errorf("index %s: %w; muniment reindex builds it anew: %w", s.path, index.ErrDamaged, err)
	}
	return fmt.Errorf("index %s: %w", s.path, err)
}

func (s *shard) close() error { return s.wrap(errors.Join(s.read.Close(), s.write.Close())) }
