package vault_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// places is where messages are, as the archive's catalog knows it.
type places struct {
	mu  sync.Mutex
	of  map[uid.ID]vault.Ref
	raw map[uid.ID][]byte
}

func (p *places) get(id uid.ID) (vault.Ref, []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[id], p.raw[id]
}

func (p *places) ids() (ids []uid.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.of {
		ids = append(ids, id)
	}
	return ids
}

// Writers, readers, a checker, an eraser and a compactor at work at once. Run it
// with -race.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	shared := noise(9, 20<<10)
	known := &places{of: map[uid.ID]vault.Ref{}, raw: map[uid.ID][]byte{}}
	write := func(n int) error {
		var batch []*vault.Prepared
		raws := map[uid.ID][]byte{}
		for i := range 4 {
			o := vault.Object{AOID: b.id()}
			raws[o.AOID] = []byte(mail(fmt.Sprintf("%d of %d", i, n), wrap(shared, 60+i, "\r\n"), wrap(noise(uint64(n), 200), 76, "\r\n")))
			o.Raw = bytes.NewReader(raws[o.AOID])
			p, err := b.Prepare(t.Context(), b.tenant, o)
			if err != nil {
				return err
			}
			defer p.Close()
			batch = append(batch, p)
		}
		seg, err := b.Write(t.Context(), b.tenant, batch, nil)
		if err != nil {
			return err
		}
		b.learn(seg)
		known.mu.Lock()
		defer known.mu.Unlock()
		for _, f := range seg.Frames {
			if f.Kind == vault.KindMessage {
				known.of[f.AOID], known.raw[f.AOID] = f.Ref, raws[f.AOID]
			}
		}
		return nil
	}
	read := func(id uid.ID) error {
		for try := 0; ; try++ {
			ref, raw := known.get(id)
			if raw == nil {
				return nil // erased meanwhile
			}
			c, err := b.Open(t.Context(), b.tenant, ref, vault.Want{SHA256: sha256.Sum256(raw), Size: int64(len(raw))})
			var got []byte
			if err == nil {
				got, err = io.ReadAll(c)
				err = errors.Join(err, c.Close())
			}
			if err != nil && try < 50 {
				continue // it has moved
			}
			if err == nil && !bytes.Equal(got, raw) {
				err = errors.New("other bytes")
			}
			return err
		}
	}
	var work sync.WaitGroup
	run := func(n int, do func(i int) error) {
		work.Go(func() {
			for i := range n {
				if err := do(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for w := range 3 {
		run(20, func(i int) error { return write(100*w + i) })
		run(20, func(int) error {
			for _, id := range known.ids() {
				if err := read(id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	var moving sync.Mutex // erasing and compacting exclude each other, as the archive sees to
	run(10, func(int) error {
		moving.Lock()
		defer moving.Unlock()
		for _, id := range known.ids()[:min(1, len(known.ids()))] {
			known.mu.Lock()
			ref := known.of[id]
			delete(known.of, id)
			delete(known.raw, id)
			known.mu.Unlock()
			if err := b.Erase(t.Context(), b.tenant, []vault.Ref{ref}); err != nil {
				return err
			}
		}
		return nil
	})
	run(3, func(int) error {
		moving.Lock()
		defer moving.Unlock()
		return b.moveAll(known)
	})
	work.Wait()
	if err := b.moveAll(known); err != nil {
		t.Error(err)
	}
	b.reopen()
	for _, id := range known.ids() {
		if err := read(id); err != nil {
			t.Error(err)
		}
	}
	b.wantClean()
}

// moveAll compacts every message that is known, with the part.
func (b *box) moveAll(known *places) error {
	var refs []vault.Ref
	for _, id := range known.ids() {
		ref, _ := known.get(id)
		refs = append(refs, ref)
	}
	c, err := b.Compact(b.t.Context(), b.tenant, refs)
	if err != nil {
		return err
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	for _, m := range c.Moves {
		known.of[m.AOID] = m.To
	}
	return nil
}
