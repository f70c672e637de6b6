package imap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Limits of what a server may say.
const (
	maxResponse = 1 << 20 // bytes of one response besides the body of a message: lines, quoted strings, small literals
	maxFolders  = 50_000  // of one account
	readBuffer  = 64 << 10
)

// kind is what a response is, as far as the guard must know.
type kind uint8

const (
	kindText   kind = iota // ends with words for people, which may look like anything
	kindData               // parenthesised, quoted, with literals
	kindFetch              // data that may hold the body of a message
	kindList               // data with the name of a folder
	kindUnused             // nobody here asks for it: is left out
)

// guard reads what a server says, response by response, and hands the library
// only what it can take. The body of a message passes through unseen and
// without being gathered. All errors become io.EOF, which the library takes
// best; cause tells them. Reading is for one goroutine.
type guard struct {
	in *bufio.Reader

	ready   []byte // checked, not yet handed out
	literal int64  // bytes of a literal still to come
	open    bool   // in the middle of a response, after a literal
	kind    kind   // of the response
	size    int64  // of the response so far, without the body of a message
	scan    scanner
	// counted is told how many messages the folder has (EXISTS), or which of them is
	// gone (EXPUNGE), in the order of the server: the library hands those of a command
	// and those of news to different goroutines. It may be nil.
	counted func(expunge bool, n int)

	blank atomic.Bool // the next answer to a challenge is an empty line

	mu         sync.Mutex
	err        error    // what the server did wrong
	lost       error    // why the connection below failed
	bye        string   // the words of its BYE
	byeCode    string   // and its response code
	validity   uint32   // the last UIDVALIDITY it named
	okCode     string   // response code of the last tagged response
	unreadable []string // names of folders that are not proper modified UTF-7
}

func newGuard(r io.Reader) *guard { return &guard{in: bufio.NewReaderSize(r, readBuffer)} }

// Read implements io.Reader.
func (g *guard) Read(p []byte) (int, error) {
	for {
		if len(g.ready) > 0 {
			n := copy(p, g.ready)
			g.ready = g.ready[n:]
			return n, nil
		}
		if g.literal == 0 {
			if err := g.next(); err != nil {
				return 0, g.fail(err)
			}
			continue
		}
		n, err := g.in.Read(p[:min(int64(len(p)), g.literal)])
		g.literal -= int64(n)
		switch {
		case n > 0 && g.kind != kindUnused:
			return n, nil
		case n == 0 && err != nil:
			return 0, g.fail(lostError{err})
		}
	}
}

// lostError is an error of the connection below.
type lostError struct{ error }

func (g *guard) fail(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var lost lostError
	switch {
	case g.err != nil || g.lost != nil:
	case errors.As(err, &lost):
		g.lost = lost.error
	default:
		g.err = err
	}
	return io.EOF
}

// next reads a line and makes it ready, unless it is to be left out.
func (g *guard) next() error {
	line, err := g.line(maxResponse - g.size)
	if err != nil {
		return err
	}
	g.size += int64(len(line))
	text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	first := !g.open
	if first {
		g.scan = scanner{}
		if text, err = g.begin(text); err != nil {
			return err
		}
	} else if g.kind == kindFetch && (len(text) == 0 || text[0] != ')' && text[0] != ' ') {
		return errors.New("a literal was longer or shorter than declared")
	}
	g.open = false
	if g.kind != kindText {
		if text, err = g.data(text); err != nil {
			return err
		}
	}
	if g.kind == kindList && first && !g.open {
		text = g.list(text)
	}
	if !g.open {
		g.size = 0
	}
	if g.kind != kindUnused && text != nil {
		g.ready = append(text, '\r', '\n')
	}
	return nil
}

var errLarge = errors.New("a response is larger than any should be")

// line reads up to the next line end, at most limit bytes.
func (g *guard) line(limit int64) ([]byte, error) {
	var whole []byte
	for {
		piece, err := g.in.ReadSlice('\n')
		whole = append(whole, piece...)
		switch {
		case int64(len(whole)) > limit:
			return nil, errLarge
		case err == nil:
			return whole, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, lostError{err}
		}
	}
}

// begin judges the first line of a response and brings its head into form.
func (g *guard) begin(text []byte) ([]byte, error) {
	tag, rest := word(text)
	typ, tail := word(rest)
	typ = strings.ToUpper(typ)
	switch {
	case strings.HasPrefix(tag, "+"):
		g.kind = kindText
		return text, nil
	case typ == "OK" || typ == "NO" || typ == "BAD" || tag == "*" && (typ == "BYE" || typ == "PREAUTH"):
		g.kind = kindText
		return g.status(tag, typ, tail), nil
	case tag != "*":
		return nil, fmt.Errorf("not an answer to anything: %.60q", text)
	}
	if typ != "" && typ[0] >= '0' && typ[0] <= '9' {
		n, err := strconv.ParseUint(typ, 10, 32)
		if err != nil || n == 0 && !nameIs(tail, "EXISTS") && !nameIs(tail, "RECENT") {
			return nil, fmt.Errorf("not the number of a message: %.60q", text)
		}
		number := typ
		typ, tail = word(tail)
		typ = strings.ToUpper(typ)
		g.kind = kindUnused
		switch typ {
		case "FETCH":
			g.kind = kindFetch
		case "EXISTS", "EXPUNGE":
			g.kind = kindData
			if g.counted != nil {
				g.counted(typ == "EXPUNGE", int(n))
			}
		}
		return join("* "+number+" "+typ, tail), nil
	}
	g.kind = kindUnused
	switch typ {
	case "CAPABILITY":
		g.kind = kindData
		tail = maskRev2(tail)
	case "SEARCH", "STATUS":
		g.kind = kindData
	case "LIST":
		g.kind = kindList
	}
	return join("* "+typ, tail), nil
}

// status brings a status response (RFC 9051 §7.1) into the form that the
// library reads: response code in upper case, and only those it needs.
func (g *guard) status(tag, typ string, tail []byte) []byte {
	var code, args string
	if inner, ok := bytes.CutPrefix(tail, []byte("[")); ok {
		if in, after, closed := bytes.Cut(inner, []byte("]")); closed {
			var rest []byte
			code, rest = word(in)
			code, args, tail = strings.ToUpper(code), string(rest), after
		}
	}
	tail = bytes.TrimLeft(tail, " [") // the words must not look like a code
	g.mu.Lock()
	switch {
	case typ == "BYE" && g.bye == "":
		g.bye, g.byeCode = said(string(tail)), code
	case code == "UIDVALIDITY":
		if n, err := strconv.ParseUint(strings.TrimSpace(args), 10, 32); err == nil {
			g.validity = uint32(n)
		}
	}
	if tag != "*" {
		g.okCode = code
	}
	g.mu.Unlock()
	head := tag + " " + typ
	switch {
	case code == "CAPABILITY":
		head += " [CAPABILITY " + string(maskRev2([]byte(args))) + "]"
	case code == "UIDVALIDITY" || code == "UIDNEXT":
		head += " [" + code + " " + strings.TrimSpace(args) + "]"
	case code == "CLOSED" || tag != "*" && isAtom(code):
		head += " [" + code + "]"
	}
	return join(head, tail)
}

// data brings one line of a data response into form and finds out whether a
// literal follows.
func (g *guard) data(text []byte) ([]byte, error) {
	g.scan.fetch, g.scan.list = g.kind == kindFetch, g.kind == kindList
	out, err := g.scan.line(text)
	if err != nil {
		if g.kind == kindUnused {
			return nil, nil
		}
		return nil, err
	}
	size, body, ok := literal(out)
	if !ok {
		if g.kind == kindFetch && g.scan.depth != 0 {
			return nil, errors.New("a FETCH response has no end")
		}
		return out, nil
	}
	if g.kind != kindFetch || !body {
		if size > maxResponse-g.size {
			return nil, errLarge
		}
		g.size += size
	}
	g.literal, g.open = size, true
	return out, nil
}

// list looks at the name in a LIST response. A name the library could not read
// is kept aside.
func (g *guard) list(text []byte) []byte {
	text, name, ok := folderName(text)
	if !ok {
		return text
	}
	if _, ok := decodeName(name); ok {
		return text
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.unreadable) < maxFolders {
		g.unreadable = append(g.unreadable, name)
	}
	return nil
}

// cause returns why reading ended: what the server did wrong, or why the
// connection failed.
func (g *guard) cause() (wrong, lost error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err, g.lost
}

// farewell returns the words of the server's BYE, if it said that.
func (g *guard) farewell() (code, text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.byeCode, g.bye
}
