package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// A segment object is
//
//	header   magic, tenant, segment, creation in ms       48 bytes
//	frames   one after the other, no gaps
//	footer   nonce ‖ sealed index                          n bytes
//	trailer  n (32 bits), SHA-256 of all before it, magic  44 bytes
//
// and its key object magic, segment, nonce ‖ sealed keys. Numbers are big endian.
const (
	segmentMagic = "MUNSEG01"
	trailerMagic = "MUNEND01"
	keysMagic    = "MUNKEY01"
	headerSize   = 48
	trailerSize  = 44
	keysHead     = len(keysMagic) + 16

	// MaxFrames is the largest number of frames in one segment.
	MaxFrames = 1 << 20
	// maxFooter is the largest sealed index in bytes: an entry takes at most
	// 48.
	maxFooter = MaxFrames * 48
	// maxKeys is the largest key object, in bytes.
	maxKeys = keysHead + nonceSize + tagSize + 16 + MaxFrames/8 + MaxFrames*keySize

	flagCompacted = 1
	dictBit       = 0x80 // of the kind byte: a dictionary follows
)

// frameEntry is what the sealed index tells of a frame. It tells nothing of its
// content: the index outlives the frame's key.
type frameEntry struct {
	kind   Kind
	aoid   uid.ID
	off    int64 // computed: the sum of those before
	stored int64
	size   int64
	dict   int // frame number of its dictionary, -1 for none
}

// index is a parsed footer.
type index struct {
	tenant    uid.ID
	id        uid.ID
	created   time.Time
	compacted bool
	total     int64 // bytes of the segment object
	frames    []frameEntry
}

func segmentObject(tenant, segment uid.ID) string {
	return tenantsDir + tenant.String() + "/seg/" + segment.String() + ".seg"
}

func keysObject(tenant, segment uid.ID) string {
	return tenantsDir + tenant.String() + "/seg/" + segment.String() + ".key"
}

func (x *index) header() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, segmentMagic...)
	b = append(b, x.tenant[:]...)
	b = append(b, x.id[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(x.created.UnixMilli()))
}

// footer returns the sealed index and its length, as they stand in the segment.
func (x *index) footer(key *tenantKey) ([]byte, error) {
	a, err := derive(key[:], "muniment segment index 1", x.id[:]...)
	if err != nil {
		return nil, err
	}
	f := seal(a, x.appendIndex(nil), x.header())
	return binary.BigEndian.AppendUint32(f, uint32(len(f))), nil
}

func (x *index) appendIndex(b []byte) []byte {
	flags := byte(0)
	if x.compacted {
		flags |= flagCompacted
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(len(x.frames)))
	for _, f := range x.frames {
		if f.dict >= 0 {
			b = append(b, byte(f.kind)|dictBit)
			b = binary.AppendUvarint(b, uint64(f.dict))
		} else {
			b = append(b, byte(f.kind))
		}
		b = binary.AppendUvarint(b, uint64(f.stored))
		b = binary.AppendUvarint(b, uint64(f.size))
		if f.kind == KindMessage || f.kind == KindRecord {
			b = append(b, f.aoid[:]...)
		}
	}
	return b
}

// fieldReader reads numbers until one is wrong; then everything is zero.
type fieldReader struct {
	b   []byte
	bad bool
}

func (r *fieldReader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *fieldReader) uvarint(limit int64) int64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 || v > uint64(limit) {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return int64(v)
}

var errIndex = errors.New("its index is malformed")

// parseIndex parses an unsealed footer. framesEnd is the offset of the footer:
// the frames must fill the segment up to there.
func (x *index) parseIndex(b []byte, framesEnd int64) error {
	r := fieldReader{b: b}
	flags := r.take(1)[0]
	count := r.uvarint(MaxFrames)
	if r.bad || flags&^flagCompacted != 0 || count > int64(len(b)) {
		return errIndex
	}
	x.compacted = flags&flagCompacted != 0
	x.frames = make([]frameEntry, count)
	off := int64(headerSize)
	for i := range x.frames {
		f := &x.frames[i]
		k := r.take(1)[0]
		f.kind, f.dict = Kind(k&^dictBit), -1
		if k&dictBit != 0 {
			f.dict = int(r.uvarint(count - 1))
		}
		f.off = off
		f.stored = r.uvarint(math.MaxInt64 - off)
		f.size = r.uvarint(MaxObject)
		off += f.stored
		if f.kind == KindMessage || f.kind == KindRecord {
			f.aoid = uid.ID(r.take(16))
		}
		if r.bad || f.kind < KindMessage || f.kind > KindDict {
			return errIndex
		}
	}
	for i, f := range x.frames {
		if f.dict >= 0 && (f.kind == KindDict || f.dict == i || x.frames[f.dict].kind != KindDict) {
			return errIndex
		}
	}
	if len(r.b) != 0 || off != framesEnd {
		return errIndex
	}
	return nil
}

// readIndex reads and verifies header, footer and trailer, but not the hash over
// all, for which the whole would have to be read.
func readIndex(o io.ReaderAt, size int64, key *tenantKey, tenant, segment uid.ID) (*index, error) {
	if size < headerSize+trailerSize+nonceSize+tagSize {
		return nil, errTruncated
	}
	var h [headerSize]byte
	var t [trailerSize]byte
	if err := readAt(o, h[:], 0); err != nil {
		return nil, err
	}
	if err := readAt(o, t[:], size-trailerSize); err != nil {
		return nil, err
	}
	if string(t[trailerSize-8:]) != trailerMagic || string(h[:8]) != segmentMagic {
		return nil, errors.New("not a whole segment of a known version")
	}
	x := &index{tenant: tenant, id: segment, total: size}
	ms := binary.BigEndian.Uint64(h[40:])
	if ms > math.MaxInt64/1000 {
		return nil, errors.New("its header is malformed")
	}
	x.created = time.UnixMilli(int64(ms)).UTC()
	if !bytes.Equal(h[:], x.header()) {
		return nil, errors.New("it is another segment, or another tenant's")
	}
	n := int64(binary.BigEndian.Uint32(t[:]))
	off := size - trailerSize - n
	if n > maxFooter || off < headerSize {
		return nil, errors.New("its trailer is malformed")
	}
	sealed := make([]byte, n)
	if err := readAt(o, sealed, off); err != nil {
		return nil, err
	}
	a, err := derive(key[:], "muniment segment index 1", segment[:]...)
	if err != nil {
		return nil, err
	}
	plain, err := unseal(a, sealed, h[:])
	if err != nil {
		return nil, fmt.Errorf("header or index: %w", err)
	}
	return x, x.parseIndex(plain, off)
}

// storeError is trouble with reading, which says nothing about what is stored.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// readAt fills p. Trouble is a *storeError, a premature end errTruncated.
func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return errTruncated
	}
	return &storeError{err}
}

// sealKeys makes the key object of a segment. A nil key is an erased one.
func sealKeys(key *tenantKey, tenant, segment uid.ID, keys []*frameKey) ([]byte, error) {
	plain := binary.AppendUvarint(nil, uint64(len(keys)))
	bits := make([]byte, (len(keys)+7)/8)
	for i, k := range keys {
		if k != nil {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	plain = append(plain, bits...)
	for _, k := range keys {
		if k != nil {
			plain = append(plain, k[:]...)
		}
	}
	a, err := derive(key[:], "muniment frame keys 1", segment[:]...)
	if err != nil {
		return nil, err
	}
	head := append([]byte(keysMagic), segment[:]...)
	return append(head, seal(a, plain, append(head[:len(head):len(head)], tenant[:]...))...), nil
}

// openKeys undoes sealKeys; count is the number of frames of the segment.
func openKeys(key *tenantKey, tenant, segment uid.ID, b []byte) ([]*frameKey, error) {
	if len(b) < keysHead || string(b[:len(keysMagic)]) != keysMagic {
		return nil, errors.New("not a key object of a known version")
	}
	a, err := derive(key[:], "muniment frame keys 1", segment[:]...)
	if err != nil {
		return nil, err
	}
	plain, err := unseal(a, b[keysHead:], append(b[:keysHead:keysHead], tenant[:]...))
	if err != nil {
		return nil, err
	}
	r := fieldReader{b: plain}
	count := r.uvarint(min(MaxFrames, int64(len(plain))*8))
	bits := r.take(int(count+7) / 8)
	keys := make([]*frameKey, count)
	for i := range keys {
		if bits[i/8]&(1<<(i%8)) != 0 {
			k := frameKey(r.take(keySize))
			keys[i] = &k
		}
	}
	if r.bad || len(r.b) != 0 {
		return nil, errors.New("its list of keys is malformed")
	}
	return keys, nil
}

// trailedReader passes on everything of r and then the trailer.
type trailedReader struct {
	r    io.Reader
	hash interface {
		io.Writer
		Sum([]byte) []byte
	}
	tail []byte
	done bool
}

// newTrailedReader takes all of a segment but its trailer's hash and magic.
func newTrailedReader(r io.Reader) *trailedReader {
	return &trailedReader{r: r, hash: sha256.New()}
}

func (t *trailedReader) Read(p []byte) (int, error) {
	if !t.done {
		n, err := t.r.Read(p)
		t.hash.Write(p[:n]) //nolint:errcheck // a hash takes everything
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		t.done = true
		t.tail = append(t.hash.Sum(nil), trailerMagic...)
		if n > 0 {
			return n, nil
		}
	}
	if len(t.tail) == 0 {
		return 0, io.EOF
	}
	n := copy(p, t.tail)
	t.tail = t.tail[n:]
	return n, nil
}

// public makes the Segment that callers see.
func (x *index) public() *Segment {
	s := &Segment{ID: x.id, Compacted: x.compacted, CreatedAt: x.created, Frames: make([]Frame, len(x.frames))}
	for i, f := range x.frames {
		s.Frames[i] = x.frame(uint32(i))
		if f.kind == KindMessage || f.kind == KindPart {
			s.RawSize += f.size
		}
	}
	return s
}

func (x *index) frame(n uint32) Frame {
	f := x.frames[n]
	return Frame{Ref: Ref{Segment: x.id, Frame: n}, Kind: f.kind, AOID: f.aoid, Size: f.size, Stored: f.stored}
}
