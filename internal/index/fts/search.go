package fts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// maxLimit bounds a page.
const maxLimit = 500

// Search implements index.Index. Messages of the same second come in the order
// in which they were added.
func (x *Index) Search(ctx context.Context, tenant uid.ID, r index.Request) (index.Result, error) {
	var res index.Result
	if r.Query == nil || r.Limit < 1 || r.Limit > maxLimit {
		return res, fmt.Errorf("index: limit must be 1 to %d", maxLimit)
	}
	at, err := decodeCursor(&r)
	if err != nil {
		return res, err
	}
	res.Exact = true
	p := compile(r.Query, r.Scope)
	if p == nil {
		return res, nil
	}
	t, done, err := x.begin(tenant)
	if err != nil {
		return res, err
	}
	defer done()
	shards, err := t.within(ctx, p, r.Oldest)
	if err != nil {
		return res, err
	}
	if err := fillPage(ctx, shards, p, &r, at, &res); err != nil {
		return index.Result{}, err
	}
	if r.CountUpTo > 0 {
		if res.Total, res.Exact, err = countAll(ctx, shards, p, r.CountUpTo); err != nil {
			return index.Result{}, err
		}
	}
	return res, nil
}

// within returns the shards that may hold matches, in the order of the result.
func (t *tenant) within(ctx context.Context, p *plan, oldest bool) ([]*shard, error) {
	all, err := t.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []*shard
	for _, s := range all {
		if p.from != nil && s.year < yearOf(time.Unix(*p.from, 0)) || p.to != nil && s.year > yearOf(time.Unix(*p.to-1, 0)) {
			continue
		}
		out = append(out, s)
	}
	if oldest {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out, nil
}

// fillPage reads shards until the page is full.
func fillPage(ctx context.Context, shards []*shard, p *plan, r *index.Request, at *cursor, res *index.Result) error {
	var last cursor
	for _, s := range shards {
		if at != nil && (!r.Oldest && s.year > at.year || r.Oldest && s.year < at.year) {
			continue
		}
		after := int64(-1)
		if at != nil && s.year == at.year {
			after = at.rowid
		}
		hits, lastRow, more, err := s.page(ctx, p, after, r.Oldest, r.Limit-len(res.Hits))
		if err != nil {
			return err
		}
		if len(hits) > 0 {
			res.Hits = append(res.Hits, hits...)
			last = cursor{s.year, lastRow}
		}
		if more {
			res.Next = last.encode(r)
			return nil
		}
	}
	return nil
}

// page returns at most limit hits after a row number, the row number of the
// last, and whether there are more.
func (s *shard) page(ctx context.Context, p *plan, after int64, oldest bool, limit int) (hits []index.Hit, last int64, more bool, err error) {
	low, high, err := s.bounds(ctx, p)
	if err != nil {
		return nil, 0, false, err
	}
	order := "DESC"
	switch {
	case oldest:
		order = "ASC"
		if after >= 0 {
			low = max(low, after+1)
		}
	case after >= 0:
		high = min(high, after-1)
	}
	q, args := p.sql("SELECT f.rowid, d.id, d.date", low, high)
	rows, err := s.read.QueryContext(ctx, q+" ORDER BY f.rowid "+order+" LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return nil, 0, false, s.wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		if len(hits) == limit {
			return hits, last, true, nil
		}
		hit, row, err := scanHit(rows)
		if err != nil {
			return nil, 0, false, s.wrap(err)
		}
		hits, last = append(hits, hit), row
	}
	return hits, last, false, s.wrap(rows.Err())
}

func scanHit(rows *sql.Rows) (hit index.Hit, row int64, err error) {
	var id []byte
	var date int64
	if err = rows.Scan(&row, &id, &date); err != nil {
		return
	}
	hit.Date = time.Unix(date, 0).UTC()
	hit.ID, err = toID(id)
	return
}

// sql returns the statement that selects the matches of p between two row
// numbers, and its arguments. The cross join keeps the order of the full-text
// index, which must be walked, not sorted.
func (p *plan) sql(selected string, low, high int64) (string, []any) {
	q := selected + " FROM " + p.table + " f CROSS JOIN doc d ON d.rowid = f.rowid WHERE f." + p.table + " MATCH ? AND f.rowid BETWEEN ? AND ?"
	args := []any{p.match, low, high}
	if p.where != "" {
		q += " AND " + p.where
		args = append(args, p.args...)
	}
	return q, args
}

// bounds returns the row numbers between which matches of p lie.
func (s *shard) bounds(ctx context.Context, p *plan) (low, high int64, err error) {
	low, high = 0, maxRowid
	if p.from != nil {
		low = lowRowid(s.year, *p.from)
	}
	if p.to != nil {
		var spill int64
		if err := s.read.QueryRowContext(ctx, "SELECT spill FROM state").Scan(&spill); err != nil {
			return 0, 0, s.wrap(err)
		}
		high = lowRowid(s.year, *p.to+spill) + slots
	}
	return low, high, nil
}

// countAll counts matches up to a bound, and says whether that is all.
func countAll(ctx context.Context, shards []*shard, p *plan, upTo int) (n int, exact bool, err error) {
	for _, s := range shards {
		k, err := s.count(ctx, p, upTo+1-n)
		if err != nil {
			return 0, false, err
		}
		if n += k; n > upTo {
			return upTo, false, nil
		}
	}
	return n, true, nil
}

func (s *shard) count(ctx context.Context, p *plan, upTo int) (n int, err error) {
	low, high, err := s.bounds(ctx, p)
	if err != nil {
		return 0, err
	}
	q, args := p.sql("SELECT 1", low, high)
	if p.where == "" { // no need to look at doc
		q = "SELECT 1 FROM " + p.table + " WHERE " + p.table + " MATCH ? AND rowid BETWEEN ? AND ?"
		args = []any{p.match, low, high}
	}
	row := s.read.QueryRowContext(ctx, "SELECT count(*) FROM ("+q+" LIMIT ?)", append(args, upTo)...)
	if err := row.Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, s.wrap(err)
	}
	return n, nil
}
