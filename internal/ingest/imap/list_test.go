package imap

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/testkit/imapd"
)

// TestListFindsAll compares pages with the truth, for folders with any gaps
// between UIDs.
func TestListFindsAll(t *testing.T) {
	t.Parallel()
	for _, m := range []imapd.Misbehaviour{"", imapd.NoUIDNext, imapd.UIDNextTooLow, imapd.Unordered, imapd.FlagsFirst} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{m}})
			c := loggedIn(t, s, config(s, TLSNone))
			tries := 0
			rapid.Check(t, func(r *rapid.T) {
				tries++
				folder := fmt.Sprint("Folder ", tries)
				left := uint32(1<<32 - 3000)
				for range rapid.IntRange(0, 5).Draw(r, "gaps") {
					gap := rapid.SampledFrom([]uint32{0, 1, 1000, 1 << 20, 1 << 29, 1 << 30}).Draw(r, "gap")
					if gap > left {
						break
					}
					left -= gap
					s.Skip(folder, gap)
					for range rapid.IntRange(0, 60).Draw(r, "messages") {
						s.Add(folder, []byte("Subject: x\r\n\r\n"))
					}
				}
				if _, err := c.Select(t.Context(), folder, true, 0); err != nil {
					if len(s.UIDs(folder)) == 0 {
						return // there is no such folder
					}
					r.Fatal(err)
				}
				from := UID(rapid.Uint32().Draw(r, "from"))
				if rapid.Bool().Draw(r, "whole") {
					from = 0
				}
				var want []UID
				for _, u := range s.UIDs(folder) {
					if UID(u) >= from {
						want = append(want, UID(u))
					}
				}
				var got []UID
				count := rapid.SampledFrom([]int{5, 20, 100}).Draw(r, "count")
				calls := 0
				for next := max(1, from); next != 0; calls++ {
					var page []Entry
					var err error
					if page, next, err = c.List(t.Context(), next, count); err != nil || len(page) > count {
						r.Fatalf("%d entries, %v", len(page), err)
					}
					for _, e := range page {
						got = append(got, e.UID)
						if e.Size != 14 || e.Date.IsZero() {
							r.Fatalf("entry %+v", e)
						}
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					r.Fatal(diff)
				}
				if calls > 60+3*len(want)/count+len(want) {
					r.Fatalf("%d calls", calls)
				}
			})
		})
	}
}

// TestListOfManyIsBounded pages through a folder of many messages.
func TestListOfManyIsBounded(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 20_000
	}
	const count = 1000
	s := imapd.New(t, imapd.Options{Polite: true})
	for range n {
		s.AddLarge("INBOX", 14, func() io.Reader { return strings.NewReader("Subject: x\r\n\r\n") })
	}
	c := selected(t, s, config(s, TLSNone))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := uint64(0)
	seen, calls, last := 0, 0, UID(0)
	for next := UID(1); next != 0; calls++ {
		page, to, err := c.List(t.Context(), next, count)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if e.UID <= last {
				t.Fatalf("%d after %d", e.UID, last)
			}
			last = e.UID
		}
		seen += len(page)
		next = to
		if calls%20 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapAlloc)
		}
	}
	if seen != n || calls > 3*n/count {
		t.Errorf("%d of %d messages in %d calls", seen, n, calls)
	}
	if most > before.HeapAlloc+16<<20 {
		t.Errorf("%d bytes of memory are held", most-before.HeapAlloc)
	}
	t.Logf("%d messages in %d calls", seen, calls)
}

// TestAnyBytes is about messages of any bytes. NUL, which a literal must not
// hold (RFC 9051 §9, CHAR8), passes too if a server sends it all the same.
func TestAnyBytes(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{})
	c := selected(t, s, config(s, TLSNone))
	rapid.Check(t, func(r *rapid.T) {
		want := map[UID][]byte{}
		for range rapid.IntRange(1, 5).Draw(r, "messages") {
			m := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(r, "bytes")
			if rapid.Bool().Draw(r, "long") {
				m = slices.Repeat(m, 1+rapid.IntRange(0, 500).Draw(r, "times"))
			}
			want[UID(s.Add("INBOX", m))] = m
		}
		var uids []UID
		for u := range want {
			uids = append(uids, u)
		}
		if err := c.Noop(t.Context()); err != nil { // makes the server notice
			r.Fatal(err)
		}
		got, bad, err := fetchAll(t.Context(), c, uids)
		if err != nil || len(bad) > 0 {
			r.Fatal(err, bad)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatal(diff)
		}
	})
}

// pattern is an endless message without a period that buffers have.
type pattern struct{ r *rand.ChaCha8 }

func newPattern() io.Reader { return pattern{rand.NewChaCha8([32]byte{7})} }

// Read implements io.Reader.
func (p pattern) Read(b []byte) (int, error) { return p.r.Read(b) }

// comparer compares what is written with a pattern.
type comparer struct {
	want io.Reader
	buf  []byte
	most uint64 // bytes of heap in use
	n    int64
}

// Write implements io.Writer.
func (c *comparer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		b := c.buf[:min(len(rest), len(c.buf))]
		if _, err := io.ReadFull(c.want, b); err != nil {
			return 0, err
		}
		if string(b) != string(rest[:len(b)]) {
			return 0, fmt.Errorf("differs after %d bytes", c.n)
		}
		rest = rest[len(b):]
	}
	if c.n>>23 != (c.n+int64(len(p)))>>23 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		c.most = max(c.most, m.HeapAlloc)
	}
	c.n += int64(len(p))
	return len(p), nil
}

// TestLargeMessage streams 150 MB, the most that Exchange Online has.
func TestLargeMessage(t *testing.T) {
	size := int64(150 << 20)
	if testing.Short() {
		size = 20 << 20
	}
	for _, mode := range []TLSMode{TLSNone, TLSImplicit} {
		s := imapd.New(t, imapd.Options{ImplicitTLS: mode == TLSImplicit})
		uid := UID(s.AddLarge("INBOX", size, newPattern))
		c := selected(t, s, config(s, mode))
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		w := &comparer{want: newPattern(), buf: make([]byte, 64<<10)}
		n, err := c.Fetch(t.Context(), uid, w, size)
		if err != nil || n != size || w.n != size {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if w.most > before.HeapAlloc+16<<20 {
			t.Errorf("%d bytes of memory were held", w.most-before.HeapAlloc)
		}
		t.Logf("at most %d KiB more than before", (int64(w.most)-int64(before.HeapAlloc))>>10)
	}
}
