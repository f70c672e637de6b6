package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// shelf is a blob.Store in memory, for tests that write what a vault would not.
type shelf struct {
	blob.Store // only what is below is used
	mu         sync.Mutex
	objects    map[string][]byte
}

type shelved struct{ *bytes.Reader }

func (shelved) Close() error { return nil }

func (s *shelf) Open(_ context.Context, key string) (blob.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.objects[key]
	if !ok {
		return nil, blob.ErrNotFound
	}
	return shelved{bytes.NewReader(b)}, nil
}

func (s *shelf) put(key string, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = b
}

// noParts is a Finder that knows one part.
type noParts struct {
	sum Sum
	ref Ref
}

func (p noParts) FindPart(_ context.Context, _ uid.ID, sum Sum) (Ref, bool, error) {
	return p.ref, sum == p.sum, nil
}

// forger makes segments whose encryption is right and whose content is anything:
// what a reader meets if the writer was another version, or somebody with the key.
type forger struct {
	*Vault
	shelf   *shelf
	tenant  uid.ID
	segment uid.ID
	key     tenantKey
}

func newForger(t testing.TB) *forger {
	t.Helper()
	f := &forger{shelf: &shelf{objects: map[string][]byte{}}, tenant: uid.ID{1}, segment: uid.ID{2}}
	now := func() time.Time { return time.UnixMilli(1700000000000) }
	v, err := Open(Config{
		Blobs: f.shelf, Keys: newKeyring([keySize]byte{3}), Now: now, Spool: t.TempDir(),
		Parts: noParts{sum: Sum{4}, ref: Ref{f.segment, 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Vault, f.key = v, tenantKey{5}
	b, err := v.sealTenant(f.key, TenantInfo{ID: f.tenant})
	if err != nil {
		t.Fatal(err)
	}
	f.shelf.put(tenantObject(f.tenant), b)
	return f
}

// forge makes a segment of sealed frames with any index, and keys for them.
func (f *forger) forge(t testing.TB, index []byte, frames ...[]byte) {
	t.Helper()
	x := f.newIndex(f.tenant)
	x.id = f.segment
	b := x.header()
	keys := make([]*frameKey, len(frames))
	for i, sealed := range frames {
		keys[i] = &frameKey{byte(i)}
		b = append(b, sealed...)
	}
	a, err := derive(f.key[:], "muniment segment index 1", x.id[:]...)
	if err != nil {
		t.Fatal(err)
	}
	footer := seal(a, index, x.header())
	b = append(b, footer...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(footer)))
	sum := sha256.Sum256(b)
	b = append(append(b, sum[:]...), trailerMagic...)
	sealed, err := sealKeys(&f.key, f.tenant, f.segment, keys)
	if err != nil {
		t.Fatal(err)
	}
	f.shelf.put(segmentObject(f.tenant, f.segment), b)
	f.shelf.put(keysObject(f.tenant, f.segment), sealed)
	f.forget(f.tenant, f.segment)
	f.dicts.drop(func(dictKey) bool { return true })
}

// readAll reads everything there is. It wants no more than no panic, some bounds
// and errors of the kinds that are promised.
func (f *forger) readAll(t testing.TB, frames int) {
	t.Helper()
	start := time.Now()
	report := func(what string, err error) {
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrErased) {
			t.Errorf("%s: %v", what, err)
		}
	}
	ctx := t.Context()
	report("check", f.Check(ctx, f.tenant, f.segment, func(e Entry) error {
		report("entry", e.Err)
		return nil
	}))
	for n := range uint32(frames) {
		ref := Ref{f.segment, n}
		_, err := f.Meta(ctx, f.tenant, ref)
		report("meta", err)
		c, err := f.Open(ctx, f.tenant, ref, Want{})
		report("open", err)
		if err != nil {
			continue
		}
		got, err := io.Copy(io.Discard, c)
		report("read", err)
		if err == nil && got != c.Size() {
			t.Errorf("%d bytes, announced %d", got, c.Size())
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %v", d)
	}
}

// Whatever is in a segment, index and frames, reading it ends with an error or
// with what it announces.
func FuzzSegment(f *testing.F) {
	x := newForger(f)
	seed := func(meta string, ops []op, stream string) {
		b := appendHead(nil, head{meta: []byte(meta), ops: ops})
		plain := appendPlain(sha256.Sum256([]byte(stream)), []byte("raw section"), codecPlain, append(b, stream...))
		f.Add([]byte{0, 1, byte(KindMessage), 150, 1, 5, 6, 7}, plain, []byte{1, 0}, int64(len(stream)), true)
		kind, z := x.codec.compress(nil, append(b, stream...))
		f.Add([]byte{}, appendPlain(sha256.Sum256([]byte(stream)), nil, kind, z), []byte{0}, int64(1<<20+1), false)
	}
	seed("", nil, "")
	seed("{}", nil, "Subject: x\r\n\r\ntext\r\n")
	seed("{}", []op{{gap: 3, from: fromStream, crlf: true, line: 76, size: 96}}, string(make([]byte, 200)))
	seed("", []op{{from: fromRaw, line: 1, size: 99}, {from: fromPart, line: 76, size: 96, sum: Sum{4}}}, "end")
	f.Add([]byte{0, 2, byte(KindMessage) | dictBit, 1}, []byte("x"), []byte("0123456789"), int64(5), false)
	f.Fuzz(func(t *testing.T, index, first, second []byte, size int64, large bool) {
		if len(index)+len(first)+len(second) > 1<<16 {
			return
		}
		aoid := uid.ID{6}
		if size = size & (MaxObject - 1); !large {
			size &= smallSize - 1
		}
		for _, kind := range []Kind{KindMessage, KindPart, KindRecord} {
			other := KindPart
			if kind == KindRecord {
				other = KindDict
			}
			entries := []frameEntry{{kind: kind, aoid: aoid, size: size, dict: -1}, {kind: other, size: int64(len(second)), dict: -1}}
			if other == KindDict {
				entries[0].dict = 1
			}
			if kind == KindPart {
				entries[0].aoid = uid.ID{}
			}
			var sealed [2][]byte
			for i, plain := range [][]byte{first, second} {
				var err error
				id := frameID{x.tenant, entries[i].kind, entries[i].aoid}
				if sealed[i], err = sealFrame(nil, &frameKey{byte(i)}, id, plain); err != nil {
					t.Fatal(err)
				}
				entries[i].stored = int64(len(sealed[i]))
			}
			good := (&indexOf{frames: entries}).bytes()
			x.forge(t, good, sealed[0], sealed[1])
			x.readAll(t, 2)
			x.forge(t, index, sealed[0], sealed[1])
			x.readAll(t, 2)
		}
		// And without the key: the bytes themselves.
		x.shelf.put(segmentObject(x.tenant, x.segment), slices.Concat(index, first, second))
		x.forget(x.tenant, x.segment)
		x.readAll(t, 1)
	})
}

// indexOf makes the plaintext of an index.
type indexOf index

func (x *indexOf) bytes() []byte { return (*index)(x).appendIndex(nil) }

// A frame comes back as it was, from memory and from a stream; and not at all if
// anything about it has changed.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(""), uint16(0), uint32(0))
	f.Add([]byte("some text"), uint16(1), uint32(3))
	f.Add(make([]byte, 64), uint16(chunkSize/64), uint32(chunkSize+3))
	f.Add(make([]byte, 100), uint16(2000), uint32(70000))
	f.Fuzz(func(t *testing.T, piece []byte, times uint16, at uint32) {
		plain := bytes.Repeat(piece, min(int(times), 4*chunkSize/(len(piece)+1)))
		key, id := newFrameKey(), frameID{uid.ID{1}, KindMessage, uid.ID{2}}
		sealed, err := sealFrame(nil, &key, id, plain)
		if err != nil || int64(len(sealed)) != sealedSize(int64(len(plain))) {
			t.Fatalf("sealed %d bytes as %d, %v", len(plain), len(sealed), err)
		}
		var streamed bytes.Buffer
		w, err := newFrameWriter(&streamed, &key, id)
		if err != nil {
			t.Fatal(err)
		}
		for p := plain; len(p) > 0; {
			n := min(len(p), 1+len(piece)/3)
			if _, err := w.Write(p[:n]); err != nil {
				t.Fatal(err)
			}
			p = p[n:]
		}
		if err := w.Close(); err != nil || !bytes.Equal(streamed.Bytes(), sealed) {
			t.Fatalf("a stream of %d bytes is sealed otherwise, %v", len(plain), err)
		}
		if got, err := openFrame(&key, id, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes come back as %d, %v", len(plain), len(got), err)
		}
		i := int(at) % len(sealed)
		for what, bad := range map[string][]byte{
			"changed":  slices.Concat(sealed[:i], []byte{sealed[i] ^ 1}, sealed[i+1:]),
			"cut":      sealed[:i],
			"extended": append(slices.Clone(sealed), byte(at)),
			"foreign":  piece,
		} {
			if _, err := openFrame(&key, id, bad); err == nil {
				t.Errorf("%s at %d of %d: it opens", what, i, len(sealed))
			}
		}
		for _, other := range []frameID{{uid.ID{2}, id.kind, id.aoid}, {id.tenant, KindPart, id.aoid}, {id.tenant, id.kind, uid.ID{3}}} {
			if _, err := openFrame(&key, other, sealed); err == nil {
				t.Errorf("it opens as %+v", other)
			}
		}
		if len(sealed) > 2*(chunkSize+tagSize) { // chunks cannot change places
			const n = chunkSize + tagSize
			if _, err := openFrame(&key, id, slices.Concat(sealed[n:2*n], sealed[:n], sealed[2*n:])); err == nil {
				t.Error("it opens with two chunks exchanged")
			}
		}
	})
}
