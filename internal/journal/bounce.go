package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// bounce looks for a report among what a non-delivery report returns
// (RFC 3462). Undeliverable journal reports come back like that, and no other
// copy of the message need exist.
func (s *source) bounce(h *header, end int64, depth int) (*Report, error) {
	boundary, err := h.contentType().boundary()
	if err != nil || h.body < 0 {
		return nil, fmt.Errorf("a non-delivery report without parts: %w", ErrNotReport)
	}
	if depth >= maxDepth {
		return nil, fmt.Errorf("messages nested more than %d deep are not looked into: %w", maxDepth, ErrNotReport)
	}
	b, err := s.parts(h.body, end, boundary, maxBounce)
	if err != nil {
		return nil, err
	}
	var found *Report
	var failed error
	for _, p := range b.parts {
		rep, err := s.returned(p, depth)
		switch {
		case err == nil && found != nil:
			return nil, &IncompleteError{Form: rep.Form, NDR: true, Reason: "a non-delivery report returns two journal reports"}
		case err == nil:
			found = rep
		case !errors.Is(err, ErrNotReport) && failed == nil:
			failed = err
		}
	}
	if in := (*IncompleteError)(nil); errors.As(failed, &in) {
		in.NDR = true
	}
	if failed != nil {
		return nil, failed
	}
	if found == nil {
		return nil, fmt.Errorf("a non-delivery report that returns none: %w", ErrNotReport)
	}
	found.NDR = true
	return found, nil
}

// returned reads a part of a non-delivery report.
func (s *source) returned(p part, depth int) (*Report, error) {
	h, err := s.header(p.start, p.crlfEnd, maxPartHeader)
	if err != nil {
		return nil, err
	}
	if h.body < 0 {
		return nil, ErrNotReport
	}
	end := p.end(h)
	switch h.contentType().media {
	case "message/rfc822", "message/global":
		if identity(h.encoding()) {
			return s.message(h.body, end, depth+1)
		}
		return nil, s.claims(h, end, "the non-delivery report has encoded it (%.40q)", h.encoding())
	case "text/rfc822-headers", "message/global-headers":
		return nil, s.claims(h, end, "the non-delivery report returns nothing but its header")
	default:
		return nil, ErrNotReport
	}
}

// claims returns an incomplete report if what stands in the part with the
// header h says that it is one, else ErrNotReport.
func (s *source) claims(h *header, end int64, format string, args ...any) error {
	body := transferDecoder(io.NewSectionReader(s, h.body, end-h.body), h.encoding())
	returned, err := readHeader(bufio.NewReader(io.LimitReader(body, maxHeader)), 0)
	if err := s.decoded(err); err != nil {
		if in := (*IncompleteError)(nil); errors.As(err, &in) {
			return ErrNotReport
		}
		return err
	}
	if returned.form() == "" {
		return ErrNotReport
	}
	return inForm(incomplete(format, args...), returned.form())
}
