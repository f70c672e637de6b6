package oauthd

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// mime answers with the bytes of a message.
func (s *Server) mime(w http.ResponseWriter, r *http.Request, b *Box) {
	m, first := message(b.Folders, r.PathValue("id"))
	switch {
	case m == nil || s.is(Vanishes):
		fail(w, http.StatusNotFound, "ErrorItemNotFound")
	case s.is(HTMLForMIME):
		html(w)
	case s.is(JSONForMIME):
		fail(w, http.StatusOK, "ErrorInternalServerTransientError")
	case s.is(HugeMIME):
		w.Header().Set("Content-Type", "text/plain")
		chunk := bytes.Repeat([]byte("X-Endless: x\r\n"), 1<<12)
		for range Endless / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	case s.is(EmptyMIME) && first:
		w.Header().Set("Content-Length", "0")
	case s.is(DripsMIME) && first:
		drip(w, r)
	case s.is(TruncatesOnce), s.is(Truncates) && first:
		half(w, m.Raw)
	case s.is(LongerThanSaid):
		s.longer(w, m)
	default:
		w.Header().Set("Content-Type", "text/plain")
		if len(m.Raw)%2 == 0 { // else in chunks
			w.Header().Set("Content-Length", strconv.Itoa(len(m.Raw)))
		}
		_, _ = w.Write(m.Raw) // the client may be gone
	}
}

// message finds a message, and whether it is the first of its folder.
func message(list []*Folder, id string) (m *Message, first bool) {
	for _, f := range list {
		for i, m := range f.Messages {
			if m.ID == id {
				return m, i == 0
			}
		}
		if m, first := message(f.Folders, id); m != nil {
			return m, first
		}
	}
	return nil, false
}

// longer says that fewer bytes come than do.
func (*Server) longer(w http.ResponseWriter, m *Message) {
	h, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	c, _, err := h.Hijack()
	if err != nil {
		return
	}
	defer func(c net.Conn) { _ = c.Close() }(c)
	fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(m.Raw)/2, m.Raw)
}
