package importer

import (
	"errors"
	"io"
)

// Limits of what one file may unpack to, in all its layers together. They are far
// above what mail needs (a mailbox of equal messages is some 100 times smaller
// when compressed) and keep a file made to do harm from filling the disk or
// running for ever.
const (
	maxNesting  = 5         // archives in archives; each compression counts as one
	maxEntries  = 5_000_000 // entries of all of them
	maxUnpacked = 4 << 40   // bytes unpacked; what is in two layers counts twice
	maxRatio    = 500       // bytes unpacked for a byte of the file ...
	freeBytes   = 1 << 30   // ... beyond these
	// maxName is how much of a name in an archive becomes part of an origin.
	maxName = 1024
)

// errLimit ends the unpacking of a file.
var errLimit = errors.New("it unpacks to more than the limits allow")

// budget is what a file may still unpack to.
type budget struct {
	bytes, entries int64
	spent          bool // a limit was met
}

func newBudget(size int64) *budget {
	most := int64(maxUnpacked)
	if size < most/maxRatio {
		most = max(size*maxRatio, freeBytes)
	}
	return &budget{bytes: most, entries: maxEntries}
}

// entry counts an entry.
func (b *budget) entry() error {
	if b.entries--; b.entries < 0 {
		b.spent = true
		return errLimit
	}
	return nil
}

// limit counts what is read of r, which has come out of an archive.
func (b *budget) limit(r io.Reader) io.Reader { return &limited{r, b} }

type limited struct {
	in     io.Reader
	budget *budget
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if l.budget.spent {
		return 0, errLimit
	}
	n, err := l.in.Read(p)
	if l.budget.bytes -= int64(n); l.budget.bytes < 0 {
		l.budget.spent = true
		return 0, errLimit
	}
	return n, err
}

// metered tells the meter how far a file has been read that is not read in
// order. What is read twice counts once, as far as can be told.
type metered struct {
	rawBytes
	meter *meter
	left  int64
}

// ReadAt implements io.ReaderAt.
func (m *metered) ReadAt(p []byte, off int64) (int, error) {
	n, err := m.rawBytes.ReadAt(p, off)
	m.pass(int64(n))
	return n, err
}

func (m *metered) pass(n int64) {
	n = min(n, m.left)
	m.left -= n
	m.meter.passed(n)
}
