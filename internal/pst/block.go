package pst

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"fmt"
	"io"
)

// A block whose identifier has this bit holds structure, not data: it is never
// encrypted.
const internal = 2

// loaded is a block that was read.
type loaded struct {
	data   []byte
	damage error // a wrong checksum or size, if there is one
}

// block returns what a block holds, decrypted and unpacked. The bytes must not be
// changed.
func (f *File) block(id uint64) ([]byte, error) {
	id &^= 1
	b, ok := f.blockCache.get(id)
	if !ok {
		var err error
		if b, err = f.loadBlock(id); err != nil {
			return nil, err
		}
		f.blockCache.put(id, b, len(b.data)+64)
	}
	f.note(b.damage)
	return b.data, nil
}

// loadBlock finds the block, reads and checks it ([MS-PST] §2.2.2.8.1).
func (f *File) loadBlock(id uint64) (out loaded, err error) {
	e, err := f.blocks.find(id)
	if err != nil {
		return out, fmt.Errorf("block 0x%x: %w", id, err)
	}
	if e == nil {
		return out, damagef("block 0x%x is not in the block tree", id)
	}
	l, w := &f.layout, f.layout.word()
	at, size := l.id(e[w:]), int(u16(e[2*w:]))
	total := l.onDisk(size)
	if total > l.blockMax {
		return out, damagef("block 0x%x has %d bytes", id, size)
	}
	if at < headerSize || at > uint64(f.size) || at+uint64(total) > uint64(f.size) {
		return out, damagef("block 0x%x at offset %d is outside of the file of %d bytes", id, at, f.size)
	}
	if err := f.spend(total); err != nil {
		return out, err
	}
	b := make([]byte, total)
	if n, err := f.r.ReadAt(b, int64(at)); n < len(b) {
		return out, fmt.Errorf("block 0x%x at offset %d: %w", id, at, err)
	}
	if out.damage, err = f.checkBlock(b, size, id, at); err != nil {
		return out, err
	}
	plain := 0
	if l.compresses() { // the size before compression is in the trailer, and in the tree
		if plain = int(u16(b[total-l.blockTrailer+18:])); plain == 0 {
			plain = int(u16(e[2*w+2:]))
		}
	}
	out.data, err = f.plain(b[:size], plain, id, at)
	return out, err
}

// checkBlock compares a block with its trailer. A block that is another one than
// was asked for is an error, other differences are damage.
func (f *File) checkBlock(b []byte, size int, id, at uint64) (damage, err error) {
	t := b[len(b)-f.layout.blockTrailer:]
	own, crc := f.layout.id(t[8:]), u32(t[4:])
	if !f.layout.wide {
		own, crc = f.layout.id(t[4:]), u32(t[8:])
	}
	got := checksum(b[:size])
	switch {
	case own&^1 != id && (got == crc || int(u16(t)) != size):
		return nil, damagef("block 0x%x at offset %d: block 0x%x is there", id, at, own)
	case int(u16(t)) != size:
		return damagef("block 0x%x at offset %d has %d bytes, want %d", id, at, u16(t), size), nil
	case got != crc:
		return damagef("block 0x%x at offset %d: checksum 0x%08x, want 0x%08x", id, at, got, crc), nil
	}
	return nil, nil
}

// plain unpacks and decrypts the bytes of a block, which it may change. unpacked is
// the size before compression. Compressed is what was encrypted before; where it
// does not look so, the other order is tried.
func (f *File) plain(b []byte, unpacked int, id, at uint64) ([]byte, error) {
	packed := unpacked != 0 && unpacked != len(b)
	method := f.crypt
	if id&internal != 0 {
		method = cryptNone
	}
	last := packed && isZlib(b)
	if !last {
		decrypt(method, b, id)
	}
	if packed {
		var err error
		if b, err = unpack(b, unpacked); err != nil {
			return nil, damagef("block 0x%x at offset %d: unpacking: %w", id, at, err)
		}
	}
	if last {
		decrypt(method, b, id)
	}
	return b, f.spend(unpacked)
}

// isZlib tells whether b begins as RFC 1950 §2.2 says.
func isZlib(b []byte) bool {
	return len(b) >= 2 && b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0
}

// unpack decompresses b, which must give n bytes (at most 64 KiB).
func unpack(b []byte, n int) ([]byte, error) {
	var r io.Reader
	if isZlib(b) {
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		r = z
	} else {
		r = flate.NewReader(bytes.NewReader(b))
	}
	out := make([]byte, n)
	_, err := io.ReadFull(r, out)
	return out, err
}
