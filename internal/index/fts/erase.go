package fts

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/uid"
)

// FTS5 only notes that a document is deleted: its terms stay where they are until the
// segments that hold them are merged. So Erase merges all segments of a file into one,
// forgets people whom no document names any more, overwrites the pages that are free,
// and empties the log written ahead. A table that is there meanwhile has an Erase that
// was interrupted begin where it was.

// scrubChunk is how many free pages one step overwrites.
const scrubChunk = 2048

// Erase implements index.Index.
func (x *Index) Erase(ctx context.Context, tenant uid.ID, ids []uid.ID) error {
	t, done, err := x.begin(tenant)
	if err != nil {
		return err
	}
	defer done()
	all, err := t.all(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := s.erase(ctx, ids); err != nil {
			return s.wrap(err)
		}
	}
	return nil
}

func (s *shard) erase(ctx context.Context, ids []uid.ID) error {
	under, err := s.erasing(ctx)
	if err != nil {
		return err
	}
	known, err := s.known(ctx, ids)
	if err != nil || len(known) == 0 && !under {
		return err
	}
	if err := s.transact(ctx, func(tx *sql.Tx) error { return s.bury(ctx, tx, known) }); err != nil {
		return err
	}
	for _, table := range []string{"fts", "pre"} {
		if err := s.merge(ctx, table); err != nil {
			return err
		}
	}
	if err := s.scrub(ctx); err != nil {
		return err
	}
	if err := s.emptyLog(ctx); err != nil {
		return err
	}
	// Only now, so that whoever is refused begins again; it writes nothing but zeros.
	_, err = s.write.ExecContext(ctx, "DROP TABLE IF EXISTS erasing")
	return err
}

// emptyLog takes the log written ahead into the file and empties it. It waits for searches
// that read it, but not long, for nobody can write meanwhile.
func (s *shard) emptyLog(ctx context.Context) (err error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, shortPatience); err != nil {
		return err
	}
	defer func() {
		_, back := conn.ExecContext(context.WithoutCancel(ctx), patience)
		err = errors.Join(err, back)
	}()
	var busy, logged, moved int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("a search that does not end keeps the log written ahead")
	}
	return nil
}

// erasing reports whether an Erase was interrupted.
func (s *shard) erasing(ctx context.Context) (bool, error) {
	var n int
	err := s.write.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'erasing'").Scan(&n)
	return n > 0, err
}

// bury forgets documents, and the people whom only they name.
func (s *shard) bury(ctx context.Context, tx *sql.Tx, ids []uid.ID) error {
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS erasing (b BLOB) STRICT"); err != nil {
		return err
	}
	for _, id := range ids {
		var rowid int64
		err := tx.QueryRowContext(ctx, "SELECT rowid FROM doc WHERE id = ?", id[:]).Scan(&rowid)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err == nil {
			err = forget(ctx, tx, rowid)
		}
		if err != nil {
			return err
		}
	}
	named, err := namedPeople(ctx, tx)
	if err != nil {
		return err
	}
	unnamed, err := unnamedPeople(ctx, tx, named)
	if err != nil {
		return err
	}
	for _, id := range unnamed {
		if _, err := tx.ExecContext(ctx, "DELETE FROM person WHERE id = ?", id); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM category WHERE id NOT IN (SELECT category FROM doc)"); err != nil {
		return err
	}
	s.mu.Lock() // whoever writes next looks them up again
	defer s.mu.Unlock()
	s.memory = newInterned()
	return nil
}

// namedPeople are the numbers of people whom documents name.
func namedPeople(ctx context.Context, tx *sql.Tx) (map[int64]bool, error) {
	rows, err := tx.QueryContext(ctx, "SELECT sender, people FROM doc")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	named := map[int64]bool{}
	for rows.Next() {
		var sender int64
		var b []byte
		if err := rows.Scan(&sender, &b); err != nil {
			return nil, err
		}
		named[sender] = true
		for len(b) > 0 {
			id, k := binary.Uvarint(b)
			if k <= 0 {
				return nil, errors.New("list of people is damaged; run: muniment reindex")
			}
			named[int64(id)] = true
			b = b[k:]
		}
	}
	return named, rows.Err()
}

func unnamedPeople(ctx context.Context, tx *sql.Tx, named map[int64]bool) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id FROM person")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		if !named[id] {
			out = append(out, id)
		}
	}
	return out, rows.Err()
}

// scrub overwrites the pages that are free: what is put into a table takes them, and
// leaves nothing but zeros when it goes.
func (s *shard) scrub(ctx context.Context) error {
	for {
		var free, size int64
		if err := s.write.QueryRowContext(ctx, "SELECT (SELECT freelist_count FROM pragma_freelist_count), (SELECT page_size FROM pragma_page_size)").Scan(&free, &size); err != nil {
			return err
		}
		if free == 0 {
			return nil
		}
		_, err := s.write.ExecContext(ctx, fmt.Sprintf("INSERT INTO erasing (b) VALUES (zeroblob(%d))", min(free, scrubChunk)*size))
		if err != nil {
			return err
		}
	}
}
