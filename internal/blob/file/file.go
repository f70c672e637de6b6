// Package file keeps objects as files below one directory: the driver of the
// blob port for a single machine.
//
// An object <key> is the file <dir>/<key>, mode 0440, in directories of mode
// 0750. Files being written are in <dir>/.tmp/<random>/, one directory per open
// Store, locked as long as the process lives.
//
// Put does, in this order, and returns at the first error:
//
//	open(tmp, O_CREAT|O_EXCL)  write…  fsync(tmp)  close(tmp)
//	mkdir(parents that are missing)  fsync(the parents' parents)
//	renameat2(tmp, target, RENAME_NOREPLACE)
//	fsync(directory of target)
//
// so the target's name never exists before its bytes are on the disk. What is
// not guaranteed: a disk or controller that acknowledges a flush it has not made,
// and a file system mounted with barriers off, can still lose what was
// acknowledged.
//
// The package knows nothing of what it stores.
package file

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/muniment/muniment/internal/blob"
)

const (
	filePerm = 0o440
	dirPerm  = 0o750
	tmpName  = ".tmp"
	lockName = "lock"
	// copyBuffer is also the largest write, in bytes.
	copyBuffer = 256 << 10
	// maxDurable bounds the memory of directories known to be durable.
	maxDurable = 1 << 16
)

// Store is a blob.Store in a directory. Close it after use.
type Store struct {
	dir    string
	tmp    string
	fs     FS
	lock   *os.File
	serial atomic.Uint64
	bufs   sync.Pool

	mu      sync.Mutex
	durable map[string]struct{} // directories whose names are known to be on disk
}

var _ blob.Store = (*Store)(nil)

// Option changes how Open opens a Store.
type Option func(*Store)

// WithFS makes the store use other file system calls, for tests.
func WithFS(f FS) Option { return func(s *Store) { s.fs = f } }

// Open opens the store in dir, which is made if it is missing, and removes the
// unfinished files of processes that have ended.
func Open(dir string, opts ...Option) (*Store, error) {
	s := &Store{dir: filepath.Clean(dir), fs: OS(), durable: map[string]struct{}{}}
	s.bufs.New = func() any { b := make([]byte, copyBuffer); return &b }
	for _, o := range opts {
		o(s)
	}
	tmps := filepath.Join(s.dir, tmpName)
	if err := s.makeDurable(tmps); err != nil {
		return nil, fmt.Errorf("open blob directory: %w", err)
	}
	if err := s.sweep(tmps); err != nil {
		return nil, fmt.Errorf("remove unfinished files: %w", err)
	}
	for range 10 { // somebody's sweep may take a directory before it is locked
		ok, err := s.lockTmp(filepath.Join(tmps, rand.Text()))
		if err != nil {
			return nil, fmt.Errorf("make temporary directory: %w", err)
		}
		if ok {
			return s, nil
		}
	}
	return nil, fmt.Errorf("make temporary directory in %s: each was removed at once", tmps)
}

func (s *Store) lockTmp(tmp string) (bool, error) {
	if err := s.fs.Mkdir(tmp, dirPerm); err != nil {
		return false, err
	}
	path := filepath.Join(tmp, lockName)
	l, ok, err := lock(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !ok {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := os.Stat(path); err != nil {
		return false, l.Close() // swept between opening and locking
	}
	s.tmp, s.lock = tmp, l
	return true, nil
}

// Close releases the temporary directory. Writes under way fail or succeed as a
// whole; none may be started afterwards.
func (s *Store) Close() error {
	return errors.Join(s.removeTmp(s.tmp), s.lock.Close())
}

// sweep removes the temporary directories of processes that have ended: those
// whose lock is free.
func (s *Store) sweep(tmps string) error {
	dirs, err := s.fs.ReadDir(tmps)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		path := filepath.Join(tmps, d.Name())
		l, ok, err := lock(filepath.Join(path, lockName))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !ok {
			continue // gone meanwhile, or in use
		}
		if err != nil {
			return err
		}
		if err := errors.Join(s.removeTmp(path), l.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) removeTmp(path string) error {
	files, err := s.fs.ReadDir(path)
	if err != nil {
		return hideAbsent(err)
	}
	for _, f := range files {
		if err := hideAbsent(s.fs.Remove(filepath.Join(path, f.Name()))); err != nil {
			return err
		}
	}
	return hideAbsent(s.fs.Remove(path))
}

func hideAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Store) path(key string) (string, error) {
	if err := blob.CheckKey(key); err != nil {
		return "", err
	}
	return filepath.Join(s.dir, filepath.FromSlash(key)), nil
}

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	err := s.write(ctx, key, r, size, s.fs.Publish)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("put %s: %w", key, blob.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// Replace implements blob.Store.
func (s *Store) Replace(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := s.write(ctx, key, r, size, s.fs.Rename); err != nil {
		return fmt.Errorf("replace %s: %w", key, err)
	}
	return nil
}

func (s *Store) write(ctx context.Context, key string, r io.Reader, size int64, publish func(from, to string) error) error {
	target, err := s.path(key)
	if err != nil {
		return err
	}
	tmp := filepath.Join(s.tmp, strconv.FormatUint(s.serial.Add(1), 36))
	f, err := s.fs.Create(tmp, filePerm)
	if err != nil {
		return fmt.Errorf("make temporary file: %w", hideExist(err))
	}
	err = s.fill(ctx, f, r, size)
	if err == nil {
		err = f.Sync()
	}
	// A close that fails may be the only report of a write that failed (NFS).
	err = errors.Join(err, f.Close())
	dir := filepath.Dir(target)
	if err == nil {
		err = s.makeDurable(dir)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.fs.Remove(tmp) //nolint:errcheck // else the next Open sweeps it
		return hideExist(err)
	}
	err = publish(tmp, target)
	if errors.Is(err, fs.ErrNotExist) { // the directory went meanwhile
		s.forget(dir)
		if err = hideExist(s.makeDurable(dir)); err == nil {
			err = publish(tmp, target)
		}
	}
	if err != nil {
		s.fs.Remove(tmp) //nolint:errcheck // as above
		return err
	}
	if err := s.fs.syncDir(dir); err != nil {
		// The object is whole but perhaps not durable. It stays: whether its name
		// is on disk nobody can tell, and absent or whole are both allowed.
		return hideExist(fmt.Errorf("make the name durable: %w", err))
	}
	return nil
}

// hideExist keeps an EEXIST that is not about the target from becoming
// blob.ErrExists.
func hideExist(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return errors.New(err.Error())
	}
	return err
}

// fill copies exactly size bytes.
func (s *Store) fill(ctx context.Context, f File, r io.Reader, size int64) error {
	buf := s.bufs.Get().(*[]byte)
	defer s.bufs.Put(buf)
	for left := size; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := (*buf)[:min(left, copyBuffer)]
		if _, err := io.ReadFull(r, p); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("read the %d bytes to store: %w", size, err)
		}
		if _, err := f.Write(p); err != nil {
			return err
		}
		left -= int64(len(p))
	}
	if n, _ := r.Read((*buf)[:1]); n != 0 {
		return fmt.Errorf("more than the announced %d bytes to store", size)
	}
	return nil
}

// makeDurable makes dir with its parents and sees to it that their names are on
// disk. A directory that exists already is synced as well, once per process: its
// maker may not have come so far.
func (s *Store) makeDurable(dir string) error {
	if s.isDurable(dir) {
		return nil
	}
	if err := s.fs.mkdirs(dir); err != nil {
		return err
	}
	for d := dir; d != s.dir && !s.isDurable(d); d = filepath.Dir(d) {
		if err := s.fs.syncDir(filepath.Dir(d)); err != nil {
			return err
		}
	}
	if !s.isDurable(s.dir) {
		if err := s.fs.syncDir(filepath.Dir(s.dir)); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.durable) > maxDurable {
		clear(s.durable)
	}
	for d := dir; d != s.dir; d = filepath.Dir(d) {
		s.durable[d] = struct{}{}
	}
	s.durable[s.dir] = struct{}{}
	return nil
}

func (s *Store) forget(dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; dir != s.dir; dir = filepath.Dir(dir) {
		delete(s.durable, dir)
	}
}

func (s *Store) isDurable(dir string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.durable[dir]
	return ok
}
