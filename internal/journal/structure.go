package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// source is what is read from.
type source struct {
	raw      io.ReaderAt
	size     int64
	failed   error  // of raw, other than io.EOF
	window   []byte // of the search for boundaries
	windowAt int64  // its offset
}

// message reads the message between two offsets: a report, or a non-delivery
// report that has one inside, depth messages deep.
func (s *source) message(start, end int64, depth int) (*Report, error) {
	h, err := s.header(start, end, maxHeader)
	if err != nil {
		return nil, err
	}
	form := h.form()
	if h.contentType().media == "multipart/report" {
		rep, err := s.bounce(h, end, depth)
		if form == "" || !errors.Is(err, ErrNotReport) {
			return rep, err
		}
		err = incomplete("it is a non-delivery report without a journal report in it")
		return nil, inForm(err, form)
	}
	if form == "" {
		return nil, errNoClaim
	}
	rep := &Report{Form: form}
	if err := s.report(rep, h, end); err != nil {
		return nil, inForm(err, form)
	}
	return rep, nil
}

// inForm completes an IncompleteError.
func inForm(err error, form Form) error {
	if in := (*IncompleteError)(nil); errors.As(err, &in) {
		in.Form = form
	}
	return err
}

// report reads what follows the header h of a report.
func (s *source) report(rep *Report, h *header, end int64) error {
	if err := h.reliable("its header"); err != nil {
		return err
	}
	ct := h.contentType()
	switch {
	case ct.media != "multipart/mixed":
		return incomplete("its type is %.60q and not multipart/mixed", ct.media)
	case !identity(h.encoding()):
		return incomplete("it is encoded as a whole (%.40q)", h.encoding())
	}
	parts, err := s.mixed(h, ct, end, 3)
	if err != nil {
		return err
	}
	if n := len(parts); n != 2 && n != 3 {
		return incomplete("it has %s; there must be a record and one or two messages", count(n, "part"))
	}
	if err := s.recordPart(rep, parts[0]); err != nil {
		return err
	}
	for i, p := range parts[1:] {
		in, err := s.inner(p)
		if err != nil {
			return err
		}
		in.Decrypted = i > 0 // Exchange adds the copy at the end
		rep.Inner = append(rep.Inner, in)
	}
	return nil
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	default:
		return fmt.Sprintf("%d or more %ss", n, what)
	}
}

// mixed returns the parts of a multipart body, at most one more than max. It
// must be complete, with nothing but blanks after its end.
func (s *source) mixed(h *header, ct contentType, end int64, most int) ([]part, error) {
	boundary, err := ct.boundary()
	if err != nil {
		return nil, err
	}
	if h.body < 0 {
		return nil, incomplete("it ends with its header")
	}
	b, err := s.parts(h.body, end, boundary, most+1)
	switch {
	case err != nil:
		return nil, err
	case len(b.parts) > most:
		return b.parts, nil
	case b.preamble > maxPreamble:
		return nil, incomplete("more than %d bytes of text stand before its first part", maxPreamble)
	case !b.closed:
		return nil, incomplete("it ends without its closing boundary: it was cut off")
	}
	return b.parts, s.blank(b.after, end)
}

// blank returns an error if anything but blanks is between two offsets.
func (s *source) blank(from, to int64) error {
	buf := make([]byte, min(4<<10, max(to-from, 0)))
	for from < to {
		n, err := s.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		if err != nil && err != io.EOF {
			return err
		}
		if len(bytes.Trim(buf[:n], " \t\r\n")) > 0 {
			return incomplete("text stands after its closing boundary")
		}
		from += int64(n)
	}
	return nil
}

// recordPart reads the first part: the record, which in Exchange 2003 stands
// in a multipart/alternative beside the same as HTML.
func (s *source) recordPart(rep *Report, p part) error {
	h, err := s.partHeader(p, "its record")
	if err != nil {
		return err
	}
	ct, end := h.contentType(), p.end(h)
	if rep.Form == Exchange2003 && ct.media == "multipart/alternative" {
		parts, err := s.mixed(h, ct, end, 2)
		if err != nil {
			return err
		}
		if len(parts) == 0 || len(parts) > 2 {
			return incomplete("its record is written %d times", len(parts))
		}
		if len(parts) == 2 {
			html, err := s.partHeader(parts[1], "its record as HTML")
			if err != nil {
				return err
			}
			if media := html.contentType().media; media != "text/html" {
				return incomplete("beside its record stands %.60q", media)
			}
		}
		if h, err = s.partHeader(parts[0], "its record"); err != nil {
			return err
		}
		ct, end = h.contentType(), parts[0].end(h)
	}
	if ct.media != "text/plain" {
		return incomplete("its record is %.60q and not text/plain", ct.media)
	}
	if h.body < 0 {
		return incomplete("its record is empty")
	}
	return s.record(rep, h, end)
}

// partHeader reads the header of a part.
func (s *source) partHeader(p part, what string) (*header, error) {
	h, err := s.header(p.start, p.crlfEnd, maxPartHeader)
	if err != nil {
		return nil, err
	}
	return h, h.reliable("the header of " + what)
}

// inner finds the message in a part.
func (s *source) inner(p part) (Inner, error) {
	h, err := s.partHeader(p, "its message")
	if err != nil {
		return Inner{}, err
	}
	if media := h.contentType().media; media != "message/rfc822" && media != "message/global" {
		return Inner{}, incomplete("a part is %.60q and not a message", media)
	}
	end := p.end(h)
	if h.body < 0 || h.body >= end {
		return Inner{}, incomplete("its message is empty")
	}
	in := Inner{Offset: h.body, Length: end - h.body}
	switch enc := h.encoding(); {
	case identity(enc):
		return in, nil
	case enc != base64Encoding && enc != quotedPrintable:
		return Inner{}, incomplete("its message is encoded as %.40q", enc)
	default:
		in.Encoding = enc
	}
	n, err := io.Copy(io.Discard, in.Open(s))
	if err := s.decoded(err); err != nil {
		return Inner{}, err
	}
	if n == 0 {
		return Inner{}, incomplete("its message is empty")
	}
	return in, nil
}

// pieces divides size bytes. The messages lie in their order and apart.
func pieces(inner []Inner, size int64) []Piece {
	var out []Piece
	at := int64(0)
	literal := func(to int64) {
		if to > at {
			out = append(out, Piece{Offset: at, Length: to - at, Inner: -1})
		}
	}
	for i, in := range inner {
		if in.Encoding != "" {
			continue
		}
		literal(in.Offset)
		out = append(out, Piece{Offset: in.Offset, Length: in.Length, Inner: i})
		at = in.Offset + in.Length
	}
	literal(size)
	return slices.Clip(out)
}
