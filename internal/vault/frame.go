package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"

	"github.com/muniment/muniment/internal/uid"
)

// A frame is encrypted in chunks of chunkSize bytes of plaintext, each followed by
// its tag (AES-256-GCM; the STREAM construction of Hoang, Reyhanitabar, Rogaway
// and Vizár). The nonce is 7 zero bytes, the number of the chunk (32 bits, big
// endian) and 1 for the last chunk, else 0. It need not be random because a frame
// key is random, encrypts one frame, and is never used again.
const (
	chunkSize = 64 << 10
	tagSize   = 16
	frameAAD  = "MUNFRM01"
)

type frameKey [keySize]byte

func newFrameKey() frameKey {
	var k frameKey
	rand.Read(k[:])
	return k
}

// frameID is bound to every chunk of a frame. It does not name the segment, so
// the compactor may copy a frame with its key.
type frameID struct {
	tenant uid.ID
	kind   Kind
	aoid   uid.ID
}

func (id frameID) aad() []byte {
	b := make([]byte, 0, len(frameAAD)+33)
	b = append(b, frameAAD...)
	b = append(b, id.tenant[:]...)
	b = append(b, byte(id.kind))
	return append(b, id.aoid[:]...)
}

func chunkNonce(n uint32, last bool) []byte {
	var b [nonceSize]byte
	binary.BigEndian.PutUint32(b[7:], n)
	if last {
		b[11] = 1
	}
	return b[:]
}

// sealedSize returns the bytes that plain bytes take when encrypted.
func sealedSize(plain int64) int64 {
	return plain + max(1, (plain+chunkSize-1)/chunkSize)*tagSize
}

// plainSize undoes sealedSize. ok is false if no plaintext has that size.
func plainSize(sealed int64) (plain int64, ok bool) {
	const full = chunkSize + tagSize
	n, rest := sealed/full, sealed%full
	if rest == 0 {
		return n * chunkSize, n > 0
	}
	// An empty last chunk is allowed only if it is the only one.
	if rest < tagSize || rest == tagSize && n > 0 {
		return 0, false
	}
	return n*chunkSize + rest - tagSize, true
}

// sealFrame encrypts a frame in memory and appends it to dst.
func sealFrame(dst []byte, key *frameKey, id frameID, plain []byte) ([]byte, error) {
	a, err := newGCM(key[:])
	if err != nil {
		return nil, err
	}
	aad := id.aad()
	for n := uint32(0); ; n++ {
		p := plain[:min(len(plain), chunkSize)]
		plain = plain[len(p):]
		dst = a.Seal(dst, chunkNonce(n, len(plain) == 0), p, aad)
		if len(plain) == 0 {
			return dst, nil
		}
	}
}

// openFrame decrypts a frame in memory.
func openFrame(key *frameKey, id frameID, sealed []byte) ([]byte, error) {
	size, ok := plainSize(int64(len(sealed)))
	if !ok {
		return nil, errUnseal
	}
	r, err := newFrameReader(key, id, bytes.NewReader(sealed), int64(len(sealed)))
	if err != nil {
		return nil, err
	}
	plain := make([]byte, size)
	if _, err := io.ReadFull(r, plain); err != nil {
		return nil, err
	}
	return plain, r.end()
}

// frameWriter encrypts a stream.
type frameWriter struct {
	w    io.Writer
	a    cipher.AEAD
	aad  []byte
	buf  []byte // plaintext, then also its ciphertext
	n    uint32
	size int64 // bytes written to w
}

func newFrameWriter(w io.Writer, key *frameKey, id frameID) (*frameWriter, error) {
	a, err := newGCM(key[:])
	if err != nil {
		return nil, err
	}
	return &frameWriter{w: w, a: a, aad: id.aad(), buf: make([]byte, 0, chunkSize+tagSize)}, nil
}

func (w *frameWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(w.buf) == chunkSize { // and more follows: not the last
			if err := w.flush(false); err != nil {
				return 0, err
			}
		}
		k := min(len(p), chunkSize-len(w.buf))
		w.buf = append(w.buf, p[:k]...)
		p = p[k:]
	}
	return n, nil
}

func (w *frameWriter) flush(last bool) error {
	sealed := w.a.Seal(w.buf[:0], chunkNonce(w.n, last), w.buf, w.aad)
	if _, err := w.w.Write(sealed); err != nil {
		return err
	}
	w.n++
	w.size += int64(len(sealed))
	w.buf = w.buf[:0]
	return nil
}

// Close writes the last chunk.
func (w *frameWriter) Close() error { return w.flush(true) }

// frameReader decrypts a stream. Nothing is returned that has not been verified;
// that the whole is there is known at io.EOF.
type frameReader struct {
	r     io.ReaderAt
	size  int64 // sealed
	off   int64
	a     cipher.AEAD
	aad   []byte
	n     uint32
	buf   []byte // sealed chunk, decrypted in place
	plain []byte // of buf, not yet read
}

var errFrameSize = errors.New("the encrypted frame has an impossible size")

func newFrameReader(key *frameKey, id frameID, r io.ReaderAt, size int64) (*frameReader, error) {
	plain, ok := plainSize(size)
	if !ok {
		return nil, errFrameSize
	}
	a, err := newGCM(key[:])
	if err != nil {
		return nil, err
	}
	buf := make([]byte, min(plain, chunkSize)+tagSize)
	return &frameReader{r: r, size: size, a: a, aad: id.aad(), buf: buf}, nil
}

func (r *frameReader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.off == r.size {
			return 0, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

func (r *frameReader) next() error {
	c := r.buf[:min(int64(len(r.buf)), r.size-r.off)]
	if err := readAt(r.r, c, r.off); err != nil {
		return err
	}
	r.off += int64(len(c))
	plain, err := r.a.Open(c[:0], chunkNonce(r.n, r.off == r.size), c, r.aad)
	if err != nil {
		return errUnseal
	}
	r.n++
	r.plain = plain
	return nil
}

// end verifies that nothing is left.
func (r *frameReader) end() error {
	var b [1]byte
	n, err := r.Read(b[:])
	if n == 0 && errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = errFrameSize
	}
	return err
}

var errTruncated = errors.New("the object ends too early")
