package pst

import "encoding/binary"

// layout is what differs between the forms of the file.
type layout struct {
	name string
	wide bool // identifiers and offsets have 8 bytes, not 4

	pageSize int // bytes of a page of a B-tree
	pageEnd  int // where its trailer begins: the bytes before are under the checksum
	pageInfo int // where its number of entries is
	countIs2 bool

	blockAlign   int // blocks begin and end at a multiple of this
	blockTrailer int // bytes of a block's trailer
	blockMax     int // bytes of a block with its trailer

	hidIndexBits int // bits of an allocation's number in the heap
}

// ansi is what Outlook up to 2002 wrote (version 14 and 15).
func ansi() layout {
	return layout{
		name: "ANSI", pageSize: 512, pageEnd: 500, pageInfo: 496,
		blockAlign: 64, blockTrailer: 12, blockMax: 8192, hidIndexBits: 11,
	}
}

// unicode is the form of PST files since Outlook 2003 (version 23).
func unicode() layout {
	return layout{
		name: "Unicode", wide: true, pageSize: 512, pageEnd: 496, pageInfo: 488,
		blockAlign: 64, blockTrailer: 16, blockMax: 8192, hidIndexBits: 11,
	}
}

// unicode4K is the form of OST files since Outlook 2013 (version 36), which is
// not in [MS-PST]: pages of 4096 bytes, blocks of up to 64 KiB that may be
// compressed, and 14 bits for the number of an allocation.
func unicode4K() layout {
	return layout{
		name: "Unicode, 4096-byte pages", wide: true, pageSize: 4096, pageEnd: 4072, pageInfo: 4056, countIs2: true,
		blockAlign: 512, blockTrailer: 24, blockMax: 64 << 10, hidIndexBits: 14,
	}
}

// compresses tells whether blocks may be compressed.
func (l *layout) compresses() bool { return l.blockTrailer == 24 }

// word is the size of an identifier of a block, and of an offset.
func (l *layout) word() int {
	if l.wide {
		return 8
	}
	return 4
}

// id reads such a word, of which b must have enough.
func (l *layout) id(b []byte) uint64 {
	if l.wide {
		return binary.LittleEndian.Uint64(b)
	}
	return uint64(binary.LittleEndian.Uint32(b))
}

// onDisk is how many bytes a block of n bytes takes with padding and trailer.
func (l *layout) onDisk(n int) int {
	return (n + l.blockTrailer + l.blockAlign - 1) / l.blockAlign * l.blockAlign
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
