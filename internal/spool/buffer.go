package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Buffer collects bytes by Write and gives them back by ReadAt. Writing is for
// one goroutine; once it is done, ReadAt and Size may be called concurrently.
// A buffer must be closed.
type Buffer struct {
	dir   *Dir
	limit int64
	size  int64
	mem   []byte
	file  *os.File
	name  string // of the file, if it still has one
	err   error  // of the last Write
}

// Write appends p whole or not at all, as far as Size and ReadAt can tell. The
// error wraps ErrLimit, ErrFull or is the file system's.
func (b *Buffer) Write(p []byte) (int, error) {
	n, err := b.write(p)
	b.err = err
	return n, err
}

// Err returns the error of the last Write: after an io.Copy it tells trouble of
// the spool from trouble of what was read.
func (b *Buffer) Err() error { return b.err }

func (b *Buffer) write(p []byte) (int, error) {
	if b.size+int64(len(p)) > b.limit {
		return 0, fmt.Errorf("%w of %d bytes", ErrLimit, b.limit)
	}
	if b.file == nil && !b.reserve(len(p)) {
		if err := b.moveToFile(); err != nil {
			return 0, err
		}
	}
	if b.file == nil {
		b.mem = append(b.mem, p...)
		b.size += int64(len(p))
		return len(p), nil
	}
	if _, err := b.file.WriteAt(p, b.size); err != nil {
		return 0, fmt.Errorf("write spool file: %w", full(err))
	}
	b.size += int64(len(p))
	return len(p), nil
}

// reserve makes room for n more bytes in memory, if the limits allow it.
func (b *Buffer) reserve(n int) bool {
	need := len(b.mem) + n
	if need <= cap(b.mem) {
		return true
	}
	if need > MemoryPerBuffer {
		return false
	}
	want := min(max(2*cap(b.mem), need, firstAllocation), MemoryPerBuffer)
	grow := int64(want - cap(b.mem))
	if b.dir.memory.Add(grow) > b.dir.budget {
		b.dir.memory.Add(-grow)
		return false
	}
	next := make([]byte, len(b.mem), want)
	copy(next, b.mem)
	b.mem = next
	return true
}

func (b *Buffer) moveToFile() error {
	f, name, err := b.dir.create()
	if err != nil {
		return fmt.Errorf("create spool file: %w", err)
	}
	if _, err := f.WriteAt(b.mem, 0); err != nil {
		err = fmt.Errorf("write spool file: %w", full(err))
		return errors.Join(err, dispose(f, name))
	}
	b.releaseMemory()
	b.file, b.name = f, name
	return nil
}

func (b *Buffer) releaseMemory() {
	b.dir.memory.Add(-int64(cap(b.mem)))
	b.mem = nil
}

// Size returns how many bytes were written.
func (b *Buffer) Size() int64 { return b.size }

// ReadAt implements io.ReaderAt over what was written.
func (b *Buffer) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read spool: negative offset %d", off)
	}
	if off >= b.size {
		return 0, io.EOF
	}
	short := false
	if rest := b.size - off; int64(len(p)) > rest {
		p, short = p[:rest], true
	}
	var n int
	var err error
	if b.file == nil {
		n = copy(p, b.mem[off:])
	} else {
		n, err = b.file.ReadAt(p, off)
		if n == len(p) {
			err = nil
		}
	}
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// Close gives the memory or the file back. The buffer is empty afterwards; a
// second Close does nothing.
func (b *Buffer) Close() error {
	b.releaseMemory()
	b.size, b.limit = 0, 0
	if b.file == nil {
		return nil
	}
	f := b.file
	b.file = nil
	return dispose(f, b.name)
}

func dispose(f *os.File, name string) error {
	err := f.Close()
	if name != "" {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}
