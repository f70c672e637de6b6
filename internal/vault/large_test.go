package vault_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/muniment/muniment/internal/vault"
)

// hugeMail is a message with one attachment of any size that exists only where it
// is read: lines of base64 that differ.
type hugeMail struct {
	lines int64
	high  atomic.Uint64 // most bytes in the heap while it was read
}

const (
	hugeHead = "From: a@example.org\r\nSubject: huge\r\n\r\n"
	hugeTail = "\r\n--b--\r\n"
	hugeLine = 78
)

func (h *hugeMail) Size() int64 {
	return int64(len(hugeHead)+len(hugeTail)) + h.lines*hugeLine
}

func (h *hugeMail) ReadAt(p []byte, off int64) (int, error) {
	h.measure()
	n := 0
	for n < len(p) && off < h.Size() {
		k := copy(p[n:], h.at(off))
		n += k
		off += int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// at returns some bytes from an offset on.
func (h *hugeMail) at(off int64) string {
	if off < int64(len(hugeHead)) {
		return hugeHead[off:]
	}
	off -= int64(len(hugeHead))
	if off >= h.lines*hugeLine {
		return hugeTail[off-h.lines*hugeLine:]
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var b [hugeLine]byte
	x := uint64(off/hugeLine)*0x9E3779B97F4A7C15 + 1
	for i := range b[:76] {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = alphabet[x>>58]
	}
	b[76], b[77] = '\r', '\n'
	return string(b[off%hugeLine:])
}

func (h *hugeMail) measure() {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	for {
		old := h.high.Load()
		if now := s[0].Value.Uint64(); now <= old || h.high.CompareAndSwap(old, now) {
			return
		}
	}
}

// A message of 150 MB is stored, read and checked in little memory. The test is
// not parallel to others: it looks at the heap.
func TestHugeMessage(t *testing.T) {
	b := newBox(t)
	h := &hugeMail{lines: 150 << 20 / hugeLine}
	want := sha256.New()
	if _, err := io.Copy(want, io.NewSectionReader(h, 0, h.Size())); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	h.high.Store(0)
	h.measure()
	start := h.high.Load()
	p, err := b.Prepare(t.Context(), b.tenant, vault.Object{AOID: b.id(), Raw: h, Meta: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Sums().SHA256 != vault.Sum(want.Sum(nil)) {
		t.Error("Prepare has another SHA-256")
	}
	if got, limit := p.Stored(), h.Size()*76/100; got > limit {
		t.Errorf("stored as %d bytes, want at most %d: the body decoded", got, limit)
	}
	seg, err := b.Write(t.Context(), b.tenant, []*vault.Prepared{p}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.learn(seg)
	ref := seg.Frames[len(seg.Frames)-1].Ref
	same := func() {
		c, err := b.Open(t.Context(), b.tenant, ref, vault.Want{SHA256: p.Sums().SHA256, Size: h.Size()})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := sameBytes(c, io.NewSectionReader(h, 0, h.Size())); err != nil {
			t.Error(err)
		}
	}
	same()
	for _, err := range b.check() {
		t.Error(err)
	}
	refs, _ := b.refs()
	c, err := b.Compact(t.Context(), b.tenant, refs)
	if err != nil {
		t.Fatal(err)
	}
	b.follow(c, nil)
	ref = c.Moves[len(c.Moves)-1].To
	same()
	grown := int64(h.high.Load()) - int64(start)
	t.Logf("%d MB of mail took %d MB of heap", h.Size()>>20, grown>>20)
	if grown > 64<<20 {
		t.Error("that is too much")
	}
}

func sameBytes(a, b io.Reader) error {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(a, x)
		m, err2 := io.ReadFull(b, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return errors.New("the bytes differ")
		}
		if err != nil || err2 != nil {
			if fmt.Sprint(err) != fmt.Sprint(err2) {
				return fmt.Errorf("one ends with %w, the other with %w", err, err2)
			}
			return nil
		}
	}
}

// A message of nothing but short bodies must not take memory by the body.
func TestManyCuts(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	body := wrap(noise(1, 96), 128, "\r\n") + "\r\nx\r\n"
	m := b.store(strings.Repeat(body, 70_000))
	b.wantRead(m...)
	b.wantClean()
}

// Sizes around every boundary of the format, stored and compacted.
func TestSizes(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	var raws []string
	for _, n := range []int{0, 1, 95, 96, 97, 16<<10 - 1, 16 << 10, 16<<10 + 1, 64<<10 - 40, 64 << 10, 64<<10 + 1, 1<<20 - 1, 1 << 20, 1<<20 + 1} {
		raws = append(raws, string(noise(uint64(n), n)), strings.Repeat("text of a line\r\n", n/16), mail("body", wrap(noise(uint64(n+1), n), 76, "\r\n")))
	}
	msgs := b.store(raws...)
	b.wantRead(msgs...)
	b.wantClean()
	b.compact(msgs)
	b.reopen()
	b.wantRead(msgs...)
	b.wantClean()
}
