package importer

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/muniment/muniment/internal/ingest/zipfile"
)

const (
	// maxWindow is the memory that a Zstandard stream may ask for: what
	// "zstd --long" takes. Streams within others get less.
	maxWindow   = 128 << 20
	usualWindow = 8 << 20
	// documentEntries is how many entries of a ZIP file are looked at to tell a
	// document.
	documentEntries = 64
)

// unpack passes on what is in an archive. The error is errLimit, or ends the run.
func (f feeder) unpack(s *source, k kind) error {
	if s.depth >= maxNesting {
		return f.problem(Problem{Origin: s.origin, Reason: Limit, Bytes: s.size, Failed: true, Detail: fmt.Sprintf("archives are nested more than %d deep", maxNesting)})
	}
	switch k {
	case kindZIP:
		return f.zip(s)
	case kindTar:
		s.boxes = maildirsOfTar(io.NewSectionReader(unmetered(s.raw), 0, s.size))
		return f.tar(s, io.NewSectionReader(s.raw, 0, s.size))
	}
	in, err := s.decompress(s.raw, k)
	if err != nil {
		return f.bad(s, s.origin, err)
	}
	defer in.Close()
	return f.compressed(s, in, k)
}

// decompress returns what is in the compressed file raw.
func (s *source) decompress(raw rawBytes, k kind) (io.ReadCloser, error) {
	in := io.NewSectionReader(raw, 0, s.size)
	switch k {
	case kindGzip:
		return gzip.NewReader(bufio.NewReader(in))
	case kindBzip2:
		return io.NopCloser(bzip2.NewReader(bufio.NewReader(in))), nil
	}
	r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(uint64(max(maxWindow>>(2*s.depth), usualWindow))))
	if err != nil {
		return nil, err
	}
	return r.IOReadCloser(), nil
}

// compressed passes on what a compressed stream is: a tar file, or one file. A tar
// file is read twice: without knowing where its Maildirs are, messages in them
// that look like none would be left out.
func (f feeder) compressed(s *source, r io.Reader, k kind) error {
	in := bufio.NewReaderSize(s.budget.limit(r), sniffed)
	head, _ := in.Peek(sniffed) // an error comes again, and stream judges what is there
	if isTar(head) {
		if first, err := s.decompress(unmetered(s.raw), k); err == nil {
			again := *s.budget
			s.boxes = maildirsOfTar(again.limit(first))
			err = first.Close()
			if err != nil {
				return f.bad(s, s.origin, err)
			}
		}
		return f.tar(s, in)
	}
	one := s.found
	one.name, one.size = uncompressed(s.name), -1
	one.place += "/"
	return f.stream(s, one, in)
}

// uncompressed is the name of what is in a compressed file.
func uncompressed(name string) string {
	ext := filepath.Ext(name)
	for _, e := range []string{".gz", ".zst", ".zstd", ".z", ".bz2"} {
		if strings.EqualFold(ext, e) {
			return strings.TrimSuffix(name, ext)
		}
	}
	return name
}

// bad reports an error of what was read of s, unless it is about all of it.
func (f feeder) bad(s *source, origin string, err error) error {
	switch {
	case s.budget.spent:
		return errLimit
	case f.ctx.Err() != nil:
		return f.ctx.Err()
	}
	return f.problem(broken(origin, err))
}

// zip passes on the entries of a ZIP file.
func (f feeder) zip(s *source) error {
	if f.cfg.Format == Auto {
		what, err := document(s)
		if err != nil {
			return f.bad(s, s.origin, err)
		}
		if what != "" {
			if what == outlookForMac {
				return f.problem(unread(s.found, what))
			}
			return f.problem(Problem{Origin: s.origin, Reason: NotAMessage, Bytes: s.size, Detail: what})
		}
	}
	s.boxes = s.maildirsOfZIP()
	r, err := zipfile.NewReader(s.raw, s.size)
	for no := 1; err == nil; no++ {
		var e *zipfile.Entry
		if e, err = r.Next(); err == nil {
			err := f.entry(s, entry{no: no, name: e.Name, size: e.Size, mode: e.Mode, open: func() (io.Reader, error) {
				in, err := e.Open()
				if err != nil {
					return nil, err
				}
				return s.budget.limit(in), nil
			}})
			if err != nil {
				return err
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return f.ended(s)
	}
	return f.bad(s, s.origin, err)
}

// ended reports a file that held nothing.
func (f feeder) ended(s *source) error {
	if s.held > 0 {
		return nil
	}
	return f.problem(Problem{Origin: s.origin, Reason: Empty, Bytes: s.size, Detail: "holds nothing"})
}

const outlookForMac = "an archive of Outlook for Mac (OLM); export its messages as EML or mbox"

// document says what a ZIP file is that is no archive of files, or "".
func document(s *source) (string, error) {
	r, err := zipfile.NewReader(s.raw, s.size)
	if err != nil {
		return "", err
	}
	for no := range documentEntries {
		e, err := r.Next()
		if err != nil {
			return "", nil //nolint:nilerr // the reading of the entries finds it too
		}
		switch {
		case e.Name == "[Content_Types].xml":
			return "document of Microsoft Office", nil
		case e.Name == "mimetype" && no == 0:
			return "document (OpenDocument, EPUB)", nil
		case e.Name == "META-INF/MANIFEST.MF":
			return "program of Java", nil
		case strings.Contains(e.Name, "/com.microsoft.__"):
			return outlookForMac, nil
		}
	}
	return "", nil
}

// tar passes on the entries of a tar file.
func (f feeder) tar(s *source, in io.Reader) error {
	r := tar.NewReader(in)
	for no := 1; ; no++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.bad(s, s.origin, fmt.Errorf("entry %d of the tar file: %w; what follows is not read", no, err))
		}
		err = f.entry(s, entry{no: no, name: h.Name, size: h.Size, mode: tarMode(h), open: func() (io.Reader, error) { return s.budget.limit(r), nil }})
		if err != nil {
			return err
		}
	}
	// What is behind the end is read for the checksum of a compressed stream.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return f.bad(s, s.origin, err)
	}
	return f.ended(s)
}

// tarMode is the type of an entry.
func tarMode(h *tar.Header) fs.FileMode {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, '7', '\x00':
		return 0
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return fs.ModeDir
	case tar.TypeLink, tar.TypeSymlink:
		return fs.ModeSymlink
	}
	return fs.ModeIrregular
}
