package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// Entry is what Scan and Check tell of one frame.
type Entry struct {
	Frame  Frame
	Meta   []byte // of messages and records
	Parts  []Sum  // of messages: the parts they refer to, in their order
	Erased bool   // the key is gone: Meta, Parts and Frame.SHA256 are empty
	Err    error  // the frame is damaged: a *CorruptError
}

// segmentNames are the objects of one segment.
type segmentNames struct {
	id        uid.ID
	seg, keys int64 // sizes, -1 if absent
}

// ListSegments returns every segment of the tenant from the names of its
// objects alone, ascending by ID. Only ID, Size and CreatedAt (from the ID) are
// set.
func (v *Vault) ListSegments(ctx context.Context, tenant uid.ID) ([]Segment, error) {
	var segs []Segment
	err := v.list(ctx, tenant, func(n segmentNames) error {
		if n.seg >= 0 {
			segs = append(segs, Segment{ID: n.id, Size: n.seg + max(0, n.keys), CreatedAt: n.id.Time()})
		}
		return nil
	}, nil)
	return segs, err
}

// list calls fn for every segment of which any object is there, and other for
// every other object in the tenant's space.
func (v *Vault) list(ctx context.Context, tenant uid.ID, fn func(segmentNames) error, other func(key string) error) error {
	none := segmentNames{seg: -1, keys: -1}
	cur := none
	flush := func() error {
		defer func() { cur = none }()
		if cur.id.IsZero() {
			return nil
		}
		return fn(cur)
	}
	prefix := tenantsDir + tenant.String() + "/"
	err := v.blobs.List(ctx, prefix, func(i blob.Info) error {
		id, suffix, ok := parseSegmentName(strings.TrimPrefix(i.Key, prefix))
		if !ok {
			_, tree := parseTreeName(strings.TrimPrefix(i.Key, prefix))
			_, hold := parseHoldName(strings.TrimPrefix(i.Key, prefix))
			if tree || hold || other == nil || i.Key == tenantObject(tenant) {
				return nil
			}
			return other(i.Key)
		}
		if id != cur.id {
			if err := flush(); err != nil {
				return err
			}
			cur.id = id
		}
		if suffix == "seg" {
			cur.seg = i.Size
		} else {
			cur.keys = i.Size
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	return flush()
}

func parseSegmentName(s string) (id uid.ID, suffix string, ok bool) {
	s, ok = strings.CutPrefix(s, "seg/")
	name, suffix, ok2 := strings.Cut(s, ".")
	if !ok || !ok2 || suffix != "seg" && suffix != "key" {
		return uid.ID{}, "", false
	}
	id, err := uid.Parse(name)
	return id, suffix, err == nil && id.String() == name
}

// Stray is an object of the blob store that belongs to no whole segment.
type Stray struct {
	Key  string
	What string
	// Harmless strays are left over from a crash and may go: RemoveStray.
	Harmless bool
	// CreatedAt is when the segment was begun that it belongs to, if it does.
	CreatedAt time.Time
}

// Strays lists what lies in the tenant's space and is neither its key nor part
// of a segment with keys: keys without a segment (harmless), segments
// without keys (damage), unknown names. A Write or Compact under way looks like
// keys without a segment.
func (v *Vault) Strays(ctx context.Context, tenant uid.ID, fn func(Stray) error) error {
	return v.list(ctx, tenant, func(n segmentNames) error {
		switch {
		case n.seg < 0:
			return fn(Stray{Key: keysObject(tenant, n.id), What: "keys without a segment, left by a write that did not end", Harmless: true, CreatedAt: n.id.Time()})
		case n.keys < 0:
			return fn(Stray{Key: segmentObject(tenant, n.id), What: "a segment without its keys", CreatedAt: n.id.Time()})
		}
		return nil
	}, func(key string) error {
		return fn(Stray{Key: key, What: "no object of the vault has such a name"})
	})
}

// RemoveStray deletes a harmless stray, durably.
func (v *Vault) RemoveStray(ctx context.Context, s Stray) error {
	if !s.Harmless {
		return fmt.Errorf("remove %s: only what is left over from a crash may be removed", s.Key)
	}
	if err := v.blobs.Delete(ctx, s.Key); err != nil {
		return fmt.Errorf("remove stray: %w", err)
	}
	return nil
}

// Segment returns the description of one segment. The frames' SHA256 are not set.
func (v *Vault) Segment(ctx context.Context, tenant, segment uid.ID) (*Segment, error) {
	s, err := v.segment(ctx, tenant, segment)
	if err != nil {
		return nil, err
	}
	p := s.public()
	p.Size = s.total + keysSize(s.keys)
	return p, nil
}

// Scan calls fn for every frame of one segment but its dictionaries, in their
// order, reading only the head of large ones, and stops at fn's first error. For
// rebuild.
func (v *Vault) Scan(ctx context.Context, tenant, segment uid.ID, fn func(Entry) error) error {
	return v.walk(ctx, tenant, segment, func(s *openSegment, o io.ReaderAt, n uint32) error {
		e := v.describe(s, o, n)
		if e.Err != nil && trouble(e.Err) {
			return e.Err
		}
		if e.Frame.Kind == KindDict {
			return nil
		}
		return fn(e)
	})
}

// walk reads a segment anew and calls fn for each of its frames.
func (v *Vault) walk(ctx context.Context, tenant, segment uid.ID, fn func(s *openSegment, o io.ReaderAt, n uint32) error) error {
	v.forget(tenant, segment)
	s, err := v.segment(ctx, tenant, segment)
	if err != nil {
		return err
	}
	o, err := v.blobs.Open(ctx, segmentObject(tenant, segment))
	if err != nil {
		return fmt.Errorf("open segment %s: %w", segment, err)
	}
	defer o.Close()
	for n := range s.frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(s, o, uint32(n)); err != nil {
			return err
		}
	}
	return nil
}

// describe reads the head of a frame.
func (v *Vault) describe(s *openSegment, o io.ReaderAt, n uint32) Entry {
	e := Entry{Frame: s.frame(n)}
	f, key, err := s.entry(n)
	if err != nil {
		e.Erased = true
		return e
	}
	if f.kind == KindDict {
		return e
	}
	src, err := v.source(s, o, n, f, key)
	if err == nil {
		e.Meta, e.Parts, e.Frame.SHA256, err = v.readMeta(src)
	}
	e.Err = s.corrupt(n, err)
	return e
}

// Check reads a whole segment and its key object and verifies every byte: the
// hash over all, every frame, every original, re-assembled with its parts. It
// calls fn for every frame but dictionaries (Entry.Err tells of damage there) and
// returns a *CorruptError for damage of the whole, after all frames that can
// be read have been reported, or fn's first error.
func (v *Vault) Check(ctx context.Context, tenant, segment uid.ID, fn func(Entry) error) error {
	whole := v.checkHash(ctx, tenant, segment)
	if whole != nil && !errors.Is(whole, ErrCorrupt) {
		return whole
	}
	v.dicts.drop(func(k dictKey) bool { return k.segmentKey == segmentKey{tenant, segment} })
	err := v.walk(ctx, tenant, segment, func(s *openSegment, o io.ReaderAt, n uint32) error {
		e := v.describe(s, o, n)
		if e.Err == nil && !e.Erased {
			e.Err = v.checkFrame(ctx, s, o, n)
		}
		if e.Err != nil && trouble(e.Err) {
			return e.Err
		}
		if e.Frame.Kind == KindDict && e.Err == nil {
			return nil
		}
		return fn(e)
	})
	if err != nil {
		return err
	}
	return whole
}

// checkHash verifies the hash over all bytes of the segment object.
func (v *Vault) checkHash(ctx context.Context, tenant, segment uid.ID) error {
	name := segmentObject(tenant, segment)
	o, err := v.blobs.Open(ctx, name)
	if errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("segment %s: %w", segment, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	defer o.Close()
	corrupt := func(what string) error {
		return &CorruptError{Object: name, Ref: Ref{Segment: segment}, NoFrame: true, What: what}
	}
	n := o.Size() - trailerSize + 4
	if n < headerSize {
		return corrupt(errTruncated.Error())
	}
	h := sha256.New()
	if _, err := io.CopyBuffer(h, section(ctx, o, 0, n), make([]byte, 256<<10)); err != nil {
		return fmt.Errorf("read segment %s: %w", segment, err)
	}
	var want [trailerSize - 4]byte
	if err := readAt(o, want[:], n); err != nil {
		return fmt.Errorf("read segment %s: %w", segment, err)
	}
	if string(h.Sum(nil)) != string(want[:sha256.Size]) || string(want[sha256.Size:]) != trailerMagic {
		return corrupt("its bytes do not have the SHA-256 in its trailer")
	}
	return nil
}

// checkFrame reads a frame to its end.
func (v *Vault) checkFrame(ctx context.Context, s *openSegment, o io.ReaderAt, n uint32) error {
	f, key, err := s.entry(n)
	if err != nil {
		return err
	}
	switch f.kind {
	case KindRecord:
		return nil // describe has read all of it
	case KindDict:
		_, err := v.dictionary(s, o, int(n))
		return s.corrupt(n, err)
	}
	src, err := v.source(s, o, n, f, key)
	if err != nil {
		return s.corrupt(n, err)
	}
	c, err := v.openOriginal(src, v.partOpener(ctx, s.tenant, v.parts))
	if err != nil {
		return s.corrupt(n, err)
	}
	_, err = io.CopyBuffer(io.Discard, struct{ io.Reader }{c}, make([]byte, 64<<10))
	return s.corrupt(n, errors.Join(err, c.Close()))
}
