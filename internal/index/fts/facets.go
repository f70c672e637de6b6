package fts

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

const (
	// facetWindow is how many of the newest matches are looked at for senders,
	// categories and attachments.
	facetWindow = 10_000
	// yearWindow is up to how many matches are counted for each year.
	yearWindow = 100_000
)

// tally counts values.
type tally map[string]int

// Facets implements index.Index. Years are counted over all matches, the rest
// over the newest facetWindow.
func (x *Index) Facets(ctx context.Context, tenant uid.ID, r index.Request, n int) (index.Facets, error) {
	f := index.Facets{Exact: true}
	p := compile(r.Query, r.Scope)
	if p == nil {
		return f, nil
	}
	t, done, err := x.begin(tenant)
	if err != nil {
		return f, err
	}
	defer done()
	shards, err := t.within(ctx, p, false)
	if err != nil {
		return f, err
	}
	senders, categories, attached := map[index.Party]int{}, tally{}, tally{}
	left := facetWindow
	for _, s := range shards {
		count, err := s.count(ctx, p, yearWindow)
		if err != nil {
			return f, err
		}
		if count == 0 {
			continue
		}
		f.Years = append(f.Years, index.Bucket{Value: strconv.Itoa(s.year), Count: count})
		f.Exact = f.Exact && count <= left && count < yearWindow
		if left > 0 {
			if err := s.tally(ctx, p, min(left, count), senders, categories, attached); err != nil {
				return f, err
			}
			left -= min(left, count)
		}
	}
	f.Senders = senderBuckets(senders, n)
	f.Categories = categories.buckets(len(categories))
	f.HasAttachment = attached.buckets(2)
	return f, nil
}

// tally counts the newest matches of a shard.
func (s *shard) tally(ctx context.Context, p *plan, limit int, senders map[index.Party]int, categories, attached tally) error {
	low, high, err := s.bounds(ctx, p)
	if err != nil {
		return err
	}
	q, args := p.sql("SELECT d.sender AS sender, d.category AS category, d.files > 0 AS attached", low, high)
	rows, err := s.read.QueryContext(ctx, `WITH hit AS MATERIALIZED (`+q+` ORDER BY f.rowid DESC LIMIT ?)
		SELECT 0, coalesce(p.address, ''), coalesce(p.name, ''), n FROM (SELECT sender, count(*) AS n FROM hit GROUP BY sender) LEFT JOIN person p ON p.id = sender
		UNION ALL SELECT 1, c.name, '', n FROM (SELECT category, count(*) AS n FROM hit GROUP BY category) JOIN category c ON c.id = category
		UNION ALL SELECT 2, CASE attached WHEN 1 THEN 'yes' ELSE 'no' END, '', count(*) FROM hit GROUP BY attached`,
		append(args, limit)...)
	if err != nil {
		return s.wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		var which, n int
		var value, name string
		if err := rows.Scan(&which, &value, &name, &n); err != nil {
			return s.wrap(err)
		}
		switch {
		case which == 2:
			attached[value] += n
		case value == "":
		case which == 1:
			categories[value] += n
		default:
			senders[index.Party{Address: value, Name: name}] += n
		}
	}
	return s.wrap(rows.Err())
}

// buckets returns the n most frequent values.
func (t tally) buckets(n int) []index.Bucket {
	out := make([]index.Bucket, 0, len(t))
	for v, c := range t {
		out = append(out, index.Bucket{Value: v, Count: c})
	}
	slices.SortFunc(out, func(a, b index.Bucket) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), max(n, 0))]
}

// senderBuckets returns the n most frequent addresses, each with the name that it
// has most.
func senderBuckets(counts map[index.Party]int, n int) []index.Bucket {
	sums, names := tally{}, map[string]index.Party{}
	for p, c := range counts {
		sums[p.Address] += c
		best, ok := names[p.Address]
		if p.Name != "" && (!ok || cmp.Or(c-counts[best], cmp.Compare(best.Name, p.Name)) > 0) {
			names[p.Address] = p
		}
	}
	out := sums.buckets(n)
	for i, b := range out {
		out[i].Label = names[b.Value].Name
	}
	return out
}
