// Package pst reads Outlook's personal folders: PST and OST files as [MS-PST]
// describes them, and the 4096-byte form that Outlook 2013 and later use for
// OST files. It reads and never writes, and it knows nothing of the archive: what
// it finds it hands over as package mapi's messages.
//
// A file may be damaged or made to do harm. Nothing in it makes the reader panic,
// loop or fill the memory; what cannot be read is named with its place, and what
// can still be read is handed over beside that:
//   - a wrong checksum is noted, and the bytes are used as they are;
//   - what is needed to go on (an offset outside of the file, a table that makes
//     no sense) is an error of the one item or folder it belongs to;
//   - items that no folder leads to are found through the tree of nodes and
//     handed over in the folder "(lost)".
//
// The three layers of the format, bottom up:
//
//	layout.go   what differs between the ANSI, the Unicode and the 4096-byte form
//	header.go   the header
//	btree.go    pages and the two B-trees: nodes (NBT) and blocks (BBT)
//	block.go    blocks: checks, encryption, compression
//	crypt.go    the two encryptions
//	stream.go   the data of a node, which may take many blocks
//	subnode.go  nodes within nodes
//	cache.go    what is kept of pages and blocks; which items were seen
//	damage.go   errors, and the notes about what was wrong
//
//	heap.go     heap on a node, and the tree of records in it (BTH)
//	props.go    property contexts
//	table.go    table contexts
//
//	names.go    named properties
//	walk.go     folders and their items
//	lost.go     what no folder leads to
//	message.go  messages, recipients, attachments
//
// [MS-PST]: https://learn.microsoft.com/en-us/openspecs/office_file_formats/ms-pst/
package pst

import (
	"context"
	"fmt"
	"io"
)

// Limits. Each is far above what Outlook writes; together they keep memory below
// 64 MiB for any file.
const (
	maxLevels    = 8        // levels of a B-tree or of records; Outlook needs 4 at 50 GB
	maxSubLevels = 2        // levels of sub-nodes; the format has 2
	maxDepth     = 100      // folders within folders
	maxPathText  = 255      // bytes of one folder's name
	maxLabel     = 64 << 10 // bytes of a name or subject read to name something
	maxNames     = 32 << 10 // named properties: their numbers are 0x8000 to 0xffff
	maxNameText  = 4 << 20  // bytes of all the names of named properties
	maxPropBytes = 20 << 20 // bytes of all properties of one message but attachments' contents
	readTimes    = 256      // a walk may read so many times the file's size ...
	readAtLeast  = 1 << 30  // ... and at least so many bytes, before it is stopped
	cachePages   = 1 << 20  // bytes of pages kept, twice
	cacheBlocks  = 2 << 20  // bytes of blocks kept, twice
)

// File is an open PST or OST. It is for one goroutine at a time.
type File struct {
	r      io.ReaderAt
	size   int64
	layout layout
	crypt  byte
	nodes  tree // NBT
	blocks tree // BBT

	pageCache  cache[uint64, *page]
	blockCache cache[uint64, loaded]

	ctx    context.Context // of the walk under way
	sink   func(error)     // is told what is wrong with what is being read
	spent  int64           // bytes read in this walk
	names  *names
	header []error // what was wrong when the file was opened
}

// Open reads the header. It returns an error that is ErrNotPST if r is no PST or
// OST, and ErrUnsupported for a file that is protected with a key of Windows. A
// damaged header is tried as long as it leads to a tree.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size, ctx: context.Background()}
	f.pageCache.limit, f.blockCache.limit = cachePages, cacheBlocks
	defer f.noting(func(err error) { f.header = append(f.header, err) })()
	if err := f.readHeader(); err != nil {
		return nil, fmt.Errorf("open PST: %w", err)
	}
	return f, nil
}

// Format names the form of the file: "ANSI", "Unicode" or "Unicode, 4096-byte
// pages".
func (f *File) Format() string { return f.layout.name }

// spend counts n bytes of work and returns an error when a walk has done more
// than any honest file asks for, or was called off.
func (f *File) spend(n int) error {
	f.spent += int64(n)
	if f.spent > readAtLeast && f.spent/readTimes > f.size {
		return fmt.Errorf("%w: it makes its reader read it more than %d times", ErrDamaged, readTimes)
	}
	return f.ctx.Err()
}
