package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/muniment/muniment/internal/blob"
)

type object struct {
	File
	size int64
}

func (o *object) Size() int64 { return o.size }

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, key string) (blob.Object, error) {
	path, err := s.path(key)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := s.fs.Open(path)
	if absent(err) {
		return nil, fmt.Errorf("open %s: %w", key, blob.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", key, err)
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = blob.ErrNotFound
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", key, err), f.Close())
	}
	return &object{f, st.Size()}, nil
}

// absent is true also if what should be a directory of the path is an object.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	path, err := s.path(key)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.fs.Remove(path); err != nil && !absent(err) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	// Also if the file was absent: an earlier Delete may have failed here.
	if err := s.fs.syncDir(filepath.Dir(path)); err != nil && !absent(err) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix string, fn func(blob.Info) error) error {
	dir := ""
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		dir = prefix[:i+1]
		if blob.CheckKey(prefix[:i]) != nil {
			return nil //nolint:nilerr // no object has such a key
		}
	}
	return s.walk(ctx, dir, prefix, fn)
}

// walk lists what is below dir ("" or ending in a slash) ascending by key, which
// is not the order of file names: "a-b" < "a/b" < "a0".
func (s *Store) walk(ctx context.Context, dir, prefix string, fn func(blob.Info) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := s.fs.ReadDir(filepath.Join(s.dir, filepath.FromSlash(dir)))
	if absent(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", prefix, err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	for _, e := range entries {
		key := dir + sortName(e)
		if strings.HasPrefix(e.Name(), ".") || !strings.HasPrefix(key, prefix) && !strings.HasPrefix(prefix, key) {
			continue
		}
		if e.IsDir() {
			err = s.walk(ctx, key, prefix, fn)
		} else if strings.HasPrefix(key, prefix) {
			err = listed(e, key, fn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sortName(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

func listed(e fs.DirEntry, key string, fn func(blob.Info) error) error {
	st, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", key, err)
	}
	return fn(blob.Info{Key: key, Size: st.Size(), Modified: st.ModTime().UTC()})
}
