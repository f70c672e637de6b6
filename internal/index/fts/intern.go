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

func (w *writer) person(p index.Party) (int64, error) {
	if id, ok := w.known.people[p]; ok {
		return id, nil
	}
	if id, ok := w.fresh.people[p]; ok {
		return id, nil
	}
	id, err := w.intern("SELECT id FROM person WHERE address = ? AND name = ?",
		"INSERT INTO person (address, name) VALUES (?, ?)", p.Address, p.Name)
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
	id, err := w.intern("SELECT id FROM category WHERE name = ?", "INSERT INTO category (name) VALUES (?)", name)
	if err == nil {
		w.fresh.categories[name] = id
	}
	return id, err
}

// intern returns the number of a value and makes one if it has none.
func (w *writer) intern(find, insert string, args ...any) (int64, error) {
	var id int64
	err := w.tx.QueryRowContext(w.ctx, find, args...).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	res, err := w.tx.ExecContext(w.ctx, insert, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}
