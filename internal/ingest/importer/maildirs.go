package importer

import (
	"archive/tar"
	"io"
	"path"
	"strings"

	"github.com/muniment/muniment/internal/ingest/zipfile"
)

// maxMaildirs is how many Maildirs are known of an archive; what is in more is
// judged by how it looks.
const maxMaildirs = 20_000

// maildirs are the directories of an archive that have cur or new in them. Those
// with both are Maildirs, as on a disk.
type maildirs map[string]struct{ cur, new bool }

// add learns the name of an entry.
func (m maildirs) add(name string) {
	for dir := strings.TrimSuffix(name, "/"); len(dir) <= maxName; {
		i := strings.LastIndexByte(dir, '/')
		if sub := dir[i+1:]; (sub == "cur" || sub == "new") && len(dir) < len(name) {
			box := path.Clean(dir[:max(i, 0)])
			have, known := m[box]
			if !known && len(m) >= maxMaildirs {
				return
			}
			have.cur, have.new = have.cur || sub == "cur", have.new || sub == "new"
			m[box] = have
		}
		if i < 0 {
			return
		}
		dir = dir[:i]
	}
}

// sub returns in which part of a Maildir an entry is, "" for one that is in none.
func (m maildirs) sub(name string) string {
	dir, base := path.Split(name)
	if base == "" || dir == "" {
		return ""
	}
	dir = path.Clean(dir)
	box, sub := path.Split(dir)
	if have := m[path.Clean(box)]; !have.cur || !have.new || !isMaildirPart(sub) {
		return ""
	}
	return sub
}

// maildirsOfZIP goes through the directory of a ZIP file. What is damaged, the
// reading of the entries finds.
func (s *source) maildirsOfZIP() maildirs {
	m := maildirs{}
	r, err := zipfile.NewReader(unmetered(s.raw), s.size)
	for no := 0; err == nil && no < maxEntries; no++ {
		var e *zipfile.Entry
		if e, err = r.Next(); err == nil {
			m.add(e.Name)
		}
	}
	return m
}

// maildirsOfTar goes through the headers of a tar file.
func maildirsOfTar(in io.Reader) maildirs {
	m := maildirs{}
	r := tar.NewReader(in)
	for range maxEntries {
		h, err := r.Next()
		if err != nil {
			break
		}
		m.add(h.Name)
	}
	return m
}

// unmetered is raw for a reading in advance, of which the meter hears nothing.
func unmetered(raw rawBytes) rawBytes {
	if m, ok := raw.(*metered); ok {
		return m.rawBytes
	}
	return raw
}
