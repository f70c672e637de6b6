package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// Erase destroys the keys of frames, durably: from then on they are ErrErased,
// and no key that the vault stores opens them. Dictionaries of which no user is
// left go with them. Erasing again is no error.
//
// It replaces key objects, so it must not run in two processes for one tenant at
// the same time, nor while Compact is copying the same frames; segments that
// a crash of Compact has left must be removed before, for they hold copies. The
// storage below may keep the blocks of a replaced object until it needs them. Text
// that the erased message had in common with others can live on in a dictionary
// as long as one of its users does: see Sharing.
func (v *Vault) Erase(ctx context.Context, tenant uid.ID, refs []Ref) error {
	bySegment := map[uid.ID][]uint32{}
	for _, r := range refs {
		bySegment[r.Segment] = append(bySegment[r.Segment], r.Frame)
	}
	mu := v.erasingOf(tenant)
	mu.Lock()
	defer mu.Unlock()
	for segment, frames := range bySegment {
		if err := v.eraseIn(ctx, tenant, segment, frames); err != nil {
			return fmt.Errorf("erase in segment %s: %w", segment, err)
		}
	}
	return nil
}

func (v *Vault) erasingOf(tenant uid.ID) *sync.Mutex {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.erasing[tenant] == nil {
		v.erasing[tenant] = &sync.Mutex{}
	}
	return v.erasing[tenant]
}

func (v *Vault) eraseIn(ctx context.Context, tenant, segment uid.ID, frames []uint32) error {
	s, err := v.readSegment(ctx, tenant, segment)
	if err != nil {
		return err
	}
	keys := append([]*frameKey(nil), s.keys...)
	for _, n := range frames {
		if int64(n) >= int64(len(keys)) {
			return fmt.Errorf("frame %d: %w", n, ErrNotFound)
		}
		keys[n] = nil
	}
	dropUnusedDicts(s.frames, keys)
	key, err := v.tenantKey(ctx, tenant)
	if err != nil {
		return err
	}
	b, err := sealKeys(&key, tenant, segment, keys)
	if err != nil {
		return err
	}
	// Also if nothing has changed: an earlier Erase may have failed at the end.
	err = v.blobs.Replace(ctx, keysObject(tenant, segment), bytes.NewReader(b), int64(len(b)))
	v.erasures.Add(1)
	v.forget(tenant, segment)
	v.dicts.drop(func(k dictKey) bool { return k.segmentKey == segmentKey{tenant, segment} })
	return err
}

// Sharing returns the frames, but the given ones, that can be read only with
// a dictionary of one of the given ones, all of one segment. What erased messages
// had in common is readable in that dictionary until these have been moved by
// Compact; then Remove or Erase of the old frames destroys it.
func (v *Vault) Sharing(ctx context.Context, tenant uid.ID, segment uid.ID, erased []uint32) ([]Ref, error) {
	s, err := v.segment(ctx, tenant, segment)
	if err != nil {
		return nil, err
	}
	given, dicts := map[uint32]bool{}, map[int]bool{}
	for _, n := range erased {
		if int64(n) >= int64(len(s.frames)) {
			return nil, fmt.Errorf("frame %s: %w", Ref{segment, n}, ErrNotFound)
		}
		given[n] = true
		if d := s.frames[n].dict; d >= 0 {
			dicts[d] = true
		}
	}
	var refs []Ref
	for i, f := range s.frames {
		if f.dict >= 0 && dicts[f.dict] && s.keys[i] != nil && !given[uint32(i)] {
			refs = append(refs, Ref{segment, uint32(i)})
		}
	}
	return refs, nil
}

// dropUnusedDicts erases the keys of dictionaries that no readable frame uses.
func dropUnusedDicts(frames []frameEntry, keys []*frameKey) {
	used := map[int]bool{}
	for i, f := range frames {
		if keys[i] != nil && f.dict >= 0 {
			used[f.dict] = true
		}
	}
	for i, f := range frames {
		if f.kind == KindDict && !used[i] {
			keys[i] = nil
		}
	}
}

// Remove deletes whole segments, durably: old ones after a compaction, unknown
// ones after a crash. A missing one is no error. Their bytes go first: a crash
// in between leaves keys without a segment, which is harmless.
func (v *Vault) Remove(ctx context.Context, tenant uid.ID, segments ...uid.ID) error {
	for _, id := range segments {
		for _, name := range []string{segmentObject(tenant, id), keysObject(tenant, id)} {
			if err := v.blobs.Delete(ctx, name); err != nil && !errors.Is(err, blob.ErrNotFound) {
				return fmt.Errorf("remove segment %s: %w", id, err)
			}
		}
		v.forget(tenant, id)
		v.dicts.drop(func(k dictKey) bool { return k.segmentKey == segmentKey{tenant, id} })
	}
	return nil
}
