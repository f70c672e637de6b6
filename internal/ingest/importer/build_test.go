package importer

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
)

// file is a file in an archive of a test; they come in the order given.
type file struct{ name, text string }

func zipOf(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		out, err := w.Create(f.name)
		if err == nil {
			_, err = io.WriteString(out, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tarOf(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o600, Size: int64(len(f.text))}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if to, is := strings.CutPrefix(f.text, "-> "); is {
			h.Typeflag, h.Linkname, h.Size, f.text = tar.TypeSymlink, to, 0, ""
		}
		if f.text == "| " {
			h.Typeflag, h.Size, f.text = tar.TypeFifo, 0, ""
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func packed(t testing.TB, text string, open func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var b bytes.Buffer
	w := open(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipOf(t testing.TB, text string) string {
	return packed(t, text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func zstdOf(t testing.TB, text string) string {
	return packed(t, text, func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return z
	})
}

// tnefOf makes a winmail.dat with a subject [MS-OXTNEF] §2.1.3.
func tnefOf(subject string) string {
	b := []byte("\x78\x9f\x3e\x22\x01\x00\x01\x04\x80\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(subject)+1))
	b = append(b, subject...)
	var sum uint16
	for _, c := range []byte(subject) {
		sum += uint16(c)
	}
	return string(binary.LittleEndian.AppendUint16(append(b, 0), sum))
}

// compoundOf makes a compound file [MS-CFB] with one stream in it.
func compoundOf(name string, data []byte) string {
	const sector, entry, free, end = 512, 128, 0xFFFFFFFF, 0xFFFFFFFE
	data = append(data, make([]byte, max(4096-len(data), 0))...) // below it would be a mini stream
	data = append(data, make([]byte, -len(data)&(sector-1))...)
	le := binary.LittleEndian
	h := make([]byte, sector)
	copy(h, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	for at, v := range map[int]uint16{24: 0x3E, 26: 3, 28: 0xFFFE, 30: 9, 32: 6} {
		le.PutUint16(h[at:], v)
	}
	for at, v := range map[int]uint32{44: 1, 48: 1, 56: 4096, 60: end, 68: end} {
		le.PutUint32(h[at:], v)
	}
	for at := 80; at < sector; at += 4 {
		le.PutUint32(h[at:], free)
	}
	fat := bytes.Repeat([]byte{0xff}, sector)
	le.PutUint32(fat, 0xFFFFFFFD)
	le.PutUint32(fat[4:], end)
	for i := range len(data) / sector {
		next := uint32(i + 3)
		if (i+1)*sector == len(data) {
			next = end
		}
		le.PutUint32(fat[4*(i+2):], next)
	}
	dir := make([]byte, sector)
	for i, e := range []struct {
		name         string
		kind         byte
		child, start uint32
		size         int
	}{{"Root Entry", 5, 1, end, 0}, {name, 2, free, 2, len(data)}, {"", 0, free, 0, 0}, {"", 0, free, 0, 0}} {
		b := dir[i*entry:]
		wide := utf16.Encode([]rune(e.name))
		for j, u := range wide {
			le.PutUint16(b[2*j:], u)
		}
		if e.name != "" {
			le.PutUint16(b[64:], uint16(2*len(wide)+2))
		}
		b[66], b[67] = e.kind, 1
		for at, v := range map[int]uint32{68: free, 72: free, 76: e.child, 116: e.start, 120: uint32(e.size)} {
			le.PutUint32(b[at:], v)
		}
	}
	return string(slices.Concat(h, fat, dir, data))
}

// msgOf makes an Outlook message with a text.
func msgOf(text string) string {
	return compoundOf("__substg1.0_1000001E", []byte(text+strings.Repeat(".", 4096)))
}

func emlxOf(message string) string {
	return fmt.Sprintf("%-10d\n%s<?xml version=\"1.0\"?>\n<plist><dict/></plist>\n", len(message), message)
}
