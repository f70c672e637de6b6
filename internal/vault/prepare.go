package vault

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/muniment/muniment/internal/uid"
)

// Prepared is an object ready for Write. It is not safe for concurrent use.
type Prepared struct {
	tenant uid.ID
	aoid   uid.ID
	size   int64
	sums   Sums
	parts  []Sum
	frames []preparedFrame // new parts, then the message
	spool  *os.File        // holds the frames of a large object
}

// preparedFrame is an encrypted frame: in memory, or in the spool.
type preparedFrame struct {
	kind   Kind
	aoid   uid.ID
	size   int64
	sum    Sum
	key    frameKey
	data   []byte
	spool  io.ReaderAt // instead of data
	off    int64
	stored int64
	dict   int // frame number of its dictionary plus one, 0 for none
}

func (f *preparedFrame) reader() io.Reader {
	if f.spool == nil {
		return bytes.NewReader(f.data)
	}
	return io.NewSectionReader(f.spool, f.off, f.stored)
}

// AOID returns the id of the object.
func (p *Prepared) AOID() uid.ID { return p.aoid }

// Size returns the bytes of the original.
func (p *Prepared) Size() int64 { return p.size }

// Sums returns the hashes of the original.
func (p *Prepared) Sums() Sums { return p.sums }

// Stored returns the bytes that Write will store at most.
func (p *Prepared) Stored() int64 {
	n := int64(0)
	for _, f := range p.frames {
		n += f.stored
	}
	return n
}

// Parts returns the SHA-256 of every part the message refers to, whether it is
// in this Prepared or was stored before, without duplicates.
func (p *Prepared) Parts() []Sum { return p.parts }

// Close frees the temporary file of a large object. It must be called once,
// after Write or instead of it.
func (p *Prepared) Close() error {
	if p.spool == nil {
		return nil
	}
	f := p.spool
	p.spool = nil
	return f.Close()
}

// Prepare does everything that needs no order: it hashes, takes out the base64
// bodies, compresses, encrypts, and proves that the original can be re-assembled
// from the result byte for byte. It holds a few times the object's size, and at
// most about 30 MiB.
func (v *Vault) Prepare(ctx context.Context, tenant uid.ID, o Object) (*Prepared, error) {
	size := o.Raw.Size()
	if size > MaxObject || len(o.Meta) > MaxMeta {
		return nil, fmt.Errorf("prepare %s: %d bytes and %d of meta data: %w", o.AOID, size, len(o.Meta), ErrTooLarge)
	}
	if o.AOID.IsZero() {
		return nil, errors.New("prepare: no AOID")
	}
	p := &Prepared{tenant: tenant, aoid: o.AOID, size: size}
	var err error
	if size <= smallSize {
		err = v.prepareSmall(ctx, p, o)
	} else {
		err = v.prepareLarge(ctx, p, o)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", o.AOID, err), p.Close())
	}
	return p, nil
}

// known reports whether the tenant has the part already.
func (v *Vault) known(ctx context.Context, tenant uid.ID, sum Sum) (bool, error) {
	_, ok, err := v.parts.FindPart(ctx, tenant, sum)
	if err != nil {
		return false, fmt.Errorf("find part: %w", err)
	}
	return ok, nil
}

// body is a message that has been taken apart, in memory.
type body struct {
	ops    []op
	stream []byte         // the original without its cuts
	raw    []byte         // the raw section
	parts  map[Sum][]byte // decoded
}

// takeApart cuts a message that is in memory. pack tells whether decoded
// bytes that are no part are worth compressing.
func takeApart(msg []byte, pack func([]byte) bool) body {
	b := body{stream: make([]byte, 0, len(msg)), parts: map[Sum][]byte{}}
	last, done := int64(0), int64(0)
	for _, c := range findCuts(msg) {
		data, ok := decodeCut(nil, msg[c.start:c.end], c)
		if !ok {
			continue
		}
		o := op{gap: c.start - last, crlf: c.crlf, line: c.line, size: c.size}
		b.stream = append(b.stream, msg[done:c.start]...)
		last, done = c.end, c.end
		switch {
		case c.size >= PartSize:
			o.from, o.sum = fromPart, sha256.Sum256(data)
			b.parts[o.sum] = data
		case len(b.raw)+len(data) <= maxRawSection && !pack(data):
			o.from = fromRaw
			b.raw = append(b.raw, data...)
		default:
			b.stream = append(b.stream, data...)
		}
		b.ops = append(b.ops, o)
	}
	b.stream = append(b.stream, msg[done:]...)
	return b
}

func (v *Vault) prepareSmall(ctx context.Context, p *Prepared, o Object) error {
	msg := make([]byte, p.size)
	if err := readAt(o.Raw, msg, 0); err != nil {
		return fmt.Errorf("read the object: %w", err)
	}
	p.sums.SHA256 = sha256.Sum256(msg)
	if o.Sums != nil {
		if o.Sums.SHA256 != p.sums.SHA256 {
			return errors.New("the object does not have the SHA-256 given with it")
		}
		p.sums = *o.Sums
	} else {
		p.sums.SHA512 = sha512.Sum512(msg)
	}
	b := takeApart(msg, packs)
	if err := v.addParts(ctx, p, b); err != nil {
		return err
	}
	plain, err := v.packMessage(p.sums.SHA256, o.Meta, b)
	if err != nil {
		return err
	}
	if err := v.proveSmall(plain, msg, b.parts); err != nil {
		// What cannot be re-assembled is kept as it is.
		p.frames, p.parts = nil, nil
		b = body{stream: msg}
		if plain, err = v.packMessage(p.sums.SHA256, o.Meta, b); err != nil {
			return err
		}
		if err := v.proveSmall(plain, msg, nil); err != nil {
			return err
		}
	}
	return p.add(preparedFrame{kind: KindMessage, aoid: p.aoid, size: p.size, sum: p.sums.SHA256}, plain)
}

// add encrypts a frame in memory.
func (p *Prepared) add(f preparedFrame, plain []byte) error {
	f.key = newFrameKey()
	var err error
	f.data, err = sealFrame(nil, &f.key, frameID{p.tenant, f.kind, f.aoid}, plain)
	f.stored = int64(len(f.data))
	p.frames = append(p.frames, f)
	return err
}

// addParts makes frames of the parts that the tenant does not have yet.
func (v *Vault) addParts(ctx context.Context, p *Prepared, b body) error {
	for _, o := range b.ops {
		if o.from != fromPart || slices.Contains(p.parts, o.sum) {
			continue
		}
		p.parts = append(p.parts, o.sum)
		if ok, err := v.known(ctx, p.tenant, o.sum); ok || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		f := preparedFrame{kind: KindPart, size: o.size, sum: o.sum}
		if err := p.add(f, v.packPart(o.sum, b.parts[o.sum])); err != nil {
			return err
		}
	}
	return nil
}

// packPart makes the plaintext of a part's frame.
func (v *Vault) packPart(sum Sum, data []byte) []byte {
	kind, z := v.codec.compress(nil, data)
	out := append(make([]byte, 0, len(z)+40), sum[:]...)
	out = append(out, kind, 0)
	return append(out, z...)
}

// packMessage makes the plaintext of a message's frame.
func (v *Vault) packMessage(sum Sum, meta []byte, b body) ([]byte, error) {
	stream := appendHead(make([]byte, 0, len(b.stream)+len(meta)+64*len(b.ops)+16), head{meta: meta, ops: b.ops})
	stream = append(stream, b.stream...)
	if len(stream) > maxSmallPlain {
		return nil, ErrTooLarge
	}
	kind, z := v.codec.compress(nil, stream)
	return appendPlain(sum, b.raw, kind, z), nil
}

func appendPlain(sum Sum, raw []byte, kind byte, stream []byte) []byte {
	out := make([]byte, 0, len(sum)+1+binary.MaxVarintLen32+len(raw)+len(stream))
	out = append(out, sum[:]...)
	out = append(out, kind)
	out = binary.AppendUvarint(out, uint64(len(raw)))
	out = append(out, raw...)
	return append(out, stream...)
}

var errNotSame = errors.New("the object does not come back byte for byte")

// proveSmall does what a reader will do and compares.
func (v *Vault) proveSmall(plain, msg []byte, parts map[Sum][]byte) error {
	s, err := splitPlain(plain)
	if err != nil {
		return err
	}
	stream, err := decompress(v.codec.dec, s.codec, s.stream)
	if err != nil {
		return err
	}
	r := bufio.NewReaderSize(bytes.NewReader(stream), 512)
	h, err := readHead(r, int64(len(msg)))
	if err != nil {
		return err
	}
	a := newAssembler(h.ops, r, bytes.NewReader(s.raw), func(sum Sum, _ int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(parts[sum])), nil
	})
	return compare(a, msg)
}

func compare(r io.Reader, want []byte) error {
	buf := make([]byte, min(len(want)+1, 32<<10))
	for {
		n, err := r.Read(buf)
		if n > len(want) || !bytes.Equal(buf[:n], want[:n]) {
			return errNotSame
		}
		want = want[n:]
		if errors.Is(err, io.EOF) && len(want) == 0 {
			return nil
		}
		if err != nil {
			return errors.Join(errNotSame, err)
		}
	}
}

// plainParts are the fields of the plaintext of a message or part.
type plainParts struct {
	sum    Sum
	codec  byte
	raw    []byte
	stream []byte
}

var errPlain = errors.New("its content is malformed")

func splitPlain(b []byte) (plainParts, error) {
	r := fieldReader{b: b}
	s := plainParts{sum: Sum(r.take(32)), codec: r.take(1)[0]}
	s.raw = r.take(int(r.uvarint(min(maxRawSection, int64(len(b))))))
	s.stream = r.b
	if r.bad {
		return plainParts{}, errPlain
	}
	return s, nil
}

// packs reports whether bytes are likely to become smaller when compressed:
// whether their order-0 entropy is well below 8 bits.
func packs(data []byte) bool {
	var h [256]int
	for _, c := range data {
		h[c]++
	}
	bits := 0.0
	for _, n := range h {
		if n > 0 {
			bits -= float64(n) * math.Log2(float64(n)/float64(len(data)))
		}
	}
	// A short sample looks more orderly than its source is (Miller, Madow).
	return bits/float64(len(data))+255/(2*math.Ln2*float64(len(data))) < 7.2
}
