package vault

import (
	"context"
	"errors"
	"fmt"
)

// item is a frame that is to be copied.
type item struct {
	ref  Ref
	kind Kind
}

// plan sorts the frames by how they are copied.
type plan struct {
	parts, large      []item
	messages, records similar
}

// similar are frames that are to be grouped by what they have in common.
type similar struct {
	items    []item
	sketches []sketch
}

func (s similar) groups() [][]item {
	var out [][]item
	for _, set := range clusters(s.sketches) {
		g := make([]item, len(set))
		for k, i := range set {
			g[k] = s.items[i]
		}
		out = append(out, g)
	}
	return out
}

func (c *compactor) plan(ctx context.Context, refs []Ref) (*plan, error) {
	p := &plan{}
	seen := make(map[Ref]bool, len(refs))
	for _, ref := range refs {
		if seen[ref] {
			continue
		}
		seen[ref] = true
		s, err := c.v.segment(ctx, c.tenant, ref.Segment)
		if err != nil {
			return nil, err
		}
		f, _, err := s.entry(ref.Frame)
		if errors.Is(err, ErrErased) {
			c.out.Erased = append(c.out.Erased, ref)
			continue
		}
		if err == nil && f.kind == KindDict {
			err = fmt.Errorf("frame %s is a dictionary: %w", ref, ErrNotFound)
		}
		if err != nil {
			return nil, err
		}
		if err := c.planFrame(ctx, p, item{ref, f.kind}, f.size); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (c *compactor) planFrame(ctx context.Context, p *plan, i item, size int64) error {
	to := &p.messages
	switch {
	case size > smallSize && i.kind != KindRecord:
		p.large = append(p.large, i)
		return nil
	case i.kind == KindPart:
		p.parts = append(p.parts, i)
		return nil
	case i.kind == KindRecord:
		to = &p.records
	}
	x, err := c.load(ctx, i.ref)
	if err != nil {
		return err
	}
	to.items = append(to.items, i)
	to.sketches = append(to.sketches, sketchOf(x.stream))
	return nil
}

// loaded is a frame of a small original or record, in memory.
type loaded struct {
	entry frameEntry
	plainParts
}

// load decrypts and decompresses a frame.
func (c *compactor) load(ctx context.Context, ref Ref) (x loaded, err error) {
	s, src, closer, err := c.v.locate(ctx, c.tenant, ref, KindMessage, KindPart, KindRecord)
	if err != nil {
		return x, err
	}
	x.entry = s.frames[ref.Frame]
	if src.id.kind == KindRecord {
		x.stream, err = c.v.readBare(src)
	} else {
		x.plainParts, err = c.v.readPlain(src)
	}
	return x, errors.Join(s.corrupt(ref.Frame, err), closer.Close())
}
