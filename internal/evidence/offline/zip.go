package offline

import (
	"archive/zip"
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// openZip opens a ZIP file that every program unpacks to the same files: whoever reads
// that it is valid must not be shown others than those that were verified.
func openZip(path string) (*zip.Reader, io.Closer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	z, err := readZip(f, st.Size())
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return z, f, nil
}

func readZip(r io.ReaderAt, size int64) (*zip.Reader, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("is neither a proof bundle (ZIP) nor a directory with one: %w", err)
	}
	err = checkNames(z.File)
	if err == nil {
		err = checkLayout(r, size, z.File)
	}
	if err != nil {
		return nil, fmt.Errorf("programs may unpack other files from it than would be verified here (%w); unpack it and verify the directory", err)
	}
	return z, nil
}

// checkNames refuses names of which one program or another makes a file that another
// name means too, or one outside of the bundle.
func checkNames(files []*zip.File) error {
	seen, parents := make(map[string]bool, len(files)), map[string]bool{}
	for _, f := range files {
		name, folder := strings.CutSuffix(f.Name, "/")
		switch {
		case !fs.ValidPath(name) || strings.ContainsFunc(name, func(r rune) bool { return r == '\\' || r < ' ' }):
			return fmt.Errorf("the name %.200q", f.Name)
		case folder != f.Mode().IsDir() || !folder && !f.Mode().IsRegular():
			return fmt.Errorf("%.200q is no file", f.Name)
		}
		same := foldName(name)
		if folder {
			parents[same] = true
		} else if seen[same] {
			return fmt.Errorf("%.200q is in it twice", f.Name)
		} else {
			seen[same] = true
		}
		for i := strings.LastIndexByte(same, '/'); i > 0 && !parents[same[:i]]; i = strings.LastIndexByte(same[:i], '/') {
			parents[same[:i]] = true
		}
	}
	for name := range parents {
		if seen[name] {
			return fmt.Errorf("%.200q is a file and a folder", name)
		}
	}
	return nil
}

// foldName makes names equal that are one on some system: whatever the case of their
// letters, and with points and spaces at the end of their parts.
func foldName(name string) string {
	parts := strings.Split(strings.ToLower(name), "/")
	for i, p := range parts {
		parts[i] = strings.TrimRight(p, ". ")
	}
	return strings.Join(parts, "/")
}

// The parts of a ZIP file (APPNOTE.TXT §4.3).
const (
	localHead = 30 // bytes of a local file header before the name
	endRecord = 22 // bytes of the end of central directory record
	dirHead   = 46 // bytes of a central file header before the name
	localSign = "PK\x03\x04"
	dirSign   = "PK\x01\x02"
	endSign   = "PK\x05\x06"

	largeRecord = 56 + 20 // bytes of the ZIP64 end record and its locator
	largeSign   = "PK\x06\x06"
	locatorSign = "PK\x06\x07"
)

// checkLayout looks whether the files lie one after the other from the first byte on, with
// nothing between them, each called the same before its contents as in the directory, and
// the directory behind them: who reads from the beginning finds what is in the directory.
// So no contents can be shared either, which would let a small file unpack to a huge one.
func checkLayout(r io.ReaderAt, size int64, files []*zip.File) error {
	type place struct {
		*zip.File
		at int64
	}
	all := make([]place, len(files))
	for i, f := range files {
		at, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("%.200q: %w", f.Name, err)
		}
		if f.CompressedSize64 > uint64(size) {
			return fmt.Errorf("%.200q: its length", f.Name)
		}
		all[i] = place{f, at}
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.at, b.at) })
	end := int64(0)
	for _, f := range all {
		if !follows(r, end, f.File, f.at) {
			return fmt.Errorf("%.200q is not where it should be", f.Name)
		}
		end = f.at + int64(f.CompressedSize64)
	}
	from, length, err := directory(r, size)
	switch {
	case err != nil:
		return err
	case !slices.ContainsFunc(gaps(end), func(gap int64) bool { return end+gap == from }):
		return errors.New("bytes that belong to no file")
	}
	return countEntries(r, from, length, len(files))
}

// directory returns where the central directory begins and how long it is, as the end of
// the file tells, which must follow it at once.
func directory(r io.ReaderAt, size int64) (from, length int64, err error) {
	last := make([]byte, endRecord)
	at := size - endRecord
	if _, err := r.ReadAt(last, at); err != nil || string(last[:4]) != endSign || last[20] != 0 || last[21] != 0 {
		return 0, 0, errors.New("bytes behind its end")
	}
	length, from = int64(binary.LittleEndian.Uint32(last[12:])), int64(binary.LittleEndian.Uint32(last[16:]))
	if length == 1<<32-1 || from == 1<<32-1 || binary.LittleEndian.Uint16(last[10:]) == 1<<16-1 { // in the larger record before it
		large := make([]byte, largeRecord)
		if at -= largeRecord; at < 0 {
			return 0, 0, errors.New("its end")
		}
		if _, err := r.ReadAt(large, at); err != nil || string(large[:4]) != largeSign || string(large[56:60]) != locatorSign || binary.LittleEndian.Uint64(large[64:]) != uint64(at) {
			return 0, 0, errors.New("its end")
		}
		length, from = int64(binary.LittleEndian.Uint64(large[40:])), int64(binary.LittleEndian.Uint64(large[48:]))
	}
	if from < 0 || length < 0 || from > size || length > size || from+length != at {
		return 0, 0, errors.New("bytes between its directory and its end")
	}
	return from, length, nil
}

// countEntries walks through the central directory, which must hold so many files and
// nothing else: that which lies there is that which was read.
func countEntries(r io.ReaderAt, from, length int64, files int) error {
	b := bufio.NewReader(io.NewSectionReader(r, from, length))
	h := make([]byte, dirHead)
	for n := 0; ; n++ {
		_, err := io.ReadFull(b, h)
		if errors.Is(err, io.EOF) && n == files {
			return nil
		}
		if err != nil || n == files || string(h[:4]) != dirSign {
			return errors.New("its directory holds other files")
		}
		more := 0
		for _, i := range []int{28, 30, 32} { // name, extra field, comment
			more += int(binary.LittleEndian.Uint16(h[i:]))
		}
		if _, err := b.Discard(more); err != nil {
			return errors.New("its directory holds other files")
		}
	}
}

// gaps returns how many bytes may lie behind the contents of a file that end there: a data
// descriptor, with a signature or without, of 4 or 8 bytes for each length, or none.
func gaps(end int64) []int64 {
	if end == 0 {
		return []int64{0} // the first one
	}
	return []int64{0, 12, 16, 20, 24}
}

// follows reports whether the header of f, whose contents begin at a place, comes next
// after another file's contents, and says the same as the directory.
func follows(r io.ReaderAt, end int64, f *zip.File, at int64) bool {
	for _, gap := range gaps(end) {
		h := make([]byte, localHead+len(f.Name))
		if _, err := r.ReadAt(h, end+gap); err != nil || string(h[:4]) != localSign {
			continue
		}
		short := func(i int) uint16 { return binary.LittleEndian.Uint16(h[i:]) }
		long := func(i int) uint32 { return binary.LittleEndian.Uint32(h[i:]) }
		if end+gap+localHead+int64(short(26))+int64(short(28)) != at || int(short(26)) != len(f.Name) || string(h[localHead:]) != f.Name ||
			short(6) != f.Flags || short(8) != f.Method {
			continue
		}
		told := func(v uint32, want uint64) bool { return v == 1<<32-1 || uint64(v) == want } // else it is in an extra field
		return f.Flags&8 != 0 || long(14) == f.CRC32 && told(long(18), f.CompressedSize64) && told(long(22), f.UncompressedSize64)
	}
	return false
}
