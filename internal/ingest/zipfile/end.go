package zipfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Records at the end of the file [APPNOTE] §4.3.14 to §4.3.16.
const (
	endSignature     = 0x06054b50
	end64Signature   = 0x06064b50
	locatorSignature = 0x07064b50
	endSize          = 22
	end64Size        = 56
	locatorSize      = 20
	maxComment       = 1<<16 - 1
)

// end tells where the directory is.
type end struct {
	start, size int64 // of the directory
	base        int64 // where offsets count from: what stands before the archive
	entries     uint64
	long        bool // entries is a 64-bit number
}

// holds reports whether n is the number of entries that the record names.
func (e end) holds(n int64) bool {
	if e.long {
		return uint64(n) == e.entries
	}
	return uint16(n) == uint16(e.entries) // what writers without zip64 do above 65535
}

// findEnd reads the record at the end of the file, behind which only a comment
// may stand.
func findEnd(r io.ReaderAt, size int64) (end, error) {
	if size < endSize {
		return end{}, damaged("it is too short")
	}
	tail := make([]byte, min(size, endSize+maxComment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil {
		return end{}, fmt.Errorf("read end of ZIP file: %w", err)
	}
	le := binary.LittleEndian
	for i := len(tail) - endSize; i >= 0; i-- {
		i = bytes.LastIndex(tail[:i+4], []byte("PK\x05\x06"))
		if i < 0 {
			break
		}
		b := tail[i:]
		if int(le.Uint16(b[20:])) > len(b)-endSize {
			continue
		}
		return readEnd(r, b[:endSize], size-int64(len(b)))
	}
	return end{}, damaged("it has no directory at its end; it may be cut short")
}

// readEnd reads the record b, which is at the place at.
func readEnd(r io.ReaderAt, b []byte, at int64) (end, error) {
	le := binary.LittleEndian
	e := end{entries: uint64(le.Uint16(b[10:])), size: int64(le.Uint32(b[12:]))}
	offset, disk := int64(le.Uint32(b[16:])), uint32(le.Uint16(b[4:]))
	if at >= locatorSize {
		var l [locatorSize]byte
		if _, err := r.ReadAt(l[:], at-locatorSize); err != nil {
			return e, fmt.Errorf("read end of ZIP file: %w", err)
		}
		if le.Uint32(l[:]) == locatorSignature {
			var h [end64Size]byte
			place := int64(le.Uint64(l[8:]))
			if place < 0 || place > at-locatorSize-end64Size {
				return e, damaged("the record of its end is outside of it")
			}
			if _, err := r.ReadAt(h[:], place); err != nil {
				return e, fmt.Errorf("read end of ZIP file: %w", err)
			}
			if le.Uint32(h[:]) != end64Signature {
				return e, damaged("the record of its end is not where it should be")
			}
			e.entries, e.long, disk = le.Uint64(h[32:]), true, le.Uint32(h[16:])
			e.size, offset, at = int64(le.Uint64(h[40:])), int64(le.Uint64(h[48:])), place
		}
	}
	if disk != 0 {
		return e, damaged("it is one of several files of an archive that was split")
	}
	e.start = at - e.size
	if e.size < 0 || offset < 0 || e.start < 0 || offset > at {
		return e, damaged("the directory is outside of it")
	}
	if e.base = e.start - offset; e.base != 0 && e.size > 0 {
		var sig [4]byte
		if _, err := r.ReadAt(sig[:], offset); err == nil && le.Uint32(sig[:]) == entrySignature {
			e.base, e.start = 0, offset // something stands between directory and end
		}
	}
	if e.base < 0 {
		return e, damaged("the directory is outside of it")
	}
	return e, nil
}
