package fts

import (
	"database/sql"
	"errors"
	"maps"

	"github.com/muniment/muniment/internal/index"
)

// maxInterned bounds the people a shard remembers, about 150 bytes each.
const maxInterned = 4096

// interned are values that are stored once, by their numbers. Numbers never
// change and are never given again while the file exists.
type interned struct {
	people     map[index.Party]int64
	categories map[string]int64
}

func newInterned() interned {
	return interned{people: map[index.Party]int64{}, categories: map[string]int64{}}
}

// interned returns what the shard remembers. The result must not be changed.
func (s *shard) interned() interned {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory
}

// remember adds what a transaction has committed.
func (s *shard) remember(fresh interned) {
	if len(fresh.people)+len(fresh.categories) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := newInterned()
	if len(s.memory.people)+len(s.memory.categories) < maxInterned {
		maps.Copy(next.people, s.memory.people)
		maps.Copy(next.categories, s.memory.categories)
	}
	maps.Copy(next.people, fresh.people)
	maps.Copy(next.categories, fresh.categories)
	s.memory = next
}

// numberOf returns the number of a person.
func (w *writer) numberOf(p index.Party) (int64, error) {
	if id, ok := w.known.people[p]; ok {
		return id, nil
	}
	if id, ok := w.fresh.people[p]; ok {
		return id, nil
	}
	id, err := found(w.find.QueryRowContext(w.ctx, p.Address, p.Name), func() (sql.Result, error) {
		return w.person.ExecContext(w.ctx, p.Address, p.Name)
	})
	if err == nil {
		w.fresh.people[p] = id
	}
	return id, err
}

func (w *writer) category(name string) (int64, error) {
	if id, ok := w.known.categories[name]; ok {
		return id, nil
	}
	if id, ok := w.fresh.categories[name]; ok {
		return id, nil
	}
	id, err := found(w.tx.QueryRowContext(w.ctx, "SELECT id FROM category WHERE name = ?", name), func() (sql.Result, error) {
		return w.tx.ExecContext(w.ctx, "INSERT INTO category (name) VALUES (?)", name)
	})
	if err == nil {
		w.fresh.categories[name] = id
	}
	return id, err
}

// found returns the number in row, or that of the row that insert makes.
func found(row *sql.Row, insert func() (sql.Result, error)) (int64, error) {
	var id int64
	err := row.Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	res, err := insert()
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}
