package httpd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// inlineSource bounds the bytes that the source view shows.
const inlineSource = 1 << 20

// Policies of the answers that carry foreign content.
const (
	sandboxed = "default-src 'none'; sandbox; frame-ancestors 'self'"
	mailFrame = "default-src 'none'; style-src 'unsafe-inline'; img-src data:%s; form-action 'none'; base-uri 'none'; " +
		"frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)

// open finds handle and id of a download.
func (s *Server) open(r *http.Request) (*archive.Handle, uid.ID, error) {
	h, err := s.handle(r.Context())
	if err != nil {
		return nil, uid.ID{}, err
	}
	id, err := parseID(r.PathValue("id"))
	return h, id, err
}

// html sends the message's HTML for a sandboxed frame.
func (s *Server) html(w http.ResponseWriter, r *http.Request) {
	h, id, err := s.open(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	remote := flag(r, "remote")
	view, err := h.HTML(r.Context(), id, remote)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	from := ""
	if remote {
		from = " https: http:"
	}
	w.Header().Set("Content-Security-Policy", fmt.Sprintf(mailFrame, from))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, view.HTML) //nolint:errcheck // fails only if the client is gone
}

func flag(r *http.Request, name string) bool {
	v, err := strconv.ParseBool(r.URL.Query().Get(name))
	return err == nil && v
}

// raw sends the message as it arrived, or its beginning as text to be shown.
func (s *Server) raw(w http.ResponseWriter, r *http.Request) {
	h, id, err := s.open(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	body, d, err := h.Raw(r.Context(), id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer body.Close()
	if !flag(r, "inline") {
		s.send(w, r, body, d)
		return
	}
	b, err := io.ReadAll(io.LimitReader(body, inlineSource))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", sandboxed)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, strings.ToValidUTF8(string(b), "\uFFFD")) //nolint:errcheck // fails only if the client is gone
}

func (s *Server) attachment(w http.ResponseWriter, r *http.Request) {
	h, id, err := s.open(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	no, err := strconv.Atoi(r.PathValue("no"))
	if err != nil {
		s.fail(w, r, fmt.Errorf("attachment %w", catalog.ErrNotFound))
		return
	}
	body, d, err := h.Attachment(r.Context(), id, no)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer body.Close()
	s.send(w, r, body, d)
}

// report sends the journal report in which a message came.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	h, id, err := s.open(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	capture, err := uid.Parse(r.PathValue("capture"))
	if err != nil { // still asks the archive, which tells nothing of the message either
		capture = uid.ID{}
	}
	body, d, err := h.Report(r.Context(), id, capture)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer body.Close()
	s.send(w, r, body, d)
}

// firstBytes is how much of a download is read before it begins: what is damaged
// up to there, and every small message, is refused with a problem.
const firstBytes = 256 << 10

// send streams a download. If the stored bytes turn out damaged on the way, the
// connection is cut: half a message must not look like a whole one.
func (s *Server) send(w http.ResponseWriter, r *http.Request, body io.Reader, d archive.Download) {
	in := bufio.NewReaderSize(body, firstBytes)
	if _, err := in.Peek(firstBytes); err != nil && !errors.Is(err, io.EOF) {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", sandboxed)
	h.Set("Content-Type", mediaType(d.Type))
	h.Set("Content-Disposition", disposition(d.Name))
	if d.Size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	}
	if d.Redacted {
		h.Set("Muniment-Redacted", "bcc")
	}
	out := &patient{w: w, control: http.NewResponseController(w)}
	if _, err := io.Copy(out, in); err != nil {
		if r.Context().Err() == nil {
			s.cfg.Log.Error("download cut", "request", requestOf(r.Context()).id, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// patient gives a slow client time as long as it takes something.
type patient struct {
	w       io.Writer
	control *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	// Without deadlines (in tests) the connection's own hold.
	p.control.SetWriteDeadline(time.Now().Add(writeTimeout)) //nolint:errcheck // see above
	return p.w.Write(b)
}

// mediaType passes on what the sender called the type if it is well-formed.
func mediaType(t string) string {
	if parsed, _, err := mime.ParseMediaType(t); err == nil && strings.Count(parsed, "/") == 1 {
		return parsed
	}
	return "application/octet-stream"
}

// disposition proposes a file name (RFC 6266 §4, RFC 8187 §3.2). Control
// characters and separators of paths are replaced: the name comes from a sender.
func disposition(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || strings.ContainsRune(`/\`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	name = shorten(name)
	if name == "" || name == "." || name == ".." {
		name = "attachment"
	}
	ascii := strings.Map(func(r rune) rune {
		if r >= 0x80 || r == '"' || r == '%' {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + ascii + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// maxName is the length of a proposed file name, in runes: below 255 bytes, which
// most file systems take, also with umlauts.
const maxName = 120

// shorten keeps the end of a name that is too long: it says what kind it is.
func shorten(name string) string {
	runes := []rune(name)
	if len(runes) <= maxName {
		return name
	}
	ext := []rune(path.Ext(name))
	if len(ext) > 16 {
		ext = nil
	}
	return string(runes[:maxName-len(ext)]) + string(ext)
}
