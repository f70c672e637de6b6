package vault

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
)

// openLarge streams an original.
func openLarge(src source, parts partOpener) (*Content, error) {
	fr, err := newFrameReader(src.key, src.id, src.sealed, src.stored)
	if err != nil {
		return nil, err
	}
	p, err := readPrefix(fr)
	if err != nil {
		return nil, err
	}
	c := &Content{size: src.size, sum: p.sum}
	var stream io.Reader = fr
	switch p.codec {
	case codecPlain:
	case codecZstd:
		z, err := newStreamDecoder(fr)
		if err != nil {
			return nil, err
		}
		c.free = append(c.free, func() error { z.Close(); return nil })
		stream = z
	default:
		return nil, errCodec
	}
	br := bufio.NewReaderSize(stream, 32<<10)
	var ops []op
	if src.id.kind == KindMessage {
		h, err := readHead(br, src.size)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		ops = h.ops
	}
	a := newAssembler(ops, br, bytes.NewReader(p.raw), parts)
	c.free = append(c.free, a.Close)
	c.r = &verifier{r: a, want: p.sum, left: src.size, hash: sha256.New(), buf: make([]byte, chunkSize)}
	return c, nil
}

// readPrefix reads what precedes the stream in the plaintext of a message or part.
func readPrefix(r io.Reader) (plainParts, error) {
	var b [33]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return plainParts{}, noEOF(err, 1)
	}
	p := plainParts{sum: Sum(b[:32]), codec: b[32]}
	n, err := binary.ReadUvarint(oneByte{r})
	if err != nil {
		return plainParts{}, noEOF(err, 1)
	}
	if n > maxRawSection {
		return plainParts{}, errPlain
	}
	p.raw = make([]byte, n)
	_, err = io.ReadFull(r, p.raw)
	return p, noEOF(err, 1)
}

type oneByte struct{ io.Reader }

func (r oneByte) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r, b[:])
	return b[0], err
}

// verifier passes on exactly left bytes with the wanted hash. The last block is
// held back until hash and length are known to be right.
type verifier struct {
	r    io.Reader
	want Sum
	left int64
	hash hash.Hash
	buf  []byte
	out  []byte
	err  error
}

func (v *verifier) Read(p []byte) (int, error) {
	if len(v.out) == 0 && v.err == nil {
		v.fill()
	}
	if len(v.out) == 0 {
		return 0, v.err
	}
	n := copy(p, v.out)
	v.out = v.out[n:]
	return n, nil
}

func (v *verifier) fill() {
	b := v.buf[:min(int64(len(v.buf)), v.left)]
	if _, err := io.ReadFull(v.r, b); err != nil {
		v.err = noEOF(err, 1)
		return
	}
	v.hash.Write(b)
	v.left -= int64(len(b))
	if v.left == 0 {
		if v.err = atEnd(v.r); v.err == nil && Sum(v.hash.Sum(nil)) != v.want {
			v.err = errHash
		}
		if v.err != nil {
			return
		}
		v.err = io.EOF
	}
	v.out = b
}
