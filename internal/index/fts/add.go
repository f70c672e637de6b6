package fts

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/text"
	"github.com/muniment/muniment/internal/uid"
)

const (
	parallelShards = 2  // shards that one call of Add writes at the same time
	maxPeople      = 64 // people of a document that are kept for suggestions
)

// Add implements index.Index.
func (x *Index) Add(ctx context.Context, tenant uid.ID, docs []index.Doc) error {
	if len(docs) == 0 {
		return nil
	}
	t, done, err := x.begin(tenant)
	if err != nil {
		return err
	}
	defer done()
	byYear := map[int][]*index.Doc{}
	for _, d := range lastOfEach(docs) {
		y := yearOf(d.Date)
		byYear[y] = append(byYear[y], d)
	}
	if err := t.removeElsewhere(ctx, byYear); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelShards)
	for year, list := range byYear {
		g.Go(func() error {
			s, err := t.shard(ctx, year, true)
			if err != nil {
				return err
			}
			var fresh interned
			err = s.transact(ctx, func(tx *sql.Tx) (err error) {
				fresh, err = s.add(ctx, tx, list)
				return err
			})
			if err != nil {
				return s.wrap(err)
			}
			s.remember(fresh)
			return s.wrap(s.shrink(ctx))
		})
	}
	return g.Wait()
}

// lastOfEach drops documents that a later one of the same ID replaces.
func lastOfEach(docs []index.Doc) []*index.Doc {
	at := make(map[uid.ID]int, len(docs))
	out := make([]*index.Doc, 0, len(docs))
	for i := range docs {
		d := &docs[i]
		if j, ok := at[d.ID]; ok {
			out[j] = d
			continue
		}
		at[d.ID] = len(out)
		out = append(out, d)
	}
	return out
}

// removeElsewhere removes old copies of documents whose date moved to another
// year. IDs ascend with time, so new documents cost one look-up a shard.
func (t *tenant) removeElsewhere(ctx context.Context, byYear map[int][]*index.Doc) error {
	all, err := t.all(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		var ids []uid.ID
		for y, list := range byYear {
			for _, d := range list {
				if y != s.year {
					ids = append(ids, d.ID)
				}
			}
		}
		if err := s.remove(ctx, ids); err != nil {
			return err
		}
	}
	return nil
}

// slot is a document with its row number.
type slot struct {
	doc   *index.Doc
	rowid int64
	known bool // an older version has this row number
}

// add writes docs. All rows of ordinary tables come before all terms: FTS5
// writes its buffer to disk whenever another table's statement needs a savepoint.
func (s *shard) add(ctx context.Context, tx *sql.Tx, docs []*index.Doc) (interned, error) {
	w := &writer{ctx: ctx, tx: tx, known: s.interned(), fresh: newInterned()}
	defer w.close()
	if err := w.prepare(); err != nil {
		return w.fresh, err
	}
	list, err := w.assign(s.year, docs)
	if err != nil {
		return w.fresh, err
	}
	for _, sl := range list {
		if err := w.putDoc(sl); err != nil {
			return w.fresh, err
		}
	}
	for _, sl := range list {
		if err := w.putTerms(sl); err != nil {
			return w.fresh, err
		}
	}
	return w.fresh, nil
}

// assign gives every document its row number, and returns them in its order:
// FTS5 writes its buffer whenever numbers do not ascend.
func (w *writer) assign(year int, docs []*index.Doc) ([]slot, error) {
	newest, err := newestID(w.ctx, w.tx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(docs, func(a, b *index.Doc) int {
		if c := a.Date.Unix() - b.Date.Unix(); c != 0 {
			return int(c)
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	list := make([]slot, 0, len(docs))
	last, spill := int64(0), int64(0)
	for _, d := range docs {
		if bytes.Compare(d.ID[:], newest) <= 0 {
			rowid, same, err := old(w.ctx, w.tx, d)
			if err != nil {
				return nil, err
			}
			if same {
				list = append(list, slot{d, rowid, true})
				continue
			}
		}
		low := lowRowid(year, d.Date.Unix())
		if last, err = w.free(max(low, last+1)); err != nil {
			return nil, err
		}
		spill = max(spill, (last-low)>>slotBits)
		list = append(list, slot{d, last, false})
	}
	slices.SortFunc(list, func(a, b slot) int { return int(a.rowid - b.rowid) })
	if spill > 0 {
		_, err = w.tx.ExecContext(w.ctx, "UPDATE state SET spill = max(spill, ?)", spill)
	}
	return list, err
}

func newestID(ctx context.Context, tx *sql.Tx) ([]byte, error) {
	var id []byte
	err := tx.QueryRowContext(ctx, "SELECT max(id) FROM doc").Scan(&id)
	return id, err
}

// old finds an older version of d. One that bears another date is removed.
func old(ctx context.Context, tx *sql.Tx, d *index.Doc) (rowid int64, same bool, err error) {
	var date int64
	err = tx.QueryRowContext(ctx, "SELECT rowid, date FROM doc WHERE id = ?", d.ID[:]).Scan(&rowid, &date)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil || date == d.Date.Unix() {
		return rowid, err == nil, err
	}
	return 0, false, forget(ctx, tx, rowid)
}

// forget removes one document.
func forget(ctx context.Context, tx *sql.Tx, rowid int64) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM fts WHERE rowid = ?", rowid); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM pre WHERE rowid = ?", rowid); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM doc WHERE rowid = ?", rowid)
	return err
}

// free returns the first free row number from r on.
func (w *writer) free(r int64) (int64, error) {
	rows, err := w.taken.QueryContext(w.ctx, r)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var taken int64
		if err := rows.Scan(&taken); err != nil {
			return 0, err
		}
		if taken != r {
			break
		}
		r++
	}
	return r, rows.Err()
}

// writer holds the statements and the memory of one transaction.
type writer struct {
	ctx          context.Context
	tx           *sql.Tx
	taken        *sql.Stmt // row numbers
	find, person *sql.Stmt // people
	doc          *sql.Stmt
	fts, pre     *sql.Stmt
	scanner      text.Scanner
	terms        columns
	prefixes     prefixes
	known, fresh interned // before this transaction, and of it
}

// statements lists the statements with their texts.
func (w *writer) statements() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&w.taken:  "SELECT rowid FROM doc WHERE rowid >= ? ORDER BY rowid",
		&w.find:   "SELECT id FROM person WHERE address = ? AND name = ?",
		&w.person: "INSERT INTO person (address, name) VALUES (?, ?)",
		&w.doc:    "INSERT INTO doc (rowid, id, date, size, files, category, sender, people) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		&w.fts:    "INSERT INTO fts (rowid, subject, body, file, attach, sender, rcpt, cc, meta) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		&w.pre:    "INSERT INTO pre (rowid, word) VALUES (?, ?)",
	}
}

func (w *writer) prepare() error {
	for s, text := range w.statements() {
		made, err := w.tx.PrepareContext(w.ctx, text) //nolint:sqlclosecheck // close does it
		if err != nil {
			return err
		}
		*s = made
	}
	return nil
}

func (w *writer) close() {
	for s := range w.statements() {
		if *s != nil {
			(*s).Close() //nolint:errcheck // nothing depends on it: the transaction decides
		}
	}
}

func (w *writer) putDoc(sl slot) error {
	d := sl.doc
	if sl.known {
		if err := forget(w.ctx, w.tx, sl.rowid); err != nil {
			return err
		}
	}
	sender, people, err := w.peopleOf(d)
	if err != nil {
		return err
	}
	category, err := w.category(d.Category)
	if err != nil {
		return err
	}
	files := len(d.Files)
	if d.Document { // it is the file, it has none
		files = 0
	}
	_, err = w.doc.ExecContext(w.ctx, sl.rowid, d.ID[:], d.Date.Unix(), d.Size, files, category, sender, people)
	return err
}

func (w *writer) putTerms(sl slot) error {
	c := &w.terms
	c.fill(sl.doc, &w.scanner)
	_, err := w.fts.ExecContext(w.ctx, sl.rowid, string(c.subject), string(c.body), string(c.file), string(c.attach),
		string(c.sender), string(c.rcpt), string(c.cc), string(c.meta))
	if err != nil {
		return err
	}
	_, err = w.pre.ExecContext(w.ctx, sl.rowid, w.prefixes.fill(c, sl.doc))
	return err
}

// peopleOf returns the number of the sender, 0 for none, and of everybody who is
// no blind recipient, as varints.
func (w *writer) peopleOf(d *index.Doc) (sender int64, people []byte, err error) {
	n := 0
	people = []byte{}
	for _, ps := range [][]index.Party{d.From, d.To, d.Cc} {
		for _, p := range ps {
			if n++; n > maxPeople {
				break
			}
			id, err := w.numberOf(p)
			if err != nil {
				return 0, nil, err
			}
			people = binary.AppendUvarint(people, uint64(id))
		}
	}
	if len(d.From) > 0 {
		sender, err = w.numberOf(d.From[0])
	}
	return sender, people, err
}
