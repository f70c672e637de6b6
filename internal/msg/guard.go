package msg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Limits of the directory of a compound file. The library that reads it gives
// every entry the list of storages around it: a small file of storages within
// storages would take all memory.
const (
	maxEntries = 1 << 17
	maxNesting = 64 // storages within storages; messages take two a level
	maxFAT     = 1 << 16
)

// Sizes of sectors [MS-CFB] §2.2.
const (
	minSector = 512
	maxSector = 4096
)

const (
	noSector    = 0xFFFFFFFA // from here on no number of a sector
	noEntry     = 0xFFFFFFFF
	entrySize   = 128
	headerDIFAT = 109 // sectors of the FAT that the header names
)

var signature = [8]byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}

// guard checks the directory against the limits before the library reads it.
func guard(src *source) error {
	var head [minSector]byte
	if n, _ := src.ReadAt(head[:], 0); n < len(signature) || [8]byte(head[:8]) != signature {
		if src.err != nil {
			return src.err
		}
		return ErrNotMSG
	}
	le := binary.LittleEndian
	shift := le.Uint16(head[30:])
	if shift != 9 && shift != 12 {
		return fmt.Errorf("sectors of 2^%d bytes", shift)
	}
	c := &chains{src: src, sector: 1 << shift}
	for i := range headerDIFAT {
		c.fat = append(c.fat, le.Uint32(head[76+4*i:]))
	}
	if err := c.difat(le.Uint32(head[68:]), le.Uint32(head[72:])); err != nil {
		return err
	}
	links, err := c.directory(le.Uint32(head[48:]))
	if err != nil {
		return err
	}
	return nesting(links)
}

// chains follows chains of sectors.
type chains struct {
	src    *source
	sector int64
	fat    []uint32 // the sectors of the FAT
}

func (c *chains) read(sector uint32) ([]byte, error) {
	b := make([]byte, c.sector)
	_, err := c.src.ReadAt(b, (int64(sector)+1)*c.sector)
	return b, err
}

// difat reads the sectors that name further sectors of the FAT [MS-CFB] §2.5.
func (c *chains) difat(sector, count uint32) error {
	for range count {
		if sector >= noSector {
			return nil
		}
		if len(c.fat) > maxFAT {
			return errors.New("the table of sectors is too large")
		}
		b, err := c.read(sector)
		if err != nil {
			return err
		}
		last := len(b) - 4
		for i := 0; i < last; i += 4 {
			c.fat = append(c.fat, binary.LittleEndian.Uint32(b[i:]))
		}
		sector = binary.LittleEndian.Uint32(b[last:])
	}
	return nil
}

// directory returns left, right and child of every entry [MS-CFB] §2.6.1.
func (c *chains) directory(sector uint32) ([][3]uint32, error) {
	le := binary.LittleEndian
	var links [][3]uint32
	for sector < noSector {
		if len(links) >= maxEntries {
			return nil, fmt.Errorf("the directory has more than %d entries or runs in a circle", maxEntries)
		}
		b, err := c.read(sector)
		if err != nil {
			return nil, fmt.Errorf("directory: %w", err)
		}
		for ; len(b) >= entrySize; b = b[entrySize:] {
			links = append(links, [3]uint32{le.Uint32(b[68:]), le.Uint32(b[72:]), le.Uint32(b[76:])})
		}
		perSector := uint32(c.sector / 4)
		at := int(sector / perSector)
		if at >= len(c.fat) {
			return nil, errors.New("the directory leaves the table of sectors")
		}
		var next [4]byte
		if _, err := c.src.ReadAt(next[:], (int64(c.fat[at])+1)*c.sector+int64(sector%perSector)*4); err != nil {
			return nil, fmt.Errorf("directory: %w", err)
		}
		sector = le.Uint32(next[:])
	}
	return links, nil
}

// nesting walks the tree. An entry that is met twice makes it endless.
func nesting(links [][3]uint32) error {
	type place struct {
		entry uint32
		depth int
	}
	todo := []place{{}}
	for met := 0; len(todo) > 0; met++ {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if int64(p.entry) >= int64(len(links)) || met >= len(links) {
			return errors.New("the directory is no tree")
		}
		if p.depth > maxNesting {
			return fmt.Errorf("storages are nested more than %d deep", maxNesting)
		}
		for i, next := range links[p.entry] {
			if next != noEntry {
				depth := p.depth
				if i == 2 {
					depth++
				}
				todo = append(todo, place{next, depth})
			}
		}
	}
	return nil
}
