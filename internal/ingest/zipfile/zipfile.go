// Package zipfile reads ZIP files [APPNOTE] entry by entry. Unlike the standard
// library it holds no list of the entries in memory, so that an archive of
// millions of mails takes no more of it than one of a few. It reads and never
// writes, it knows nothing of mail, and it makes nothing of the names of entries.
//
// The directory at the end of the file says what there is; the sizes there count.
// What the directory does not name is not in the archive.
//
//	zipfile.go    Reader, the entries     end.go    where the directory is
//
// [APPNOTE]: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
package zipfile

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

var (
	// ErrDamaged is what errors are that come from the bytes of the file.
	ErrDamaged = errors.New("damaged ZIP file")
	// ErrEncrypted is returned by Open for what only a password opens.
	ErrEncrypted = errors.New("is encrypted")
	// ErrMethod is returned by Open for a compression that is not read.
	ErrMethod = errors.New("is compressed in a way that is not read")
)

// Signatures and sizes of headers [APPNOTE] §4.3.
const (
	localSignature   = 0x04034b50
	entrySignature   = 0x02014b50
	digitalSignature = 0x05054b50
	localSize        = 30
	entrySize        = 46
)

// Methods of compression [APPNOTE] §4.4.5.
const (
	methodStore   = 0
	methodDeflate = 8
)

// Reader goes through the directory. It is for one goroutine; opened entries are
// independent of it.
type Reader struct {
	file io.ReaderAt
	size int64
	dir  *bufio.Reader
	end  end
	no   int64 // entries so far
	err  error // sticks
}

// Entry is an entry of the directory.
type Entry struct {
	Name string      // with slashes; anything can be in it, but it is UTF-8
	Mode fs.FileMode // type and permissions, as far as they are known
	Size int64       // of the contents in bytes, as the directory has it

	file       io.ReaderAt
	bound      int64 // of the file
	offset     int64 // of the local header
	compressed int64
	crc        uint32
	method     uint16
	flags      uint16
}

// NewReader finds the directory of the ZIP file in the size bytes of r.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	e, err := findEnd(r, size)
	if err != nil {
		return nil, err
	}
	return &Reader{file: r, size: size, end: e, dir: bufio.NewReaderSize(io.NewSectionReader(r, e.start, e.size), 64<<10)}, nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// Next returns the next entry. The error is io.EOF after the last one, ErrDamaged
// if the directory does not go on as it should, else that of the file.
func (r *Reader) Next() (*Entry, error) {
	if r.err != nil {
		return nil, r.err
	}
	e, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	r.no++
	return e, nil
}

func (r *Reader) next() (*Entry, error) {
	var h [entrySize]byte
	switch n, err := io.ReadFull(r.dir, h[:]); {
	case n == 0 && errors.Is(err, io.EOF), n >= 4 && binary.LittleEndian.Uint32(h[:]) == digitalSignature:
		if !r.end.holds(r.no) {
			return nil, damaged("the directory has %d entries and says that it has %d", r.no, r.end.entries)
		}
		return nil, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, damaged("the directory is cut short")
	case err != nil:
		return nil, fmt.Errorf("read directory of ZIP file: %w", err)
	}
	le := binary.LittleEndian
	if le.Uint32(h[:]) != entrySignature {
		return nil, damaged("no entry where entry %d of the directory should be", r.no+1)
	}
	name, extra := make([]byte, le.Uint16(h[28:])), make([]byte, le.Uint16(h[30:]))
	for _, b := range [][]byte{name, extra, make([]byte, le.Uint16(h[32:]))} {
		if _, err := io.ReadFull(r.dir, b); err != nil {
			return nil, damaged("the directory is cut short")
		}
	}
	e := &Entry{
		file: r.file, bound: r.size, flags: le.Uint16(h[8:]), method: le.Uint16(h[10:]), crc: le.Uint32(h[16:]),
		compressed: int64(le.Uint32(h[20:])), Size: int64(le.Uint32(h[24:])), offset: int64(le.Uint32(h[42:])),
	}
	e.Name = text(name, e.flags&0x800 != 0)
	e.Mode = mode(h[5], le.Uint32(h[38:]), e.Name)
	if err := e.long(extra); err != nil {
		return nil, err
	}
	e.offset += r.end.base
	return e, nil
}

// long takes what does not fit into 32 bits from the extra fields [APPNOTE]
// §4.5.3.
func (e *Entry) long(extra []byte) error {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			break
		}
		field := extra[:n]
		extra = extra[n:]
		if id != 1 {
			continue
		}
		for _, v := range []*int64{&e.Size, &e.compressed, &e.offset} {
			if *v != 0xffffffff || len(field) < 8 {
				continue
			}
			*v = int64(le.Uint64(field))
			field = field[8:]
			if *v < 0 || *v > 1<<62 {
				return damaged("entry %q has an impossible size or place", e.Name)
			}
		}
	}
	return nil
}

// text makes a name UTF-8: it is that, or of the code page of the first PCs.
func text(name []byte, isUTF8 bool) string {
	if isUTF8 || utf8.Valid(name) {
		return strings.ToValidUTF8(string(name), "\uFFFD")
	}
	b, err := charmap.CodePage437.NewDecoder().Bytes(name)
	if err != nil {
		return strings.ToValidUTF8(string(name), "\uFFFD")
	}
	return string(b)
}

// mode returns the type of an entry [APPNOTE] §4.4.15.
func mode(system byte, attributes uint32, name string) fs.FileMode {
	if strings.HasSuffix(name, "/") {
		return fs.ModeDir
	}
	if system != 3 && system != 19 { // Unix, macOS
		return 0
	}
	m := fs.FileMode(attributes>>16) & fs.ModePerm
	switch attributes >> 16 & 0o170000 {
	case 0o120000:
		m |= fs.ModeSymlink
	case 0o040000:
		m |= fs.ModeDir
	case 0o010000, 0o020000, 0o060000, 0o140000:
		m |= fs.ModeIrregular
	}
	return m
}

// Open returns the contents. Its reader ends with io.EOF only after as many bytes
// as the directory says with the right checksum; it never gives more. The error
// is ErrEncrypted, ErrMethod or ErrDamaged, else that of the file.
func (e *Entry) Open() (io.Reader, error) {
	if e.flags&1 != 0 {
		return nil, ErrEncrypted
	}
	if e.method != methodStore && e.method != methodDeflate {
		return nil, fmt.Errorf("%w (method %d)", ErrMethod, e.method)
	}
	var h [localSize]byte
	if e.offset < 0 || e.offset > e.bound-localSize {
		return nil, damaged("the entry begins outside of the file")
	}
	if _, err := e.file.ReadAt(h[:], e.offset); err != nil {
		return nil, fmt.Errorf("read entry of ZIP file: %w", err)
	}
	le := binary.LittleEndian
	if le.Uint32(h[:]) != localSignature {
		return nil, damaged("the entry is not where the directory says")
	}
	at := e.offset + localSize + int64(le.Uint16(h[26:])) + int64(le.Uint16(h[28:]))
	if at > e.bound || e.compressed > e.bound-at {
		return nil, damaged("the entry reaches beyond the end of the file")
	}
	var in io.Reader = io.NewSectionReader(e.file, at, e.compressed)
	if e.method == methodDeflate {
		in = flate.NewReader(bufio.NewReader(in))
	}
	return &contents{in: in, entry: e, crc: crc32.NewIEEE()}, nil
}

// contents checks what is read.
type contents struct {
	in    io.Reader
	entry *Entry
	crc   hash.Hash32
	n     int64
	err   error
}

// Read implements io.Reader.
func (c *contents) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(p)
	c.n += int64(n)
	_, _ = c.crc.Write(p[:n]) // never fails
	var broken flate.CorruptInputError
	switch {
	case c.n > c.entry.Size:
		err = damaged("the entry is longer than the directory says")
		n = 0
	case errors.Is(err, io.EOF) && c.n < c.entry.Size, errors.Is(err, io.ErrUnexpectedEOF):
		err = damaged("the entry is cut short")
	case errors.Is(err, io.EOF) && c.crc.Sum32() != c.entry.crc:
		err = damaged("the entry has a wrong checksum")
	case errors.As(err, &broken):
		err = damaged("%v", err)
	}
	c.err = err
	return n, err
}
