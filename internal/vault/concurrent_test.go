package vault_test

import (
	"bytes"
	"errors"
	"fmt"
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

// fair is a box at which many are at work.
type fair struct {
	*box
	places
	shared []byte
	moving sync.Mutex // erasing and compacting exclude each other, as the archive sees to
}

func (f *fair) write(n int) error {
	var batch []*vault.Prepared
	raws := map[uid.ID][]byte{}
	for i := range 4 {
		o := vault.Object{AOID: f.id()}
		raws[o.AOID] = []byte(mail(fmt.Sprintf("%d of %d", i, n), wrap(f.shared, 60+i, "\r\n"), wrap(noise(uint64(n), 200), 76, "\r\n")))
		o.Raw = bytes.NewReader(raws[o.AOID])
		p, err := f.Prepare(f.t.Context(), f.tenant, o)
		if err != nil {
			return err
		}
		defer p.Close()
		batch = append(batch, p)
	}
	seg, err := f.Write(f.t.Context(), f.tenant, batch, nil)
	if err != nil {
		return err
	}
	f.learn(seg)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range seg.Frames {
		if x.Kind == vault.KindMessage {
			f.of[x.AOID], f.raw[x.AOID] = x.Ref, raws[x.AOID]
		}
	}
	return nil
}

func (f *fair) readAll(int) error {
	for _, id := range f.ids() {
		if err := f.readOne(id); err != nil {
			return err
		}
	}
	return nil
}

func (f *fair) readOne(id uid.ID) error {
	for try := 0; ; try++ {
		ref, raw := f.get(id)
		if raw == nil {
			return nil // erased meanwhile
		}
		got, err := f.read(stored{ref: ref, raw: raw})
		if err != nil && try < 50 {
			continue // it has moved
		}
		if err == nil && !bytes.Equal(got, raw) {
			err = errors.New("other bytes")
		}
		return err
	}
}

func (f *fair) eraseOne(int) error {
	f.moving.Lock()
	defer f.moving.Unlock()
	ids := f.ids()
	if len(ids) == 0 {
		return nil
	}
	f.mu.Lock()
	ref := f.of[ids[0]]
	delete(f.of, ids[0])
	delete(f.raw, ids[0])
	f.mu.Unlock()
	return f.Erase(f.t.Context(), f.tenant, []vault.Ref{ref})
}

// moveAll compacts every message that is known.
func (f *fair) moveAll(int) error {
	f.moving.Lock()
	defer f.moving.Unlock()
	var refs []vault.Ref
	for _, id := range f.ids() {
		ref, _ := f.get(id)
		refs = append(refs, ref)
	}
	c, err := f.Compact(f.t.Context(), f.tenant, refs)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range c.Moves {
		f.of[m.AOID] = m.To
	}
	return nil
}

// Writers, readers, an eraser and a compactor at work at once. Run it with -race.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	f := &fair{box: newBox(t), places: places{of: map[uid.ID]vault.Ref{}, raw: map[uid.ID][]byte{}}, shared: noise(9, 20<<10)}
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
		run(20, func(i int) error { return f.write(100*w + i) })
		run(20, f.readAll)
	}
	run(10, f.eraseOne)
	run(3, f.moveAll)
	work.Wait()
	if err := f.moveAll(0); err != nil {
		t.Error(err)
	}
	f.reopen()
	if err := f.readAll(0); err != nil {
		t.Error(err)
	}
	f.wantClean()
}
