package vault

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// readBuffer is the buffer for reading a large object, in bytes.
const readBuffer = 128 << 10

// prepareLarge is prepareSmall for objects that are not held in memory: it reads
// the object once to hash and cut it, once per part, once for the message, and
// once more to prove that what lies in the spool gives it back.
func (v *Vault) prepareLarge(ctx context.Context, p *Prepared, o Object) error {
	sums, cuts, err := survey(ctx, o.Raw)
	if err != nil {
		return err
	}
	if o.Sums != nil && o.Sums.SHA256 != sums.SHA256 {
		return errors.New("the object does not have the SHA-256 given with it")
	}
	p.sums = sums
	if p.spool, err = newSpool(v.spool); err != nil {
		return err
	}
	ops, err := planOps(ctx, o.Raw, cuts)
	if err != nil {
		return err
	}
	if err := v.spoolAll(ctx, p, o, ops); err != nil {
		return err
	}
	err = v.proveLarge(ctx, p, o, ops)
	if err == nil || len(ops) == 0 || trouble(err) {
		return err
	}
	// What cannot be re-assembled is kept as it is.
	p.frames, p.parts = nil, nil
	if err := v.spoolAll(ctx, p, o, nil); err != nil {
		return err
	}
	return v.proveLarge(ctx, p, o, nil)
}

// newSpool makes a temporary file. It loses its name at once where the system
// allows that, so that nothing is left of a process that is killed.
func newSpool(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, fmt.Errorf("make spool file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("unname spool file: %w", err), f.Close())
	}
	return f, nil
}

// survey hashes a large object and finds its base64 bodies.
func survey(ctx context.Context, raw Raw) (Sums, []cut, error) {
	h256, h512 := sha256.New(), sha512.New()
	r := bufio.NewReaderSize(io.TeeReader(section(ctx, raw, 0, raw.Size()), io.MultiWriter(h256, h512)), readBuffer)
	var c cutter
	for off, long := int64(0), false; ; {
		s, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return Sums{}, nil, fmt.Errorf("read the object: %w", err)
		}
		full := errors.Is(err, bufio.ErrBufferFull)
		line, eol := cutEOL(s)
		if full || long || len(line) > maxCutLine {
			if c.on {
				c.finish()
			}
		} else {
			c.line(off, line, int64(eol))
		}
		off += int64(len(s))
		long = full
		if errors.Is(err, io.EOF) {
			break
		}
	}
	if c.on {
		c.finish()
	}
	return Sums{SHA256: Sum(h256.Sum(nil)), SHA512: [64]byte(h512.Sum(nil))}, c.found, nil
}

func cutEOL(s []byte) (line []byte, eol int) {
	n := len(s)
	if n == 0 || s[n-1] != '\n' {
		return s, 0
	}
	if n > 1 && s[n-2] == '\r' {
		return s[:n-2], 2
	}
	return s[:n-1], 1
}

// section reads part of an object; trouble is a *storeError.
func section(ctx context.Context, r io.ReaderAt, off, size int64) io.Reader {
	return &sectionReader{ctx: ctx, r: r, off: off, end: off + size}
}

type sectionReader struct {
	ctx      context.Context
	r        io.ReaderAt
	off, end int64
}

func (s *sectionReader) Read(p []byte) (int, error) {
	if s.off >= s.end {
		return 0, io.EOF
	}
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), s.end-s.off)]
	if err := readAt(s.r, p, s.off); err != nil {
		return 0, &storeError{err}
	}
	s.off += int64(len(p))
	return len(p), nil
}

// decodeStream decodes a run of base64. Its reader passes over line breaks.
func decodeStream(ctx context.Context, raw io.ReaderAt, c cut) io.Reader {
	return base64.NewDecoder(base64.StdEncoding.Strict(), section(ctx, raw, c.start, c.end-c.start))
}

// planOps makes operations of those cuts that decode to what they promise.
func planOps(ctx context.Context, raw Raw, cuts []cut) ([]plannedOp, error) {
	var ops []plannedOp
	last, buf := int64(0), make([]byte, 32<<10)
	for _, c := range cuts {
		h := sha256.New()
		n, err := io.CopyBuffer(h, decodeStream(ctx, raw, c), buf)
		if err != nil && trouble(err) {
			return nil, err
		}
		if err != nil || n != c.size {
			continue
		}
		o := op{gap: c.start - last, crlf: c.crlf, line: c.line, size: c.size}
		if c.size >= PartSize {
			o.from, o.sum = fromPart, Sum(h.Sum(nil))
		}
		ops = append(ops, plannedOp{o, c})
		last = c.end
	}
	return ops, nil
}

// plannedOp is an operation and where its base64 is in the original.
type plannedOp struct {
	op
	at cut
}

// spoolAll writes the new parts and the message to the spool.
func (v *Vault) spoolAll(ctx context.Context, p *Prepared, o Object, ops []plannedOp) error {
	for _, x := range ops {
		if x.from != fromPart || slices.Contains(p.parts, x.sum) {
			continue
		}
		p.parts = append(p.parts, x.sum)
		ok, err := v.known(ctx, p.tenant, x.sum)
		if err != nil {
			return err
		}
		if ok {
			continue
		}
		f := preparedFrame{kind: KindPart, size: x.size, sum: x.sum}
		if err := v.spoolPart(p, f, decodeStream(ctx, o.Raw, x.at)); err != nil {
			return err
		}
	}
	h := head{meta: o.Meta}
	for _, x := range ops {
		h.ops = append(h.ops, x.op)
	}
	f := preparedFrame{kind: KindMessage, aoid: p.aoid, size: p.size, sum: p.sums.SHA256}
	return p.addSpooled(f, &skeletonReader{ctx: ctx, raw: o.Raw, ops: ops, cur: bytes.NewReader(appendHead(nil, h))})
}

// skeletonReader reads the stream of a message: its head, then the original with
// the parts taken out and smaller cuts decoded.
type skeletonReader struct {
	ctx  context.Context
	raw  Raw
	ops  []plannedOp
	off  int64
	cur  io.Reader
	last bool
}

func (s *skeletonReader) Read(p []byte) (int, error) {
	for {
		n, err := s.cur.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		switch {
		case s.last:
			return 0, io.EOF
		case len(s.ops) == 0:
			s.cur = section(s.ctx, s.raw, s.off, s.raw.Size()-s.off)
			s.last = true
		case s.off < s.ops[0].at.start:
			s.cur = section(s.ctx, s.raw, s.off, s.ops[0].at.start-s.off)
			s.off = s.ops[0].at.start
		default:
			x := s.ops[0]
			s.ops, s.off = s.ops[1:], x.at.end
			if x.from == fromStream {
				s.cur = decodeStream(s.ctx, s.raw, x.at)
			}
		}
	}
}

// spoolPart writes a part to the spool.
func (v *Vault) spoolPart(p *Prepared, f preparedFrame, data io.Reader) error {
	if f.size > smallSize {
		return p.addSpooled(f, data)
	}
	b := make([]byte, f.size)
	if _, err := io.ReadFull(data, b); err != nil {
		return fmt.Errorf("decode part: %w", err)
	}
	if err := p.add(f, v.packPart(f.sum, b)); err != nil {
		return err
	}
	added := &p.frames[len(p.frames)-1]
	off, err := p.spool.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = p.spool.Write(added.data)
	}
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	added.spool, added.off, added.data = p.spool, off, nil
	return nil
}

// addSpooled compresses and encrypts a frame into the spool.
func (p *Prepared) addSpooled(f preparedFrame, stream io.Reader) error {
	off, err := p.spool.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	f.key, f.spool, f.off = newFrameKey(), p.spool, off
	w, err := newFrameWriter(p.spool, &f.key, frameID{p.tenant, f.kind, f.aoid})
	if err != nil {
		return err
	}
	if _, err := w.Write(appendPlain(f.sum, nil, codecZstd, nil)); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	z, err := newStreamEncoder(w)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{z}, stream, make([]byte, 32<<10)); err != nil {
		return fmt.Errorf("spool: %w", errors.Join(err, z.Close()))
	}
	if err := errors.Join(z.Close(), w.Close()); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	f.stored = w.size
	p.frames = append(p.frames, f)
	return nil
}

// open returns the source of a frame that is not written yet.
func (p *Prepared) open(f *preparedFrame) source {
	return source{
		id: frameID{p.tenant, f.kind, f.aoid}, key: &f.key, size: f.size, stored: f.stored,
		sealed: io.NewSectionReader(f.spool, f.off, f.stored),
	}
}

// proveLarge reads the message back from the spool and compares its hash. Parts
// that were stored before are taken from the original: that they are
// there with this hash the catalog says, and their own reader proves.
func (v *Vault) proveLarge(ctx context.Context, p *Prepared, o Object, ops []plannedOp) error {
	parts := func(sum Sum, _ int64) (io.ReadCloser, error) {
		for i := range p.frames {
			if f := &p.frames[i]; f.kind == KindPart && f.sum == sum {
				return v.openOriginal(p.open(f), nil)
			}
		}
		for _, x := range ops {
			if x.from == fromPart && x.sum == sum {
				return io.NopCloser(decodeStream(ctx, o.Raw, x.at)), nil
			}
		}
		return nil, errNotSame
	}
	m, err := v.openOriginal(p.open(&p.frames[len(p.frames)-1]), parts)
	if err != nil {
		return err
	}
	n, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{m}, make([]byte, 64<<10))
	if err = errors.Join(err, m.Close()); err != nil {
		return fmt.Errorf("%w: %w", errNotSame, err)
	}
	if n != p.size || m.SHA256() != p.sums.SHA256 {
		return errNotSame
	}
	return nil
}
