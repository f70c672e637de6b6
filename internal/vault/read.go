package vault

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// source is a frame that can be read: where its bytes are and how to decrypt them.
type source struct {
	id     frameID
	key    *frameKey
	size   int64 // of the original
	stored int64
	sealed io.ReaderAt
	dict   *zstd.Decoder // knows the dictionary, nil if there is none
}

// Content streams one original. It is not safe for concurrent use.
type Content struct {
	r    io.Reader
	size int64
	sum  Sum
	free []func() error
	pass func(error) error // makes errors name their place
}

// Size returns the bytes of the original.
func (c *Content) Size() int64 { return c.size }

// SHA256 returns the recorded hash of the original.
func (c *Content) SHA256() Sum { return c.sum }

// Read implements io.Reader. It returns the last bytes only after the hash of
// the whole has been found right; of originals up to 1 MiB Open has verified
// everything already. Damage is a *CorruptError.
func (c *Content) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && c.pass != nil {
		err = c.pass(err)
	}
	return n, err
}

// Close frees what the content holds; it must be called.
func (c *Content) Close() error {
	var err error
	for _, f := range c.free {
		err = errors.Join(err, f())
	}
	c.free = nil
	return err
}

// Open opens a message or part for reading. Errors match ErrCorrupt, ErrErased,
// ErrNotFound or ErrNoTenant, or are those of the blob store.
func (v *Vault) Open(ctx context.Context, tenant uid.ID, ref Ref, want Want) (*Content, error) {
	return v.open(ctx, tenant, ref, want, v.parts)
}

// ReadAll returns a whole original. limit bounds its size: ErrTooLarge.
func (v *Vault) ReadAll(ctx context.Context, tenant uid.ID, ref Ref, want Want, limit int64) ([]byte, error) {
	c, err := v.Open(ctx, tenant, ref, want)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if c.Size() > limit {
		return nil, fmt.Errorf("frame %s has %d bytes: %w", ref, c.Size(), ErrTooLarge)
	}
	b := make([]byte, c.Size())
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, err
	}
	// The end is what verifies the whole.
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("frame %s does not end where it should", ref), err)
	}
	return b, nil
}

func (v *Vault) open(ctx context.Context, tenant uid.ID, ref Ref, want Want, parts Finder) (*Content, error) {
	s, src, closer, err := v.locate(ctx, tenant, ref, KindMessage, KindPart)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*Content, error) {
		return nil, errors.Join(s.corrupt(ref.Frame, err), closer.Close())
	}
	c, err := v.openOriginal(src, v.partOpener(ctx, tenant, parts))
	if err != nil {
		return fail(err)
	}
	c.pass = func(err error) error { return s.corrupt(ref.Frame, err) }
	c.free = append(c.free, closer.Close)
	if want.SHA256 != (Sum{}) && (want.SHA256 != c.sum || want.Size != c.size) {
		return nil, errors.Join(s.corrupt(ref.Frame, errors.New("the catalog knows it with another hash or size")), c.Close())
	}
	return c, nil
}

// locate finds a frame of one of the given kinds and opens its segment.
func (v *Vault) locate(ctx context.Context, tenant uid.ID, ref Ref, kinds ...Kind) (*openSegment, source, io.Closer, error) {
	s, err := v.segment(ctx, tenant, ref.Segment)
	if err != nil {
		return nil, source{}, nil, err
	}
	f, key, err := s.entry(ref.Frame)
	if err != nil {
		return nil, source{}, nil, err
	}
	if !containsKind(kinds, f.kind) {
		return nil, source{}, nil, fmt.Errorf("frame %s is a %s: %w", ref, f.kind, ErrNotFound)
	}
	o, err := v.blobs.Open(ctx, segmentObject(tenant, ref.Segment))
	if err != nil {
		if errors.Is(err, blob.ErrNotFound) {
			v.forget(tenant, ref.Segment)
			err = ErrNotFound
		}
		return nil, source{}, nil, fmt.Errorf("open segment %s: %w", ref.Segment, err)
	}
	src, err := v.source(s, o, ref.Frame, f, key)
	if err != nil {
		return nil, source{}, nil, errors.Join(err, o.Close())
	}
	return s, src, o, nil
}

func containsKind(kinds []Kind, k Kind) bool {
	for _, x := range kinds {
		if x == k {
			return true
		}
	}
	return false
}

// source describes a frame of an open segment. Its dictionary is loaded.
func (v *Vault) source(s *openSegment, o io.ReaderAt, n uint32, f frameEntry, key *frameKey) (source, error) {
	src := source{
		id: frameID{s.tenant, f.kind, f.aoid}, key: key, size: f.size, stored: f.stored,
		sealed: io.NewSectionReader(o, f.off, f.stored),
	}
	if f.dict < 0 {
		return src, nil
	}
	d, err := v.dictionary(s, o, f.dict)
	if err != nil {
		return source{}, s.corrupt(n, fmt.Errorf("its dictionary, frame %d: %w", f.dict, err))
	}
	src.dict = d.dec
	return src, nil
}

// partOpener opens the parts of a message where the finder says they are.
func (v *Vault) partOpener(ctx context.Context, tenant uid.ID, parts Finder) partOpener {
	return func(sum Sum, size int64) (io.ReadCloser, error) {
		for last := (Ref{}); ; {
			ref, ok, err := parts.FindPart(ctx, tenant, sum)
			if err != nil {
				return nil, &storeError{fmt.Errorf("find part: %w", err)}
			}
			if !ok {
				return nil, errors.New("one of its parts is missing")
			}
			c, err := v.open(ctx, tenant, ref, Want{SHA256: sum, Size: size}, nil)
			if errors.Is(err, ErrNotFound) && ref != last {
				last = ref // a compaction may just have moved it
				continue
			}
			if errors.Is(err, ErrNotFound) || errors.Is(err, ErrErased) {
				return nil, fmt.Errorf("one of its parts is missing: %s", err.Error())
			}
			return c, err
		}
	}
}

// openOriginal opens the original that a frame holds.
func (v *Vault) openOriginal(src source, parts partOpener) (*Content, error) {
	if src.size <= smallSize {
		return v.openSmall(src, parts)
	}
	return openLarge(src, parts)
}

// openSmall reads and verifies an original in memory.
func (v *Vault) openSmall(src source, parts partOpener) (*Content, error) {
	plain, err := v.readPlain(src)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(bytes.NewReader(plain.stream), 256)
	a := newAssembler(nil, r, bytes.NewReader(plain.raw), parts)
	if src.id.kind == KindMessage {
		h, err := readHead(r, src.size)
		if err != nil {
			return nil, err
		}
		a = newAssembler(h.ops, r, bytes.NewReader(plain.raw), parts)
	}
	out := make([]byte, src.size)
	_, err = io.ReadFull(a, out)
	if err == nil {
		err = atEnd(a)
	}
	if err = errors.Join(err, a.Close()); err != nil {
		return nil, fmt.Errorf("it cannot be re-assembled: %w", err)
	}
	if sha256.Sum256(out) != plain.sum {
		return nil, errHash
	}
	return &Content{r: bytes.NewReader(out), size: src.size, sum: plain.sum}, nil
}

var (
	errHash = errors.New("its bytes do not have the recorded SHA-256")
	errLong = errors.New("it is longer than it should be")
)

func atEnd(r io.Reader) error {
	var b [1]byte
	switch _, err := io.ReadFull(r, b[:]); {
	case err == nil:
		return errLong
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// readPlain decrypts and decompresses a small frame of a message or part.
func (v *Vault) readPlain(src source) (plainParts, error) {
	b, err := readSealed(src)
	if err != nil {
		return plainParts{}, err
	}
	p, err := splitPlain(b)
	if err != nil {
		return plainParts{}, err
	}
	p.stream, err = v.expand(src, p.codec, p.stream)
	return p, err
}

// readSealed reads and decrypts a frame that must fit into memory.
func readSealed(src source) ([]byte, error) {
	// Nothing small becomes larger than this: what is not compressed is plain.
	if src.stored > 2*maxInMemory {
		return nil, errFrameSize
	}
	b := make([]byte, src.stored)
	if err := readAt(src.sealed, b, 0); err != nil {
		return nil, err
	}
	return openFrame(src.key, src.id, b)
}

func (v *Vault) expand(src source, kind byte, stream []byte) ([]byte, error) {
	d := src.dict
	if d == nil {
		d = v.codec.dec
	}
	return decompress(d, kind, stream)
}

func (v *Vault) forget(tenant, segment uid.ID) {
	v.cache.drop(func(k segmentKey) bool { return k == segmentKey{tenant, segment} })
}
