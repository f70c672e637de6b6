package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/vault"
)

// faults makes one file system call fail: the n-th after arm.
type faults struct {
	mu    sync.Mutex
	n     int
	call  string // which one has failed
	count int
}

func (f *faults) before(op, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count++; f.n == 0 || f.count != f.n {
		return nil
	}
	f.call = fmt.Sprintf("%s %s", op, filepath.Ext(path))
	return syscall.EIO
}

// arm returns what tells which call has failed, and makes no more fail.
func (f *faults) arm(n int) func() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.count, f.call = n, 0, ""
	return func() string {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.n = 0
		return f.call
	}
}

// eachCall runs test once for every file system call that act makes, with that
// call failing, each time with a new box; and once with none failing.
func eachCall(t *testing.T, prepare func(b *box), act func(b *box) error, check func(b *box, failed string, err error)) {
	t.Helper()
	for n := 1; ; n++ {
		b := newBox(t)
		f := &faults{}
		s, err := file.Open(filepath.Join(b.dir, "blobs"), file.WithFS(file.Faulty(file.OS(), f.before)))
		if err != nil {
			t.Fatal(err)
		}
		b.cfg.Blobs = s
		b.reopen()
		prepare(b)
		disarm := f.arm(n)
		err = act(b)
		failed := disarm()
		check(b, failed, err)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if failed == "" {
			if err != nil || n < 5 {
				t.Errorf("call %d, none failed: %v", n, err)
			}
			return
		}
		if t.Failed() {
			t.Fatalf("call %d, %s, failed", n, failed)
		}
	}
}

// fatal tells whether a call that fails must make the whole fail. That what was
// read cannot be closed says nothing.
func fatal(failed string) bool {
	return failed != "" && failed != "close .key" && failed != "close .seg"
}

// wantWhole makes sure that every segment that can be seen is whole, and that
// there is no damage.
func (b *box) wantWhole(failed string) {
	b.t.Helper()
	for _, err := range b.check() {
		b.t.Errorf("%s fails: check: %v", failed, err)
	}
	err := b.Strays(b.t.Context(), b.tenant, func(s vault.Stray) error {
		if !s.Harmless {
			b.t.Errorf("%s fails: stray %+v", failed, s)
		}
		return b.RemoveStray(b.t.Context(), s)
	})
	if err != nil {
		b.t.Errorf("%s fails: strays: %v", failed, err)
	}
}

func TestEveryCallOfWriteFails(t *testing.T) {
	t.Parallel()
	raws := [][]byte{[]byte(mail("one", wrap(noise(1, 20<<10), 76, "\r\n"))), []byte(mail("two", "text")), noise(3, 2<<20)}
	var before stored
	var batch []*vault.Prepared
	eachCall(t, func(b *box) {
		before = b.store(mail("before", "this is acknowledged"))[0]
		batch = nil
		for _, raw := range raws {
			p, err := b.Prepare(t.Context(), b.tenant, vault.Object{AOID: b.id(), Raw: bytes.NewReader(raw)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
			batch = append(batch, p)
		}
	}, func(b *box) error {
		seg, err := b.Write(t.Context(), b.tenant, batch, nil)
		if err == nil {
			b.learn(seg)
		}
		return err
	}, func(b *box, failed string, err error) {
		if failed != "" && err == nil {
			t.Errorf("%s fails and Write does not tell", failed)
		}
		if failed != "" && !errors.Is(err, syscall.EIO) {
			t.Errorf("%s fails: Write = %v, want EIO", failed, err)
		}
		b.reopen()
		b.wantWhole(failed)
		b.wantRead(before)
		seg, err := b.Write(t.Context(), b.tenant, batch, nil)
		if err != nil {
			t.Fatalf("%s has failed: the next Write = %v", failed, err)
		}
		b.learn(seg)
		b.reopen()
		for _, f := range seg.Frames {
			if f.Kind != vault.KindMessage {
				continue
			}
			for i, p := range batch {
				if p.AOID() == f.AOID {
					got, err := b.ReadAll(t.Context(), b.tenant, f.Ref, vault.Want{}, 3<<20)
					if err != nil || !bytes.Equal(got, raws[i]) {
						t.Errorf("%s has failed: message %d = %d bytes, %v", failed, i, len(got), err)
					}
				}
			}
		}
		b.wantWhole(failed)
	})
}

func TestEveryCallOfEraseFails(t *testing.T) {
	t.Parallel()
	var msgs []stored
	eachCall(t, func(b *box) {
		msgs = b.store(mail("one", "text"), mail("two", "text"), mail("three", "text"))
		b.reopen()
	}, func(b *box) error {
		return b.Erase(t.Context(), b.tenant, []vault.Ref{msgs[1].ref})
	}, func(b *box, failed string, err error) {
		if fatal(failed) && !errors.Is(err, syscall.EIO) {
			t.Errorf("%s fails: Erase = %v, want EIO", failed, err)
		}
		for range 2 {
			b.wantRead(msgs[0], msgs[2])
			if got, err := b.read(msgs[1]); !errors.Is(err, vault.ErrErased) && (failed == "" || !bytes.Equal(got, msgs[1].raw)) {
				t.Errorf("%s fails: the erased = %q, %v", failed, got, err)
			}
			b.wantWhole(failed)
			b.reopen()
		}
		if err := b.Erase(t.Context(), b.tenant, []vault.Ref{msgs[1].ref}); err != nil {
			t.Errorf("%s has failed: the next Erase = %v", failed, err)
		}
		if _, err := b.read(msgs[1]); !errors.Is(err, vault.ErrErased) {
			t.Errorf("%s has failed: after the next Erase = %v", failed, err)
		}
	})
}

func TestEveryCallOfCompactFails(t *testing.T) {
	t.Parallel()
	var msgs []stored
	var refs []vault.Ref
	var out *vault.Compaction
	eachCall(t, func(b *box) {
		msgs = b.store(similar()[:1]...)
		msgs = append(msgs, b.store(mail("part", wrap(noise(1, 20<<10), 76, "\r\n")), string(noise(4, 1<<20+1)))...)
		refs, _ = b.refs()
		b.reopen()
	}, func(b *box) (err error) {
		out, err = b.Compact(t.Context(), b.tenant, refs)
		return err
	}, func(b *box, failed string, err error) {
		if fatal(failed) && err == nil {
			t.Errorf("%s fails and Compact does not tell", failed)
		}
		b.reopen()
		b.wantRead(msgs...) // where they were
		b.wantWhole(failed)
		if out, err = b.Compact(t.Context(), b.tenant, refs); err != nil {
			t.Fatalf("%s has failed: the next Compact = %v", failed, err)
		}
		b.wantRead(msgs...)
		b.follow(out, msgs)
		b.wantRead(msgs...)
		b.wantWhole(failed)
	})
}

func TestEveryCallOfRemoveFails(t *testing.T) {
	t.Parallel()
	var msgs, other []stored
	eachCall(t, func(b *box) {
		msgs, other = b.store(mail("one", "text")), b.store(mail("other", "text"))
	}, func(b *box) error {
		return b.Remove(t.Context(), b.tenant, msgs[0].ref.Segment)
	}, func(b *box, failed string, err error) {
		if failed != "" && !errors.Is(err, syscall.EIO) {
			t.Errorf("%s fails: Remove = %v, want EIO", failed, err)
		}
		b.reopen()
		b.wantWhole(failed)
		if err := b.Remove(t.Context(), b.tenant, msgs[0].ref.Segment); err != nil {
			t.Errorf("%s has failed: the next Remove = %v", failed, err)
		}
		b.wantClean()
		b.wantRead(other...)
		if _, err := b.read(msgs[0]); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s has failed: the removed = %v, want ErrNotFound", failed, err)
		}
	})
}

// What a write may rely on is durable before: the keys, then the segment.
func TestOrderOfWrite(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var calls []string
	s, err := file.Open(filepath.Join(b.dir, "blobs"), file.WithFS(file.Faulty(file.OS(), func(op, path string) error {
		if ext := filepath.Ext(path); op == "publish" || op == "sync" {
			calls = append(calls, op+map[string]string{".key": " keys", ".seg": " segment"}[ext])
		}
		return nil
	})))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b.cfg.Blobs = s
	b.reopen()
	b.store("the first makes directories")
	calls = nil
	b.store("x")
	// Each is synced without a name, gets its name, and its directory is synced.
	want := []string{"sync", "publish keys", "sync", "sync", "publish segment", "sync"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
