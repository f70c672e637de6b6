package importer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/zipfile"
	"github.com/muniment/muniment/internal/mapi"
	"github.com/muniment/muniment/internal/msg"
	"github.com/muniment/muniment/internal/pst"
	"github.com/muniment/muniment/internal/tnef"
)

// converted passes on the message of RFC 5322 that m becomes. made is told what
// becomes of it, unless it is nil.
func (f feeder) converted(one found, m *mapi.Message, made *fate) error {
	bad, fatal := f.fill(item{found: one, tag: TagConverted, made: made}, func(w io.Writer) error { return mapi.WriteEML(w, m) })
	switch {
	case fatal != nil:
		return fatal
	case bad != nil:
		return f.problem(broken(one.origin, bad))
	}
	f.account.partial(one.origin, m.Warnings)
	return nil
}

// broken is the problem of an item that should be in the archive and cannot be
// read for what it is, or not at all.
func broken(origin string, err error) Problem {
	p := unreadable(origin, err)
	switch {
	case errors.Is(err, zipfile.ErrMethod), errors.Is(err, pst.ErrUnsupported):
		p.Reason = Unsupported
	case !noDamage(err):
		p.Reason = Damaged
	}
	return p
}

// noDamage reports whether an error is that of the file system, or of a kind of
// file that is not read, and not one of the bytes.
func noDamage(err error) bool {
	var system *fs.PathError
	return errors.As(err, &system) || errors.Is(err, zipfile.ErrMethod) || errors.Is(err, pst.ErrUnsupported)
}

// compound passes on an Outlook message, or reports another document.
func (f feeder) compound(s *source) error {
	m, err := msg.Read(s.raw, s.size)
	isMSG := err == nil || strings.EqualFold(filepath.Ext(s.name), ".msg") && !errors.Is(err, msg.ErrNotMSG)
	if !isMSG && !noDamage(err) {
		f.skipped(s)
		return f.problem(Problem{Origin: s.origin, Reason: NotAMessage, Bytes: s.size, Detail: "file of Microsoft Office, not of Outlook: " + err.Error()})
	}
	return f.outlook(s, m, err)
}

// tnef passes on what a winmail.dat holds.
func (f feeder) tnef(s *source) error {
	m, err := tnef.Read(s.raw, s.size)
	return f.outlook(s, m, err)
}

// outlook passes on the message of a file, and the file itself, also if err says
// that there is none to be read in it.
func (f feeder) outlook(s *source, m *mapi.Message, err error) error {
	one := s.found
	one.place += "converted"
	made := newFate()
	switch {
	case f.checkpoint.Has(one.key()):
		f.counted(item{found: one}, doneBefore, 0)
	case err != nil:
		f.account.problem(broken(one.origin, err))
	default:
		if err := f.converted(one, m, made); err != nil {
			return err
		}
	}
	original := item{found: s.found, tag: TagOriginal, of: made}
	original.origin = archive.OriginalOrigin(original.origin)
	original.place += "original"
	original.taken = true
	if s.top() { // the worker reads it from its file
		return f.whole(original)
	}
	if f.checkpoint.Has(original.key()) {
		f.counted(original, doneBefore, s.size)
		return nil
	}
	original.raw, s.given = s.raw, true
	return f.ready(original)
}

// skipped tells the meter that a file is done with.
func (f feeder) skipped(s *source) {
	if s.top() {
		f.meter.passed(s.size)
	}
}

// emlx passes on the message of a file of Apple Mail.
func (f feeder) emlx(s *source) error {
	f.skipped(s)
	head, err := readHead(s.raw)
	if err != nil {
		return f.problem(unreadable(s.origin, err))
	}
	at, ok := emlxLength(head, s.size)
	if !ok {
		return f.problem(broken(s.origin, errors.New("changed while being read")))
	}
	wrong := ""
	if at[1] > s.size {
		wrong = fmt.Sprintf("the file is to hold a message of %d bytes, and %d bytes are there: it is cut short, or its first line is wrong; all of them are kept", at[1]-at[0], s.size-at[0])
		at[1] = s.size
	}
	it := item{found: s.found}
	if f.checkpoint.Has(it.key()) {
		f.counted(it, doneBefore, at[1]-at[0])
		return nil
	}
	bad, fatal := f.fill(it, func(w io.Writer) error {
		n, err := io.Copy(w, io.NewSectionReader(s.raw, at[0], at[1]-at[0]))
		if err == nil && n < at[1]-at[0] {
			err = fmt.Errorf("changed while being read: %w", io.ErrUnexpectedEOF)
		}
		return err
	})
	switch {
	case fatal != nil:
		return fatal
	case bad != nil:
		return f.problem(unreadable(s.origin, bad))
	}
	if wrong != "" {
		f.account.partial(s.origin, []string{wrong})
	}
	var trailer [16]byte
	n, err := s.raw.ReadAt(trailer[:], at[1])
	if err != nil && !errors.Is(err, io.EOF) {
		n = 0
	}
	if !isTrailer(trailer[:n]) {
		f.account.partial(s.origin, []string{"the file goes on behind the length it names with something that is no property list"})
	}
	if strings.HasSuffix(strings.ToLower(s.name), ".partial.emlx") {
		f.account.notice(s.origin, "Apple Mail keeps the attachments of this message in files beside it; they are not part of the message")
	}
	return nil
}
