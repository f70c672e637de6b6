package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

func open(t testing.TB) *Dir {
	t.Helper()
	d, err := Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBufferGivesBackWhatWasWritten(t *testing.T) {
	t.Parallel()
	d := open(t)
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 7, 1000, 20000, 600000, MemoryPerBuffer}), 0, 6).Draw(t, "sizes")
		b := d.NewBuffer(1 << 30)
		defer b.Close()
		var want []byte
		for i, n := range sizes {
			p := bytes.Repeat([]byte{byte(i + 1)}, n)
			want = append(want, p...)
			if m, err := b.Write(p); m != n || err != nil {
				t.Fatalf("write %d: %d, %v", n, m, err)
			}
		}
		if b.Size() != int64(len(want)) {
			t.Fatalf("size %d, want %d", b.Size(), len(want))
		}
		got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("read back %d bytes, %v", len(got), err)
		}
		off := rapid.IntRange(0, len(want)+2).Draw(t, "off")
		p := make([]byte, rapid.IntRange(0, 100).Draw(t, "len"))
		n1, e1 := b.ReadAt(p, int64(off))
		n2, e2 := bytes.NewReader(want).ReadAt(make([]byte, len(p)), int64(off))
		if n1 != n2 || (len(p) > 0 && e1 != e2) {
			t.Fatalf("ReadAt(%d, %d) = %d, %v, want %d, %v", len(p), off, n1, e1, n2, e2)
		}
	})
	if n := d.InMemory(); n != 0 {
		t.Errorf("%d bytes still accounted after all buffers were closed", n)
	}
}

func TestLargeBufferLeavesMemoryAndDirectory(t *testing.T) {
	t.Parallel()
	d := open(t)
	b := d.NewBuffer(1 << 30)
	if _, err := b.Write(make([]byte, MemoryPerBuffer+1)); err != nil {
		t.Fatal(err)
	}
	if n := d.InMemory(); n != 0 {
		t.Errorf("%d bytes in memory", n)
	}
	st, err := b.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	if b.name == "" { // unlinked: the directory must look empty
		if e, err := os.ReadDir(d.path); err != nil || len(e) != 0 {
			t.Errorf("directory holds %v, %v", e, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestBudgetOfAllBuffers(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.budget = 3 * firstAllocation
	var files int
	for range 5 {
		b := d.NewBuffer(1 << 20)
		defer b.Close()
		if _, err := b.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if b.file != nil {
			files++
		}
	}
	if files != 2 || d.InMemory() != d.budget {
		t.Errorf("%d of 5 went to files, %d bytes in memory", files, d.InMemory())
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	b := open(t).NewBuffer(10)
	defer b.Close()
	if _, err := b.Write(make([]byte, 10)); err != nil {
		t.Fatalf("exactly the limit: %v", err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, ErrLimit) {
		t.Errorf("above the limit: %v", err)
	}
	if b.Size() != 10 {
		t.Errorf("size %d after a refused write", b.Size())
	}
}

func TestOpenSweepsWhatACrashLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stale, other := filepath.Join(dir, prefix+"123"), filepath.Join(dir, "notes.txt")
	for _, p := range []string{stale, other} {
		if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stale file: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("foreign file: %v", err)
	}
}

func TestFullDiskIsNamed(t *testing.T) {
	t.Parallel()
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		err := full(&os.PathError{Op: "write", Path: "x", Err: e})
		if !errors.Is(err, ErrFull) || !errors.Is(err, e) {
			t.Errorf("%v: %v", e, err)
		}
	}
	if err := full(os.ErrPermission); errors.Is(err, ErrFull) {
		t.Errorf("permission counts as full: %v", err)
	}
	// A device that is always full, through the buffer itself.
	f, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := &Buffer{dir: open(t), limit: 1 << 20, file: f}
	defer b.Close()
	if _, err := b.Write([]byte("x")); !errors.Is(err, ErrFull) {
		t.Errorf("write to a full device: %v", err)
	}
	if b.Size() != 0 {
		t.Errorf("size %d after a failed write", b.Size())
	}
}

func TestSpoolGone(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := os.Remove(d.path); err != nil {
		t.Fatal(err)
	}
	b := d.NewBuffer(1 << 30)
	defer b.Close()
	if _, err := b.Write(make([]byte, MemoryPerBuffer+1)); err == nil {
		t.Error("no error")
	}
	if b.Size() != 0 {
		t.Errorf("size %d", b.Size())
	}
}
