// Package fts is the embedded driver of package index: SQLite FTS5, one
// database file per tenant and calendar year (UTC) of the message date.
//
// Row numbers ascend with the date, so that newest-first needs no sort and a
// search stops when its page is full. Who may see a message is a term of the
// same full-text expression as the words, never a filter afterwards. Text is
// normalised by package text before FTS5 sees it; FTS5 only splits at spaces.
//
//	fts.go     tenants and life cycle      compile.go  query -> FTS5 and SQL
//	shard.go   one database file           search.go   pages and counts
//	terms.go   a document's terms          facets.go   distributions
//	add.go     writing                     people.go   suggestions of people
//	prefix.go  beginnings of words         intern.go   values stored once
//	rowid.go   numbers that follow dates   cursor.go   places in a result
//	tidy.go    putting segments together   check.go    looking for damage
//	erase.go   forgetting for good
//
// Several processes may use one directory at the same time; SQLite's locks
// order their writes. Only Drop needs the others gone.
package fts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// errClosed is returned by every method after Close.
var errClosed = errors.New("index is closed")

// Index implements index.Index.
type Index struct {
	dir string

	mu      sync.Mutex
	tenants map[uid.ID]*tenant
	closed  bool
}

var _ index.Index = (*Index)(nil)

// tenant is the open shards of a tenant. Its lock is held for reading while
// shards are in use, and for writing while they are dropped.
type tenant struct {
	dir string

	use sync.RWMutex

	mu     sync.Mutex
	shards map[int]*shard
}

// Open opens the index in a directory, which is made if it does not exist.
// Files are opened when they are first needed.
func Open(dir string) (*Index, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	return &Index{dir: dir, tenants: map[uid.ID]*tenant{}}, nil
}

// Close implements index.Index. It waits for calls under way.
func (x *Index) Close() error {
	x.mu.Lock()
	x.closed = true
	all := make([]*tenant, 0, len(x.tenants))
	for _, t := range x.tenants {
		all = append(all, t)
	}
	x.tenants = nil
	x.mu.Unlock()
	var errs []error
	for _, t := range all {
		errs = append(errs, t.closeAll())
	}
	return errors.Join(errs...)
}

// Drop implements index.Index.
func (x *Index) Drop(_ context.Context, id uid.ID) error {
	t, err := x.tenant(id)
	if err != nil {
		return err
	}
	t.use.Lock()
	defer t.use.Unlock()
	if err := t.closeLocked(); err != nil {
		return err
	}
	if err := os.RemoveAll(t.dir); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	return nil
}

// begin returns a tenant for use; done must be called.
func (x *Index) begin(id uid.ID) (t *tenant, done func(), err error) {
	if t, err = x.tenant(id); err != nil {
		return nil, nil, err
	}
	t.use.RLock()
	return t, t.use.RUnlock, nil
}

func (x *Index) tenant(id uid.ID) (*tenant, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, errClosed
	}
	t := x.tenants[id]
	if t == nil {
		t = &tenant{dir: filepath.Join(x.dir, id.String()), shards: map[int]*shard{}}
		x.tenants[id] = t
	}
	return t, nil
}

// years lists the years that have a file, newest first.
func (t *tenant) years() ([]int, error) {
	entries, err := os.ReadDir(t.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	var out []int
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if y, err := strconv.Atoi(name); ok && err == nil {
			out = append(out, y)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

// shard returns the open shard of a year. Without create, a year that has no
// file is nil.
func (t *tenant) shard(ctx context.Context, year int, create bool) (*shard, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.shards[year]; s != nil {
		return s, nil
	}
	path := filepath.Join(t.dir, fmt.Sprintf("%04d%s", year, suffix))
	if create {
		if err := os.MkdirAll(t.dir, 0o700); err != nil {
			return nil, fmt.Errorf("index: %w", err)
		}
	} else if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	s, err := openShard(ctx, path, year)
	if err != nil {
		return nil, err
	}
	t.shards[year] = s
	return s, nil
}

// all returns the shards of a tenant, newest first.
func (t *tenant) all(ctx context.Context) ([]*shard, error) {
	years, err := t.years()
	if err != nil {
		return nil, err
	}
	var out []*shard
	for _, y := range years {
		s, err := t.shard(ctx, y, false)
		if err != nil {
			return nil, err
		}
		if s != nil {
			out = append(out, s)
		}
	}
	return out, nil
}

func (t *tenant) closeAll() error {
	t.use.Lock()
	defer t.use.Unlock()
	return t.closeLocked()
}

func (t *tenant) closeLocked() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, s := range t.shards {
		errs = append(errs, s.close())
	}
	t.shards = map[int]*shard{}
	return errors.Join(errs...)
}
