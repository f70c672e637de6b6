package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// Write stores a batch as one new segment: the parts that are new, then objs,
// then recs, in their order; a part that several objs bring is stored once. When
// it returns nil everything is durable. After an error or a crash the segment is
// whole or absent; a whole one that no catalog knows was never acknowledged (see
// ListSegments, Remove). The objs are not closed.
func (v *Vault) Write(ctx context.Context, tenant uid.ID, objs []*Prepared, recs []Record) (*Segment, error) {
	frames, err := v.collect(ctx, tenant, objs, recs)
	if err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	if len(frames) == 0 {
		return nil, errors.New("write segment: nothing to write")
	}
	s, err := v.storeFrames(ctx, v.newIndex(tenant), frames)
	if err != nil {
		return nil, fmt.Errorf("write segment: %w", err)
	}
	return s, nil
}

// storeFrames writes frames as the segment that x begins.
func (v *Vault) storeFrames(ctx context.Context, x *index, frames []*preparedFrame) (*Segment, error) {
	keys := make([]*frameKey, len(frames))
	readers := make([]io.Reader, len(frames))
	for i, f := range frames {
		x.frames = append(x.frames, frameEntry{kind: f.kind, aoid: f.aoid, stored: f.stored, size: f.size, dict: f.dict - 1})
		key := f.key // a copy: the cache must not hold the frame by its key
		keys[i] = &key
		readers[i] = f.reader()
	}
	if err := v.store(ctx, x, keys, io.MultiReader(readers...)); err != nil {
		return nil, err
	}
	s := x.public()
	s.Size = x.total + keysSize(keys)
	for i, f := range frames {
		s.Frames[i].SHA256 = f.sum
	}
	return s, nil
}

func (v *Vault) newIndex(tenant uid.ID) *index {
	now := v.now().UTC().Truncate(time.Millisecond)
	return &index{tenant: tenant, id: uid.New(now), created: now}
}

// collect lists the frames of a batch.
func (v *Vault) collect(ctx context.Context, tenant uid.ID, objs []*Prepared, recs []Record) ([]*preparedFrame, error) {
	var parts, rest []*preparedFrame
	seen := map[Sum]bool{}
	for _, p := range objs {
		if p.tenant != tenant {
			return nil, errors.New("an object was prepared for another tenant")
		}
		for i := range p.frames {
			f := &p.frames[i]
			if f.kind != KindPart {
				rest = append(rest, f)
				continue
			}
			if seen[f.sum] {
				continue
			}
			seen[f.sum] = true
			// It may have come meanwhile, with another batch.
			ok, err := v.known(ctx, tenant, f.sum)
			if err != nil {
				return nil, err
			}
			if !ok {
				parts = append(parts, f)
			}
		}
	}
	for _, r := range recs {
		f, err := v.prepareRecord(tenant, r)
		if err != nil {
			return nil, err
		}
		rest = append(rest, f)
	}
	if n := len(parts) + len(rest); n > MaxFrames {
		return nil, fmt.Errorf("%d frames in one segment: %w", n, ErrTooLarge)
	}
	return append(parts, rest...), nil
}

func (v *Vault) prepareRecord(tenant uid.ID, r Record) (*preparedFrame, error) {
	if len(r.Data) > MaxMeta || r.AOID.IsZero() {
		return nil, fmt.Errorf("record of %q with %d bytes: %w", r.AOID, len(r.Data), ErrTooLarge)
	}
	kind, z := v.codec.compress(nil, r.Data)
	f := &preparedFrame{kind: KindRecord, aoid: r.AOID, size: int64(len(r.Data)), key: newFrameKey()}
	var err error
	f.data, err = sealFrame(nil, &f.key, frameID{tenant, f.kind, f.aoid}, append([]byte{kind}, z...))
	f.stored = int64(len(f.data))
	return f, err
}

// store writes a segment and its keys: keys first, so that a segment without keys
// is always damage and keys without a segment never are.
func (v *Vault) store(ctx context.Context, x *index, keys []*frameKey, frames io.Reader) error {
	key, err := v.tenantKey(ctx, x.tenant)
	if err != nil {
		return err
	}
	footer, err := x.footer(&key)
	if err != nil {
		return err
	}
	x.total = headerSize + int64(len(footer)) + trailerSize - 4
	off := int64(headerSize)
	for i := range x.frames {
		x.frames[i].off = off
		off += x.frames[i].stored
		x.total += x.frames[i].stored
	}
	sealed, err := sealKeys(&key, x.tenant, x.id, keys)
	if err != nil {
		return err
	}
	kname := keysObject(x.tenant, x.id)
	if err := v.blobs.Put(ctx, kname, bytes.NewReader(sealed), int64(len(sealed))); err != nil {
		return fmt.Errorf("keys: %w", errors.Join(err, v.discard(ctx, kname)))
	}
	r := newTrailedReader(io.MultiReader(bytes.NewReader(x.header()), frames, bytes.NewReader(footer)))
	name := segmentObject(x.tenant, x.id)
	if err := v.blobs.Put(ctx, name, r, x.total); err != nil {
		// The segment may be whole all the same; nobody was told of it.
		return errors.Join(err, v.discard(ctx, name), v.discard(ctx, kname))
	}
	v.cache.put(segmentKey{x.tenant, x.id}, &openSegment{index: x, keys: keys, read: v.now()}, int64(len(keys))+1)
	return nil
}

// discard removes what a failed write may have left. If that fails too, it is
// a stray that fsck finds.
func (v *Vault) discard(ctx context.Context, name string) error {
	err := v.blobs.Delete(context.WithoutCancel(ctx), name)
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	return err
}

// keysSize returns the bytes of a key object.
func keysSize(keys []*frameKey) int64 {
	n := int64(keysHead+nonceSize+tagSize) + int64(uvarintSize(uint64(len(keys)))+(len(keys)+7)/8)
	for _, k := range keys {
		if k != nil {
			n += keySize
		}
	}
	return n
}

func uvarintSize(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}
