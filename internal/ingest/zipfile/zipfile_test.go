package zipfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// build makes a ZIP file with the standard library.
func build(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, n := range names {
		out, err := w.CreateHeader(&zip.FileHeader{Name: n, Method: uint16(i%2) * zip.Deflate})
		if err == nil {
			_, err = io.WriteString(out, content(n))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func content(name string) string {
	if strings.HasSuffix(name, "/") {
		return ""
	}
	return strings.Repeat(name+"\n", 300)
}

// readAll returns name → contents, or the error of it.
func readAll(b []byte) (map[string]string, error) {
	got := map[string]string{}
	r, err := NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return got, err
	}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		in, err := e.Open()
		if err != nil {
			got[e.Name] = err.Error()
			continue
		}
		text, err := io.ReadAll(in)
		if err != nil {
			got[e.Name] = err.Error()
			continue
		}
		got[e.Name] = string(text)
	}
}

func TestReadsWhatTheStandardLibraryWrites(t *testing.T) {
	t.Parallel()
	names := []string{"a.eml", "dir/", "dir/b.eml", "../../etc/passwd", "/abs", "Grüße", ""}
	want := map[string]string{}
	for _, n := range names {
		want[n] = content(n)
	}
	b := build(t, names...)
	for name, file := range map[string][]byte{"plain": b, "behind a program": append([]byte("#!/bin/sh\nexit\n"), b...)} {
		got, err := readAll(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	empty, err := readAll(build(t))
	if err != nil || len(empty) != 0 {
		t.Errorf("empty archive: %v, %v", empty, err)
	}
}

// More entries than 16 bits count: the standard library writes zip64 then.
func TestManyEntries(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	const n = 1<<16 + 10
	for i := range n {
		if _, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		e, err := r.Next()
		if errors.Is(err, io.EOF) && i == n {
			break
		}
		if err != nil || e.Name != fmt.Sprint(i) {
			t.Fatalf("entry %d: %+v, %v", i, e, err)
		}
	}
}

// holes is a file of which only some bytes are not zero.
type holes struct {
	at   int64
	data []byte
}

func (h holes) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	for i := range p {
		if j := off + int64(i) - h.at; j >= 0 && j < int64(len(h.data)) {
			p[i] = h.data[j]
		}
	}
	return len(p), nil
}

// The directory of a file of 5 GiB that holds one entry of almost that size.
func TestLongSizes(t *testing.T) {
	t.Parallel()
	const size = 5 << 30
	le := binary.LittleEndian
	extra := le.AppendUint16(le.AppendUint16(nil, 1), 24)
	for _, v := range []uint64{size, size - 5, 7} {
		extra = le.AppendUint64(extra, v)
	}
	h := make([]byte, entrySize)
	le.PutUint32(h, entrySignature)
	for _, at := range []int{20, 24, 42} {
		le.PutUint32(h[at:], 0xffffffff)
	}
	le.PutUint16(h[28:], 3)
	le.PutUint16(h[30:], uint16(len(extra)))
	h = append(append(h, "big"...), extra...)
	dirSize := len(h)
	end64 := make([]byte, end64Size)
	le.PutUint32(end64, end64Signature)
	le.PutUint64(end64[32:], 1)
	le.PutUint64(end64[40:], uint64(dirSize))
	le.PutUint64(end64[48:], size)
	locator := make([]byte, locatorSize)
	le.PutUint32(locator, locatorSignature)
	le.PutUint64(locator[8:], uint64(size+dirSize))
	last := make([]byte, endSize)
	le.PutUint32(last, endSignature)
	for i := 8; i < 20; i++ {
		last[i] = 0xff
	}
	h = append(append(append(h, end64...), locator...), last...)
	r, err := NewReader(holes{size, h}, size+int64(len(h)))
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Next()
	if err != nil || e.Size != size || e.compressed != size-5 || e.offset != 7 || e.Name != "big" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
}

// Whatever byte is wrong: an error, or the contents.
func TestEveryByteWrong(t *testing.T) {
	t.Parallel()
	b := build(t, "a", "b", "c")
	for i := range b {
		damaged := bytes.Clone(b)
		damaged[i] ^= 0x41
		got, err := readAll(damaged)
		if err == nil && len(got) != 3 {
			t.Errorf("byte %d: %d entries and no error", i, len(got))
		}
		for n, text := range got {
			if strings.HasSuffix(text, "\n") && text != content("a") && text != content("b") && text != content("c") {
				t.Errorf("byte %d: %q has other contents, and no error", i, n)
			}
		}
	}
	for i := range b {
		if _, err := readAll(b[:i]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func TestKindsOfEntries(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, m := range map[string]fs.FileMode{"link": fs.ModeSymlink | 0o777, "pipe": fs.ModeNamedPipe, "dir": fs.ModeDir, "file": 0o644} {
		h := &zip.FileHeader{Name: name}
		h.SetMode(m)
		if _, err := w.CreateHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	h := &zip.FileHeader{Name: "\x81ber", NonUTF8: true, Flags: 1}
	if _, err := w.CreateRaw(h); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateRaw(&zip.FileHeader{Name: "odd", Method: 9}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{"link": fs.ModeSymlink, "pipe": fs.ModeIrregular, "dir": fs.ModeDir, "file": 0, "über": 0, "odd": 0}
	opened := map[string]error{"über": ErrEncrypted, "odd": ErrMethod}
	for range want {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := want[e.Name]; !ok || e.Mode.Type() != m {
			t.Errorf("%q: %v, want %v", e.Name, e.Mode, m)
		}
		if _, err := e.Open(); !errors.Is(err, opened[e.Name]) {
			t.Errorf("%q: %v", e.Name, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(build(f, "a", "b/c.eml"))
	f.Add(build(f))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for n := 0; ; n++ {
			e, err := r.Next()
			if err != nil {
				return
			}
			if n > len(b)/entrySize {
				t.Fatal("more entries than there can be")
			}
			if in, err := e.Open(); err == nil {
				n, _ := io.Copy(io.Discard, io.LimitReader(in, 1<<20))
				if n > e.Size {
					t.Fatalf("%d bytes of %d", n, e.Size)
				}
			}
		}
	})
}
