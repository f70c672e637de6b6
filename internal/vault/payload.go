package vault

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The plaintext of a message or part frame is
//
//	SHA-256 of the original   32 bytes
//	codec                      1 byte: 0 plain, 1 zstd
//	length of the raw section  uvarint
//	raw section                decoded base64 that does not compress
//	stream                     plain or one zstd frame
//
// The stream of a message is its head (see head) and then the original with its
// cuts taken out; that of a part is the part. A record or dictionary has
// neither hash nor raw section: codec, stream.
const (
	codecPlain = 0
	codecZstd  = 1
)

// Limits of what a reader accepts.
const (
	// smallSize is the largest original that is handled in memory.
	smallSize = 1 << 20
	// maxRawSection bounds the memory of a raw section: 1 MiB.
	maxRawSection = 1 << 20
	// maxOps is the largest block of operations, in bytes: there are at most
	// maxCuts, and one takes at most 48.
	maxOps = maxCuts * 48
	// maxWindow is the largest zstd window, in bytes: 8 MiB.
	maxWindow = 8 << 20
	// maxSmallPlain is the largest stream of a small original: its bytes, its meta
	// data and its operations.
	maxSmallPlain = smallSize + MaxMeta + smallSize
	// maxDict is the largest dictionary, in bytes: 4 MiB.
	maxDict = 4 << 20
	// maxInMemory is the largest stream that is decompressed in memory.
	maxInMemory = max(maxSmallPlain, maxDict)
)

// Where the decoded bytes of an operation are.
const (
	fromStream = 0
	fromRaw    = 1
	fromPart   = 2
)

// op puts base64 back into a message: after gap bytes of the stream follow
// size bytes, encoded in lines.
type op struct {
	gap  int64
	from byte
	crlf bool
	line int64 // characters per line
	size int64 // decoded
	sum  Sum   // of the part
}

func (o op) cut() cut { return cut{size: o.size, line: o.line, crlf: o.crlf} }

// encoded returns the bytes the operation makes in the original.
func (o op) encoded() int64 {
	c := o.cut()
	n := c.chars()
	if n == 0 {
		return 0
	}
	return n + (n-1)/o.line*c.eol()
}

// head is the start of a message's stream: uvarint length of meta, meta, uvarint
// length of the operations, operations.
type head struct {
	meta []byte
	ops  []op
}

func appendHead(dst []byte, h head) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(h.meta)))
	dst = append(dst, h.meta...)
	var ops []byte
	for _, o := range h.ops {
		form := o.from << 1
		if o.crlf {
			form |= 1
		}
		ops = binary.AppendUvarint(ops, uint64(o.gap))
		ops = append(ops, form)
		ops = binary.AppendUvarint(ops, uint64(o.line))
		ops = binary.AppendUvarint(ops, uint64(o.size))
		if o.from == fromPart {
			ops = append(ops, o.sum[:]...)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(ops)))
	return append(dst, ops...)
}

var errHead = errors.New("the head of the message is malformed")

// readHead reads the head of a stream. size is that of the original: no
// operation may reach beyond it.
func readHead(r *bufio.Reader, size int64) (head, error) {
	meta, err := readBlock(r, MaxMeta)
	if err != nil {
		return head{}, err
	}
	b, err := readBlock(r, min(maxOps, size))
	if err != nil {
		return head{}, err
	}
	h := head{meta: meta}
	for left := size; len(b) > 0; {
		var o op
		if o, b, err = parseOp(b); err != nil {
			return head{}, err
		}
		if len(h.ops) == maxCuts {
			return head{}, fmt.Errorf("%w: it has too many operations", errHead)
		}
		// All numbers are below 2^33, so nothing overflows.
		if o.gap > left || o.encoded() > left-o.gap {
			return head{}, fmt.Errorf("%w: it makes more than the original", errHead)
		}
		left -= o.gap + o.encoded()
		h.ops = append(h.ops, o)
	}
	return h, nil
}

func readBlock(r *bufio.Reader, limit int64) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil || n > uint64(limit) {
		return nil, errors.Join(errHead, err)
	}
	var b bytes.Buffer // grows with what is there, not with what is announced
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		return nil, errors.Join(errHead, err)
	}
	return b.Bytes(), nil
}

func parseOp(b []byte) (op, []byte, error) {
	var o op
	var n [3]int64
	for i := range n {
		v, k := binary.Uvarint(b)
		if k <= 0 || v > MaxObject {
			return op{}, nil, errHead
		}
		n[i], b = int64(v), b[k:]
		if i == 0 {
			if len(b) == 0 || b[0] > fromPart<<1|1 {
				return op{}, nil, errHead
			}
			o.from, o.crlf = b[0]>>1, b[0]&1 == 1
			b = b[1:]
		}
	}
	o.gap, o.line, o.size = n[0], n[1], n[2]
	if o.line == 0 || o.size < minCut {
		return op{}, nil, errHead
	}
	if o.from == fromPart {
		if len(b) < len(o.sum) {
			return op{}, nil, errHead
		}
		o.sum = Sum(b)
		b = b[len(o.sum):]
	}
	return o, b, nil
}

// assembler re-assembles an original from its stream. It is an io.Reader.
type assembler struct {
	stream io.Reader
	raw    io.Reader
	part   partOpener
	ops    []op
	gap    int64      // of ops[0] that is yet to come
	body   *lineMaker // of the operation under way
	open   io.Closer  // the part it reads
}

// partOpener opens the decoded bytes of a part; reading them to the end verifies
// them.
type partOpener func(sum Sum, size int64) (io.ReadCloser, error)

func newAssembler(ops []op, stream, raw io.Reader, part partOpener) *assembler {
	a := &assembler{stream: stream, raw: raw, part: part, ops: ops}
	if len(ops) > 0 {
		a.gap = ops[0].gap
	}
	return a
}

func (a *assembler) Read(p []byte) (int, error) {
	if len(a.ops) == 0 {
		return a.stream.Read(p)
	}
	if a.gap > 0 {
		n, err := a.stream.Read(p[:min(int64(len(p)), a.gap)])
		a.gap -= int64(n)
		return n, noEOF(err, a.gap)
	}
	if a.body == nil {
		src, err := a.source(a.ops[0])
		if err != nil {
			return 0, err
		}
		a.body = newLineMaker(src, a.ops[0].cut())
	}
	n, err := a.body.Read(p)
	if errors.Is(err, io.EOF) {
		err = a.Close()
		a.body = nil
		a.ops = a.ops[1:]
		if len(a.ops) > 0 {
			a.gap = a.ops[0].gap
		}
	}
	return n, err
}

// Close closes the part that is open, if any.
func (a *assembler) Close() error {
	if a.open == nil {
		return nil
	}
	c := a.open
	a.open = nil
	return c.Close()
}

func (a *assembler) source(o op) (io.Reader, error) {
	switch o.from {
	case fromRaw:
		return a.raw, nil
	case fromPart:
		p, err := a.part(o.sum, o.size)
		if err != nil {
			return nil, err
		}
		a.open = p
		return p, nil
	}
	return a.stream, nil
}

func noEOF(err error, left int64) error {
	if errors.Is(err, io.EOF) && left == 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// lineMaker encodes c.size bytes of src as base64 in lines.
type lineMaker struct {
	src  io.Reader
	left int64 // bytes of src yet to come
	line int64
	col  int64
	eol  string
	in   []byte
	out  []byte // encoded, not yet read
	buf  []byte // of out
}

// lineBlock is how many bytes are encoded at a time; it divides by 3.
const lineBlock = 12 << 10

func newLineMaker(src io.Reader, c cut) *lineMaker {
	m := &lineMaker{src: src, left: c.size, line: c.line, eol: "\n"}
	if c.crlf {
		m.eol = "\r\n"
	}
	m.in = make([]byte, min(c.size, lineBlock))
	return m
}

func (m *lineMaker) Read(p []byte) (int, error) {
	if len(m.out) == 0 {
		if m.left == 0 {
			return 0, io.EOF
		}
		in := m.in[:min(int64(len(m.in)), m.left)]
		if _, err := io.ReadFull(m.src, in); err != nil {
			return 0, noEOF(err, 1)
		}
		m.left -= int64(len(in))
		m.buf = m.encode(m.buf[:0], in)
		m.out = m.buf
	}
	n := copy(p, m.out)
	m.out = m.out[n:]
	return n, nil
}

func (m *lineMaker) encode(dst, in []byte) []byte {
	chars := base64.StdEncoding.AppendEncode(nil, in)
	for len(chars) > 0 {
		if m.col == m.line {
			dst = append(dst, m.eol...)
			m.col = 0
		}
		n := min(int64(len(chars)), m.line-m.col)
		dst = append(dst, chars[:n]...)
		m.col += n
		chars = chars[n:]
	}
	return dst
}
