package fts

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/index/text"
	"github.com/muniment/muniment/internal/uid"
)

// peopleWindow is in how many of the newest messages people are looked for.
const peopleWindow = 400

// People implements index.Index: people of the newest messages first found,
// most frequent first. Blind recipients are never suggested.
func (x *Index) People(ctx context.Context, tenant uid.ID, scope index.Scope, prefix string, n int) ([]index.Party, error) {
	tokens := text.Words(prefix, 8)
	if len(tokens) == 0 && prefix != "" {
		return nil, nil
	}
	q, err := query.Parse("", query.Env{})
	if err != nil {
		return nil, err
	}
	p := compile(q, scope)
	if p == nil {
		return nil, nil
	}
	if len(tokens) > 0 {
		p.match = "(" + p.match + " AND " + columnFilter(query.FieldWith) + phrase(tokens, true) + ")"
	}
	t, done, err := x.begin(tenant)
	if err != nil {
		return nil, err
	}
	defer done()
	shards, err := t.within(ctx, p, false)
	if err != nil {
		return nil, err
	}
	counts := map[index.Party]int{}
	left := peopleWindow
	for _, s := range shards {
		seen, err := s.people(ctx, p, left, tokens, counts)
		if err != nil {
			return nil, err
		}
		if left -= seen; left <= 0 {
			break
		}
	}
	return frequent(counts, n), nil
}

// people counts those whom tokens may mean in the newest matches.
func (s *shard) people(ctx context.Context, p *plan, limit int, tokens []string, counts map[index.Party]int) (seen int, err error) {
	q, args := p.sql("SELECT d.people", 0, maxRowid)
	rows, err := s.read.QueryContext(ctx, q+" ORDER BY f.rowid DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return 0, s.wrap(err)
	}
	defer rows.Close()
	ids := map[int64]int{}
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return 0, s.wrap(err)
		}
		seen++
		for len(b) > 0 {
			id, k := binary.Uvarint(b)
			if k <= 0 {
				return 0, s.wrap(errors.New("list of people is damaged; run: muniment reindex"))
			}
			ids[int64(id)]++
			b = b[k:]
		}
	}
	if err := rows.Err(); err != nil {
		return 0, s.wrap(err)
	}
	for id, n := range ids {
		var party index.Party
		err := s.read.QueryRowContext(ctx, "SELECT address, name FROM person WHERE id = ?", id).Scan(&party.Address, &party.Name)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return 0, s.wrap(err)
		}
		if len(tokens) == 0 || begins(party.Name, tokens) || begins(party.Address, tokens) {
			counts[party] += n
		}
	}
	return seen, nil
}

// begins reports whether tokens stand in s, the last as the beginning of a word.
func begins(s string, tokens []string) bool {
	all := text.Words(s, 64)
	for i := 0; i+len(tokens) <= len(all); i++ {
		last := len(tokens) - 1
		if slices.Equal(all[i:i+last], tokens[:last]) && strings.HasPrefix(all[i+last], tokens[last]) {
			return true
		}
	}
	return false
}

// frequent returns one party an address, the one met most.
func frequent(counts map[index.Party]int, n int) []index.Party {
	best := map[string]index.Party{}
	sum := map[string]int{}
	for p, c := range counts {
		sum[p.Address] += c
		b, ok := best[p.Address]
		if !ok || cmp.Or(c-counts[b], len(p.Name)-len(b.Name), cmp.Compare(b.Name, p.Name)) > 0 {
			best[p.Address] = p
		}
	}
	out := make([]index.Party, 0, len(best))
	for _, p := range best {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b index.Party) int {
		return cmp.Or(sum[b.Address]-sum[a.Address], cmp.Compare(a.Address, b.Address))
	})
	return out[:min(len(out), max(n, 0))]
}
