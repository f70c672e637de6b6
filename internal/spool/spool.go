// Package spool holds the bytes of one offered message while it waits to be
// archived: in memory when it is small, else in a temporary file.
//
// Nothing in the spool is acknowledged mail, so nothing in it needs to survive
// a crash. Files are readable by the owner only, lose their name at once where
// the system allows it, and whatever a crash leaves behind is swept by Open.
// The package knows nothing of mail.
package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
)

const (
	// MemoryPerBuffer is how many bytes one buffer keeps in memory before it
	// moves to a file.
	MemoryPerBuffer = 1 << 20
	// MemoryTotal is how many bytes all buffers of a Dir keep in memory
	// together; beyond it even small buffers go to files.
	MemoryTotal = 64 << 20

	firstAllocation = 16 << 10
	prefix          = "incoming-"
)

// ErrLimit is returned (wrapped) by Write when the buffer would grow above its
// limit.
var ErrLimit = errors.New("larger than the limit")

// ErrFull is returned (wrapped) when the disk, or the owner's quota on it, has
// no space left.
var ErrFull = errors.New("spool is full")

// Dir makes buffers. It is safe for concurrent use.
type Dir struct {
	path   string
	memory atomic.Int64 // bytes allocated by buffers in memory
	budget int64
}

// Open returns the spool in the directory path, which is made if it is missing
// (mode 0700), and removes the files an earlier process left in it. Several
// processes may share the directory.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("sweep spool: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !e.Type().IsRegular() {
			continue
		}
		// A file of another process may vanish first: it removes its own.
		if err := os.Remove(filepath.Join(path, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("sweep spool: %w", err)
		}
	}
	return &Dir{path: path, budget: MemoryTotal}, nil
}

// NewBuffer returns an empty buffer that takes at most limit bytes.
func (d *Dir) NewBuffer(limit int64) *Buffer { return &Buffer{dir: d, limit: limit} }

// InMemory returns how many bytes all buffers hold in memory now.
func (d *Dir) InMemory() int64 { return d.memory.Load() }

// create opens a nameless file, or, where open files cannot be unlinked, a
// named one that Close removes.
func (d *Dir) create() (f *os.File, name string, err error) {
	f, err = os.CreateTemp(d.path, prefix+"*") // mode 0600
	if err != nil {
		return nil, "", full(err)
	}
	name = f.Name()
	if err := os.Remove(name); err == nil || errors.Is(err, fs.ErrNotExist) {
		name = ""
	}
	return f, name, nil
}

// full marks errors that mean "no space".
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
