package importer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/muniment/muniment/internal/ingest/zipfile"
)

// entry is what an archive holds.
type entry struct {
	no   int // 1, 2, 3 …
	name string
	size int64
	mode fs.FileMode // type
	open func() (io.Reader, error)
}

// entry brings an entry of s to its account. The error is errLimit, or ends the
// run.
func (f feeder) entry(s *source, e entry) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	if err := s.budget.entry(); err != nil {
		return err
	}
	one := s.found
	one.name, one.size = e.name, e.size
	one.place = fmt.Sprintf("%s/%d", s.place, e.no)
	one.origin = s.origin + "#" + shown(e.name)
	if e.mode.IsDir() {
		return nil
	}
	s.held++
	sub := s.boxes.sub(e.name)
	one.taken = sub != "" && !strings.HasPrefix(path.Base(e.name), ".")
	switch {
	case e.mode&fs.ModeSymlink != 0:
		return f.problem(Problem{Origin: one.origin, Reason: Link, Detail: "link in an archive, not followed"})
	case e.mode&fs.ModeType != 0:
		return f.problem(Problem{Origin: one.origin, Reason: SpecialFile, Detail: "no regular file"})
	case sub == "tmp":
		return f.problem(Problem{Origin: one.origin, Reason: Unfinished, Bytes: e.size, Detail: "delivery not finished (tmp)"})
	case e.size == 0:
		return f.problem(Problem{Origin: one.origin, Reason: Empty})
	case f.checkpoint.Has(one.key()):
		f.counted(item{found: one}, doneBefore, e.size)
		return nil
	}
	in, err := e.open()
	switch {
	case errors.Is(err, zipfile.ErrEncrypted):
		return f.problem(Problem{Origin: one.origin, Reason: Encrypted, Bytes: e.size, Failed: true, Detail: "only a password opens it; unpack it first"})
	case err != nil:
		return f.bad(s, one.origin, err)
	}
	return f.stream(s, one, in)
}

// shown makes a foreign name part of an origin.
func shown(name string) string {
	if len(name) > maxName {
		return origin(name[:maxName]) + "…"
	}
	return origin(name)
}

// stream judges what was unpacked from s by its beginning, and passes it on.
func (f feeder) stream(s *source, one found, r io.Reader) error {
	in := bufio.NewReaderSize(r, sniffed)
	head, err := in.Peek(sniffed)
	damaged := err != nil && !errors.Is(err, io.EOF)
	switch {
	case damaged && (len(head) == 0 || s.budget.spent || f.ctx.Err() != nil):
		return f.bad(s, one.origin, err)
	case len(head) == 0:
		return f.problem(Problem{Origin: one.origin, Reason: Empty})
	}
	k := kindOf(head, one.size)
	one.taken = one.taken || alwaysMessage(one.name)
	if k != kindOther && !one.taken {
		return f.inner(s, one, k, in)
	}
	if what := foreign(one.name, head); what != "" && !one.taken {
		return f.problem(unread(one, what))
	}
	if why := notMessage(one.name, head); why != "" && !one.taken {
		if damaged {
			why += "; and cannot be unpacked whole: " + err.Error()
		}
		return f.problem(Problem{Origin: one.origin, Reason: NotAMessage, Bytes: max(one.size, 0), Detail: why})
	}
	if f.checkpoint.Has(one.key()) { // of a compressed file
		n, err := io.Copy(io.Discard, in)
		if err != nil {
			return f.bad(s, one.origin, err)
		}
		f.counted(item{found: one}, doneBefore, n)
		return nil
	}
	bad, fatal := f.fill(item{found: one}, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
	if bad != nil {
		return f.bad(s, one.origin, bad)
	}
	return fatal
}

// inner takes a file apart that was unpacked from s.
func (f feeder) inner(s *source, one found, k kind, r io.Reader) error {
	buf := f.cfg.Spool.NewBuffer(math.MaxInt64)
	next := &source{found: one, raw: buf, depth: s.depth + 1, budget: s.budget}
	defer func() {
		if next.given {
			return
		}
		if err := buf.Close(); err != nil {
			f.cfg.Log.Warn("import: release unpacked file", "origin", one.origin, "error", err)
		}
	}()
	if _, err := io.Copy(buf, r); err != nil {
		if buf.Err() != nil {
			return fmt.Errorf("%s: %w", one.origin, buf.Err())
		}
		return f.bad(s, one.origin, err)
	}
	next.size = buf.Size()
	return f.takeApart(next, k)
}
