package mapi

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// rtfStart is what the dictionary of compressed RTF begins with [MS-OXRTFCP]
// §2.1.2.1.
const rtfStart = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}" +
	"{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier" +
	"{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

// Kinds of compressed RTF [MS-OXRTFCP] §2.1.3.1.1.
const (
	compressed   = 0x75465A4C // "LZFu"
	uncompressed = 0x414C454D // "MELA"
)

// decompressRTF returns the RTF of IDRTFCompressed [MS-OXRTFCP], at most MaxValue
// bytes. With an error, which is ErrDamaged, comes what could be read: a wrong
// checksum does not keep the text from being right.
func decompressRTF(b []byte) ([]byte, error) {
	if len(b) < 16 {
		return nil, fmt.Errorf("compressed RTF has %d bytes, want a header of 16: %w", len(b), ErrDamaged)
	}
	le := binary.LittleEndian
	size, raw, kind, sum := le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])
	data := b[16:]
	var short error
	if n := int64(size) - 12; n >= 0 && n <= int64(len(data)) {
		data = data[:n]
	} else {
		short = fmt.Errorf("compressed RTF has %d bytes, its header says %d: %w", len(data), n, ErrDamaged)
	}
	switch kind {
	case uncompressed:
		return data[:min(int64(len(data)), int64(raw))], short
	case compressed:
	default:
		return nil, fmt.Errorf("compressed RTF is of unknown kind %08x: %w", kind, ErrDamaged)
	}
	out, err := inflate(data, int(min(raw, MaxValue)))
	switch {
	case err != nil:
		return out, err
	case short != nil:
		return out, short
	case ^crc32.Update(0xFFFFFFFF, crc32.IEEETable, data) != sum:
		return out, fmt.Errorf("compressed RTF has a wrong checksum: %w", ErrDamaged)
	}
	return out, nil
}

// inflate undoes the compression [MS-OXRTFCP] §3.1.3: a control byte says of each
// of the eight tokens after it whether it is a byte or a reference to the
// dictionary, a ring of what was put out last.
func inflate(b []byte, size int) ([]byte, error) {
	var dict [4096]byte
	pos := copy(dict[:], rtfStart)
	out := make([]byte, 0, min(size, 8*len(b)))
	put := func(c byte) {
		dict[pos] = c
		pos = (pos + 1) % len(dict)
		out = append(out, c)
	}
	for len(b) > 0 {
		control := b[0]
		b = b[1:]
		for range 8 {
			if len(b) == 0 || len(out) > MaxValue {
				return cut(out, size), fmt.Errorf("compressed RTF has no end: %w", ErrDamaged)
			}
			if control&1 == 0 {
				put(b[0])
				b = b[1:]
			} else {
				if len(b) < 2 {
					return cut(out, size), fmt.Errorf("compressed RTF has no end: %w", ErrDamaged)
				}
				ref := int(b[0])<<8 | int(b[1])
				b = b[2:]
				from := ref >> 4
				if from == pos {
					return cut(out, size), nil
				}
				for i := range ref&0xF + 2 {
					put(dict[(from+i)%len(dict)])
				}
			}
			control >>= 1
		}
	}
	return cut(out, size), fmt.Errorf("compressed RTF has no end: %w", ErrDamaged)
}

func cut(b []byte, size int) []byte { return b[:min(len(b), size)] }
