package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// maxCompacted is the size from which Compact begins another segment, in bytes.
const maxCompacted = 256 << 20

// Move tells where Compact has put a frame.
type Move struct {
	Kind     Kind
	AOID     uid.ID
	SHA256   Sum // messages and parts
	From, To Ref
}

// Compaction is what Compact has done.
type Compaction struct {
	Segments []*Segment // new ones, durable
	Moves    []Move
	Erased   []Ref // frames among the refs whose keys are gone; not copied
}

// Compact copies frames into new large segments, similar messages together,
// at the best level. It changes nothing that exists: the caller then commits the
// moves to its catalog in one transaction and calls Remove for segments of which
// nothing is left. A crash in between leaves segments that no catalog knows; so
// does an error, unless they could be removed.
//
// Every frame is decrypted and compared before it counts as moved. A frame that
// is damaged ends the compaction with its *CorruptError. refs may have any order
// and any kind but dictionaries, which are made anew (ErrNotFound). It takes
// about 250 MiB of memory, whatever the refs are, and the new segments' size in
// the spool directory.
func (v *Vault) Compact(ctx context.Context, tenant uid.ID, refs []Ref) (*Compaction, error) {
	c := &compactor{v: v, tenant: tenant, out: &Compaction{}}
	err := c.run(ctx, refs)
	if err = errors.Join(err, c.close()); err == nil {
		return c.out, nil
	}
	err = fmt.Errorf("compact: %w", err)
	for _, s := range c.out.Segments {
		err = errors.Join(err, v.Remove(context.WithoutCancel(ctx), tenant, s.ID))
	}
	return nil, err
}

// compactor is one compaction under way. Frames are encrypted into the spool until
// they are enough for a segment.
type compactor struct {
	v      *Vault
	tenant uid.ID
	out    *Compaction
	pack   *packer

	spool  *os.File
	size   int64 // of the frames of the segment to come
	frames []*preparedFrame
	from   []Ref // parallel to frames; no segment: a dictionary
	open   []blob.Object
}

func (c *compactor) close() error {
	var err error
	for _, o := range c.open {
		err = errors.Join(err, o.Close())
	}
	c.open = nil
	if c.spool != nil {
		err = errors.Join(err, c.spool.Close())
	}
	if c.pack != nil {
		err = errors.Join(err, c.pack.close())
	}
	return err
}

func (c *compactor) run(ctx context.Context, refs []Ref) error {
	var err error
	if c.spool, err = newSpool(c.v.spool); err != nil {
		return err
	}
	if c.pack, err = newPacker(); err != nil {
		return err
	}
	p, err := c.plan(ctx, refs)
	if err != nil {
		return err
	}
	for _, i := range p.parts {
		if err := c.copyPart(ctx, i); err != nil {
			return err
		}
	}
	for _, g := range append(p.messages.groups(), p.records.groups()...) {
		if err := c.copyGroup(ctx, g); err != nil {
			return err
		}
	}
	for _, i := range p.large {
		if err := c.copySealed(ctx, i); err != nil {
			return err
		}
	}
	return c.flush(ctx)
}

// copyPart copies a part that fits into memory.
func (c *compactor) copyPart(ctx context.Context, i item) error {
	if err := c.room(ctx, 1); err != nil {
		return err
	}
	x, err := c.load(ctx, i.ref)
	if err != nil {
		return err
	}
	return c.put(i.ref, x, 0)
}

// copyGroup copies similar frames with a dictionary of what they share, if that
// pays.
func (c *compactor) copyGroup(ctx context.Context, g []item) error {
	if err := c.room(ctx, len(g)+1); err != nil {
		return err
	}
	all := make([]loaded, len(g))
	texts := make([][]byte, len(g))
	for k, i := range g {
		x, err := c.load(ctx, i.ref)
		if err != nil {
			return err
		}
		all[k], texts[k] = x, x.stream
	}
	dict := 0
	b, err := c.pack.learn(texts)
	if err != nil {
		return err
	}
	if b != nil {
		kind, z := c.pack.compress(b, false)
		f := preparedFrame{kind: KindDict, size: int64(len(b))}
		if err := c.seal(Ref{}, f, append([]byte{kind}, z...)); err != nil {
			return err
		}
		dict = len(c.frames) // plus one
	}
	for k, i := range g {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.put(i.ref, all[k], dict); err != nil {
			return err
		}
	}
	return nil
}

// put compresses a frame, proves that it comes back, and encrypts it.
func (c *compactor) put(ref Ref, x loaded, dict int) error {
	kind, z := c.pack.compress(x.stream, dict > 0)
	f := preparedFrame{kind: x.entry.kind, aoid: x.entry.aoid, size: x.entry.size, sum: x.sum}
	if kind == codecZstd {
		f.dict = dict
	}
	if err := c.pack.prove(kind, z, x.stream, dict > 0); err != nil {
		return fmt.Errorf("frame %s: %w", ref, err)
	}
	if x.entry.kind == KindRecord {
		return c.seal(ref, f, append([]byte{kind}, z...))
	}
	return c.seal(ref, f, appendPlain(x.sum, x.raw, kind, z))
}

// seal encrypts a frame under a new key into the spool.
func (c *compactor) seal(from Ref, f preparedFrame, plain []byte) error {
	id := frameID{c.tenant, f.kind, f.aoid}
	f.key = newFrameKey()
	sealed, err := sealFrame(nil, &f.key, id, plain)
	if err != nil {
		return err
	}
	if f.off, err = c.spool.Seek(0, io.SeekCurrent); err == nil {
		_, err = c.spool.Write(sealed)
	}
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	f.spool, f.stored = c.spool, int64(len(sealed))
	c.add(from, &f)
	return nil
}

func (c *compactor) add(from Ref, f *preparedFrame) {
	c.frames = append(c.frames, f)
	c.from = append(c.from, from)
	c.size += f.stored
}

// copySealed copies a large frame as it is, with its key: what its bytes are bound
// to does not name the segment. It is decrypted once to see that it is whole.
func (c *compactor) copySealed(ctx context.Context, i item) error {
	if err := c.room(ctx, 1); err != nil {
		return err
	}
	s, err := c.v.segment(ctx, c.tenant, i.ref.Segment)
	if err != nil {
		return err
	}
	e, key, err := s.entry(i.ref.Frame)
	if err != nil {
		return err
	}
	o, err := c.v.blobs.Open(ctx, segmentObject(c.tenant, i.ref.Segment))
	if err != nil {
		return fmt.Errorf("open segment %s: %w", i.ref.Segment, err)
	}
	c.open = append(c.open, o)
	sealed := io.NewSectionReader(o, e.off, e.stored)
	sum, err := checkSealed(ctx, frameID{c.tenant, e.kind, e.aoid}, key, sealed)
	if err != nil {
		return s.corrupt(i.ref.Frame, err)
	}
	c.add(i.ref, &preparedFrame{
		kind: e.kind, aoid: e.aoid, size: e.size, sum: sum, key: *key, spool: sealed, stored: e.stored,
	})
	return nil
}

// checkSealed decrypts the frame of a message or part to its end and returns the
// hash it records.
func checkSealed(ctx context.Context, id frameID, key *frameKey, sealed *io.SectionReader) (Sum, error) {
	r, err := newFrameReader(key, id, sealed, sealed.Size())
	if err != nil {
		return Sum{}, err
	}
	p, err := readPrefix(r)
	if err != nil {
		return Sum{}, err
	}
	for buf := make([]byte, chunkSize); ; {
		if err := ctx.Err(); err != nil {
			return Sum{}, err
		}
		if _, err := r.Read(buf); errors.Is(err, io.EOF) {
			return p.sum, nil
		} else if err != nil {
			return Sum{}, err
		}
	}
}

// room begins another segment if n frames more would be too many.
func (c *compactor) room(ctx context.Context, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.size < maxCompacted && len(c.frames)+n <= MaxFrames {
		return nil
	}
	return c.flush(ctx)
}

// flush writes what there is as one segment.
func (c *compactor) flush(ctx context.Context) error {
	if len(c.frames) == 0 {
		return nil
	}
	x := c.v.newIndex(c.tenant)
	x.compacted = true
	s, err := c.v.storeFrames(ctx, x, c.frames)
	if err != nil {
		return err
	}
	c.out.Segments = append(c.out.Segments, s)
	for i, from := range c.from {
		if f := s.Frames[i]; f.Kind != KindDict {
			c.out.Moves = append(c.out.Moves, Move{Kind: f.Kind, AOID: f.AOID, SHA256: f.SHA256, From: from, To: f.Ref})
		}
	}
	c.frames, c.from, c.size = nil, nil, 0
	for _, o := range c.open {
		err = errors.Join(err, o.Close())
	}
	c.open = nil
	if _, serr := c.spool.Seek(0, io.SeekStart); serr != nil {
		err = errors.Join(err, fmt.Errorf("spool: %w", serr))
	}
	return errors.Join(err, c.spool.Truncate(0))
}
