package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// Config says where uploads are kept, and how many.
type Config struct {
	Dir string
	// MaxSize is the largest upload, in bytes; PerTenant is how much all unfinished
	// uploads of a tenant may have together.
	MaxSize, PerTenant int64
	Log                *slog.Logger
	Now                func() time.Time // nil: time.Now
}

// Store keeps uploads. It is for one process; its methods may be called concurrently.
type Store struct {
	Config
	dir   string
	ready chan struct{} // capacity 1: something is complete

	mu   sync.Mutex // guards what follows, and every upload
	all  map[uid.ID]*entry
	used map[uid.ID]int64 // by tenant: bytes reserved
}

// entry is an upload with who is at work on it.
type entry struct {
	upload Upload
	busy   bool               // a piece is being written
	cancel context.CancelFunc // of the job, while it works
	gone   bool               // cancelled while at work
}

// NewStore opens the uploads in a directory, which is made if it is missing.
func NewStore(c Config) (*Store, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Store{Config: c, dir: c.Dir, ready: make(chan struct{}, 1), all: map[uid.ID]*entry{}, used: map[uid.ID]int64{}}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("uploads: %w", err)
	}
	if err := s.load(c.Log); err != nil {
		return nil, fmt.Errorf("uploads: %w", err)
	}
	return s, nil
}

func (s *Store) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// Create begins an upload as u says: owner, kind, name, size and what belongs to it.
// Errors are *LimitError, ErrFull or the file system's.
func (s *Store) Create(u Upload) (*Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case u.Size <= 0:
		return nil, &LimitError{"The file is empty."}
	case u.Size > s.MaxSize:
		return nil, &LimitError{fmt.Sprintf("The file has %d bytes; an upload may have at most %d.", u.Size, s.MaxSize)}
	case s.used[u.Owner.Tenant]+u.Size > s.PerTenant:
		return nil, &LimitError{fmt.Sprintf("The unfinished uploads of your company would have more than %d bytes together. Wait until others are finished, or cancel some.", s.PerTenant)}
	}
	open := 0
	for _, e := range s.all {
		if e.upload.Owner == u.Owner && e.upload.reserved() > 0 {
			open++
		}
	}
	if open >= MaxOpen {
		return nil, &LimitError{fmt.Sprintf("You have %d unfinished uploads; more are not possible at a time.", open)}
	}
	u.CreatedAt, u.State, u.Received, u.Result, u.Reason, u.SHA256 = s.now(), Open, 0, nil, "", ""
	u.ID, u.ChangedAt = uid.New(u.CreatedAt), u.CreatedAt
	dir := filepath.Join(s.dir, u.ID.String())
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, full(err)
	}
	if err := s.save(&u); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.all[u.ID] = &entry{upload: u}
	s.used[u.Owner.Tenant] += u.Size
	return &u, nil
}

// of finds an upload of an owner. s.mu is held.
func (s *Store) of(o Owner, id uid.ID) (*entry, error) {
	e := s.all[id]
	if e == nil || e.upload.Owner != o || e.gone {
		return nil, ErrNotFound
	}
	return e, nil
}

// Get returns an upload of an owner.
func (s *Store) Get(o Owner, id uid.ID) (*Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.of(o, id)
	if err != nil {
		return nil, err
	}
	u := e.upload
	return &u, nil
}

// List returns the uploads of an owner, the newest first, without the items of their
// results.
func (s *Store) List(o Owner) []Upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Upload
	for _, e := range s.all {
		if e.upload.Owner != o || e.gone {
			continue
		}
		u := e.upload
		if u.Result != nil {
			r := *u.Result
			r.Items = nil
			u.Result = &r
		}
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b Upload) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), b.ID.Compare(a.ID)) })
	return out
}

// Write appends a piece that begins at offset. When it returns nil, the piece is
// durable. *OffsetError if the piece before is missing, or this one is there already.
func (s *Store) Write(o Owner, id uid.ID, offset int64, piece []byte) (*Upload, error) {
	u, err := s.begin(o, id, offset, int64(len(piece)))
	if err != nil {
		return nil, err
	}
	err = full(appendSynced(s.path(id, dataFile), offset, piece))
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.all[id]
	if e == nil {
		return nil, ErrNotFound // cancelled meanwhile
	}
	e.busy = false
	if err != nil {
		return nil, err
	}
	e.upload.Received, e.upload.ChangedAt = offset+int64(len(piece)), s.now()
	*u = e.upload
	return u, nil
}

func (s *Store) begin(o Owner, id uid.ID, offset, n int64) (*Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.of(o, id)
	switch {
	case err != nil:
		return nil, err
	case e.upload.State != Open:
		return nil, ErrState
	case e.busy:
		return nil, ErrBusy
	case offset != e.upload.Received:
		return nil, &OffsetError{e.upload.Received}
	case n > MaxChunk:
		return nil, &LimitError{fmt.Sprintf("A piece may have at most %d bytes.", MaxChunk)}
	case offset+n > e.upload.Size:
		return nil, &LimitError{fmt.Sprintf("More bytes than the %d that were announced. The file has changed; give it again.", e.upload.Size)}
	}
	e.busy = true
	u := e.upload
	return &u, nil
}

// appendSynced writes b at the end of a file that has offset bytes; what an earlier
// attempt left behind that is overwritten.
func appendSynced(name string, offset int64, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = f.Truncate(offset)
	if err == nil {
		_, err = f.WriteAt(b, offset)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		err = errors.Join(err, f.Truncate(offset))
	}
	return errors.Join(err, f.Close())
}

// Finish says that all bytes are there, and hands the upload over to be archived.
// sum is the SHA-256 of the whole in hexadecimal, or empty if the sender cannot tell.
func (s *Store) Finish(o Owner, id uid.ID, sum string) (*Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.of(o, id)
	switch {
	case err != nil:
		return nil, err
	case e.upload.State != Open:
		u := e.upload
		return &u, nil // the answer to the first time got lost
	case e.busy:
		return nil, ErrBusy
	case e.upload.Received != e.upload.Size:
		return nil, &OffsetError{e.upload.Received}
	}
	u := e.upload
	u.State, u.SHA256, u.ChangedAt = Waiting, sum, s.now()
	if err := s.save(&u); err != nil {
		return nil, err
	}
	e.upload = u
	s.wake()
	return &u, nil
}

// Cancel gives an upload up, or forgets a report. What is archived already stays.
func (s *Store) Cancel(o Owner, id uid.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.of(o, id)
	switch {
	case err != nil:
		return err
	case e.busy:
		return ErrBusy
	case e.cancel != nil:
		e.gone = true
		e.cancel() // the job removes it
		return nil
	}
	return s.remove(e)
}

// RemoveTenant removes all uploads of a tenant, and their files, whoever gave them.
// ErrBusy if one of them is at work; it ends then, and the caller comes again.
func (s *Store) RemoveTenant(tenant uid.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, e := range s.all {
		switch {
		case e.upload.Owner.Tenant != tenant:
		case e.cancel != nil:
			e.gone = true
			e.cancel() // the job removes it
			errs = append(errs, ErrBusy)
		case e.busy:
			errs = append(errs, ErrBusy)
		default:
			errs = append(errs, s.remove(e))
		}
	}
	return errors.Join(errs...)
}

// remove forgets an upload. s.mu is held.
func (s *Store) remove(e *entry) error {
	if err := os.RemoveAll(filepath.Join(s.dir, e.upload.ID.String())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.used[e.upload.Owner.Tenant] -= e.upload.reserved()
	delete(s.all, e.upload.ID)
	return nil
}

// Sweep forgets uploads whose next piece does not come, and old reports.
func (s *Store) Sweep() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, e := range s.all {
		age := s.now().Sub(e.upload.ChangedAt)
		old := e.upload.State == Open && age > Abandoned || (e.upload.State == Done || e.upload.State == Failed) && age > Remembered
		if old && !e.busy {
			errs = append(errs, s.remove(e))
		}
	}
	return errors.Join(errs...)
}
