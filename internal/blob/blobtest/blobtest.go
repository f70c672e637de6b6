// Package blobtest is the conformance suite of the blob port. Every driver runs
// it over itself; what it does not ask for, the vault must not rely on.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/blob"
)

// Run runs the suite. open must return a new empty store, closed by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, s blob.Store)
	}{
		{"PutAndRead", putAndRead},
		{"PutWritesOnce", putWritesOnce},
		{"PutConcurrently", putConcurrently},
		{"PutWrongSize", putWrongSize},
		{"PutFailingReader", putFailingReader},
		{"PutCancelled", putCancelled},
		{"Replace", replace},
		{"ReplaceWhileOpen", replaceWhileOpen},
		{"ReadersSeeWholeObjects", readersSeeWholeObjects},
		{"Absent", absent},
		{"Delete", remove},
		{"List", list},
		{"ListStops", listStops},
		{"Keys", keys},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

func put(t *testing.T, s blob.Store, key, data string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(data), int64(len(data))); err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
}

func read(ctx context.Context, s blob.Store, key string) (string, error) {
	o, err := s.Open(ctx, key)
	if err != nil {
		return "", err
	}
	defer o.Close()
	b, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
	if int64(len(b)) != o.Size() {
		return "", fmt.Errorf("read %d bytes of an object of %d", len(b), o.Size())
	}
	return string(b), err
}

func wantData(t *testing.T, s blob.Store, key, want string) {
	t.Helper()
	got, err := read(t.Context(), s, key)
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	if got != want {
		t.Errorf("%q holds %.40q (%d bytes), want %.40q (%d bytes)", key, got, len(got), want, len(want))
	}
}

func wantAbsent(t *testing.T, s blob.Store, key string) {
	t.Helper()
	if _, err := s.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open(%q) = %v, want ErrNotFound", key, err)
	}
	if got := listed(t, s, ""); len(got) != 0 {
		t.Errorf("List shows %v, want nothing", got)
	}
}

func listed(t *testing.T, s blob.Store, prefix string) []string {
	t.Helper()
	var keys []string
	err := s.List(t.Context(), prefix, func(i blob.Info) error {
		keys = append(keys, fmt.Sprintf("%s %d", i.Key, i.Size))
		if i.Modified.IsZero() {
			t.Errorf("%s has no modification time", i.Key)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("List(%q): %v", prefix, err)
	}
	return keys
}

func putAndRead(t *testing.T, s blob.Store) {
	big := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB: more than any one write
	for key, data := range map[string]string{"empty": "", "a/b/c": "x", "a/big": big} {
		put(t, s, key, data)
		wantData(t, s, key, data)
	}
	o, err := s.Open(t.Context(), "a/big")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	p := make([]byte, 7)
	if _, err := o.ReadAt(p, 1<<20+3); err != nil || string(p) != "3456789" {
		t.Errorf("ReadAt in the middle = %q, %v", p, err)
	}
	if n, err := o.ReadAt(p, o.Size()-3); n != 3 || !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt over the end = %d, %v; want 3, EOF", n, err)
	}
}

func putWritesOnce(t *testing.T, s blob.Store) {
	put(t, s, "a/k", "first")
	err := s.Put(t.Context(), "a/k", strings.NewReader("second"), 6)
	if !errors.Is(err, blob.ErrExists) {
		t.Errorf("second Put = %v, want ErrExists", err)
	}
	wantData(t, s, "a/k", "first")
}

func putConcurrently(t *testing.T, s blob.Store) {
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			own := fmt.Sprintf("own/%d", i)
			if err := s.Put(t.Context(), own, strings.NewReader(own), int64(len(own))); err != nil {
				t.Errorf("Put(%s): %v", own, err)
			}
			switch err := s.Put(t.Context(), "same/key", strings.NewReader("x"), 1); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, blob.ErrExists):
				t.Errorf("Put(same/key): %v", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 concurrent Puts of one key succeeded, want 1", won.Load())
	}
	if n := len(listed(t, s, "own/")); n != 16 {
		t.Errorf("%d of 16 objects listed", n)
	}
}

func putWrongSize(t *testing.T, s blob.Store) {
	for _, size := range []int64{0, 3, 5} {
		if err := s.Put(t.Context(), "a/k", strings.NewReader("1234"), size); err == nil {
			t.Errorf("Put of 4 bytes announced as %d succeeded", size)
		}
		if err := s.Replace(t.Context(), "a/k", strings.NewReader("1234"), size); err == nil {
			t.Errorf("Replace by 4 bytes announced as %d succeeded", size)
		}
	}
	wantAbsent(t, s, "a/k")
}

var errBoom = errors.New("boom")

func putFailingReader(t *testing.T, s blob.Store) {
	r := io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), failing{})
	if err := s.Put(t.Context(), "a/k", r, 2<<20); !errors.Is(err, errBoom) {
		t.Errorf("Put = %v, want the reader's error", err)
	}
	wantAbsent(t, s, "a/k")
	put(t, s, "a/k", "later")
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBoom }

func putCancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "a/k", strings.NewReader("1234"), 4); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want context.Canceled", err)
	}
	wantAbsent(t, s, "a/k")
}

func replace(t *testing.T, s blob.Store) {
	for _, data := range []string{"one", "", "three and more"} {
		if err := s.Replace(t.Context(), "a/k", strings.NewReader(data), int64(len(data))); err != nil {
			t.Fatal(err)
		}
		wantData(t, s, "a/k", data)
	}
	if err := s.Put(t.Context(), "a/k", strings.NewReader("x"), 1); !errors.Is(err, blob.ErrExists) {
		t.Errorf("Put after Replace = %v, want ErrExists", err)
	}
}

func replaceWhileOpen(t *testing.T, s blob.Store) {
	put(t, s, "a/k", "before")
	o, err := s.Open(t.Context(), "a/k")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if err := s.Replace(t.Context(), "a/k", strings.NewReader("AFTER."), 6); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 6)
	if _, err := o.ReadAt(p, 0); err != nil && !errors.Is(err, io.EOF) {
		return // a driver may refuse; it must not mix
	}
	if string(p) != "before" && string(p) != "AFTER." {
		t.Errorf("reader saw %q", p)
	}
}

func readersSeeWholeObjects(t *testing.T, s blob.Store) {
	letters := "abcdefghij"
	data := func(i int) string { return strings.Repeat(letters[i%10:i%10+1], 100<<10+i) }
	if err := s.Replace(t.Context(), "k", strings.NewReader(data(0)), int64(len(data(0)))); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	done := make(chan struct{})
	defer close(done)
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			got, err := read(context.Background(), s, "k")
			if err != nil {
				t.Errorf("read while replacing: %v", err)
				return
			}
			if i := len(got) - 100<<10; i < 0 || got != data(i) {
				t.Errorf("read a mixture of two objects (%d bytes)", len(got))
				return
			}
		}
	})
	for i := range 20 {
		if err := s.Replace(t.Context(), "k", strings.NewReader(data(i)), int64(len(data(i)))); err != nil {
			t.Fatal(err)
		}
	}
}

func absent(t *testing.T, s blob.Store) {
	put(t, s, "a/b/c", "x")
	for _, key := range []string{"a", "a/b", "a/b/d", "z", "a/b/c/d"} {
		if _, err := s.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open(%q) = %v, want ErrNotFound", key, err)
		}
	}
}

func remove(t *testing.T, s blob.Store) {
	put(t, s, "a/b", "x")
	for range 2 {
		if err := s.Delete(t.Context(), "a/b"); err != nil {
			t.Fatal(err)
		}
		wantAbsent(t, s, "a/b")
	}
	if err := s.Delete(t.Context(), "no/such/key"); err != nil {
		t.Errorf("Delete of what never was: %v", err)
	}
	put(t, s, "a/b", "again")
	wantData(t, s, "a/b", "again")
}

func list(t *testing.T, s blob.Store) {
	for _, k := range []string{"a0", "a/b/c", "a-b", "a.b", "a/b-c", "a/z", "a_", "b/1"} {
		put(t, s, k, k)
	}
	for prefix, want := range map[string][]string{
		"":       {"a-b 3", "a.b 3", "a/b-c 5", "a/b/c 5", "a/z 3", "a0 2", "a_ 2", "b/1 3"},
		"a/":     {"a/b-c 5", "a/b/c 5", "a/z 3"},
		"a/b":    {"a/b-c 5", "a/b/c 5"},
		"a/b/":   {"a/b/c 5"},
		"b/1":    {"b/1 3"},
		"b/1/":   nil,
		"c":      nil,
		"c/":     nil,
		"../":    nil,
		"a//":    nil,
		"a":      {"a-b 3", "a.b 3", "a/b-c 5", "a/b/c 5", "a/z 3", "a0 2", "a_ 2"},
		"a/b/c/": nil,
	} {
		if diff := cmp.Diff(want, listed(t, s, prefix)); diff != "" {
			t.Errorf("List(%q) (-want +got):\n%s", prefix, diff)
		}
	}
}

func listStops(t *testing.T, s blob.Store) {
	put(t, s, "a/1", "x")
	put(t, s, "a/2", "x")
	n := 0
	err := s.List(t.Context(), "a/", func(blob.Info) error { n++; return errBoom })
	if !errors.Is(err, errBoom) || n != 1 {
		t.Errorf("List = %v after %d calls, want boom after 1", err, n)
	}
}

func keys(t *testing.T, s blob.Store) {
	put(t, s, strings.Repeat("a", 100)+"/"+strings.Repeat("b", 99), "long")
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", ".a", "a/.b", "A", "a b", "a\x00b", "ä", `a\b`, "a:b",
		strings.Repeat("a", 100) + "/" + strings.Repeat("b", 100),
	} {
		ctx := t.Context()
		if err := s.Put(ctx, key, strings.NewReader("x"), 1); !errors.Is(err, blob.ErrKey) {
			t.Errorf("Put(%q) = %v, want ErrKey", key, err)
		}
		if err := s.Replace(ctx, key, strings.NewReader("x"), 1); !errors.Is(err, blob.ErrKey) {
			t.Errorf("Replace(%q) = %v, want ErrKey", key, err)
		}
		if _, err := s.Open(ctx, key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("Open(%q) = %v, want ErrKey", key, err)
		}
		if err := s.Delete(ctx, key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("Delete(%q) = %v, want ErrKey", key, err)
		}
	}
}
