package ldap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
)

// Bounds of what a server may send.
const (
	maxMessage   = 8 << 20 // bytes of one message: a group with 100,000 members
	maxElements  = 250_000 // of one message
	maxNesting   = 16      // of one message
	maxAnswer    = 64 << 20
	maxReferrals = 1000 // in one answer
)

// Tags of what we look at (RFC 4511 §4.1.1, §4.5.2, §5.1).
const (
	tagSequence  = 0x30
	tagInteger   = 0x02
	tagReference = 0x73 // SearchResultReference
)

var (
	errTooMuch    = errors.New("the server sends more than any answer needs")
	errReferrals  = errors.New("the server points to other servers without end")
	errNotLDAP    = errors.New("this is no LDAP server")
	errIndefinite = errors.New("a length is not definite (RFC 4511 §5.1)")
)

// wire is a connection that lets whole, well-formed messages pass.
type wire struct {
	net.Conn
	in *bufio.Reader

	mu        sync.Mutex
	ready     []byte // of a message that has been looked at
	left      int    // bytes that the answer may still have
	referrals int    // in the answer
	err       error  // with which reading ended
}

func newWire(conn net.Conn) *wire {
	return &wire{Conn: conn, in: bufio.NewReader(conn), left: maxAnswer}
}

// request begins a new answer.
func (w *wire) request() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left, w.referrals = maxAnswer, 0
}

// seen returns how many references came with the answer.
func (w *wire) seen() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.referrals
}

// failure returns with what reading ended; go-ldap only keeps its words.
func (w *wire) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.ready) == 0 {
		b, err := w.message()
		w.mu.Lock()
		if err != nil && w.err == nil {
			w.err = err
		}
		w.mu.Unlock()
		if err != nil {
			return 0, err
		}
		w.ready = b
	}
	n := copy(p, w.ready)
	w.ready = w.ready[n:]
	return n, nil
}

// message reads one message and looks whether it is well-formed.
func (w *wire) message() ([]byte, error) {
	b, err := readMessage(w.in)
	if err != nil {
		return nil, err
	}
	op, err := checkMessage(b)
	if err != nil {
		return nil, directory.Fail(remote.CodeProtocol, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left -= len(b); w.left < 0 {
		return nil, directory.Fail(directory.CodeTooLarge, errTooMuch)
	}
	if op == tagReference {
		if w.referrals++; w.referrals > maxReferrals {
			return nil, directory.Fail(remote.CodeProtocol, errReferrals)
		}
	}
	return b, nil
}

// readMessage reads one element of BER that is a sequence.
func readMessage(in *bufio.Reader) ([]byte, error) {
	tag, err := in.ReadByte()
	if err != nil {
		return nil, err
	}
	if tag != tagSequence {
		return nil, directory.Fail(remote.CodeProtocol, errNotLDAP)
	}
	head := []byte{tag}
	first, err := in.ReadByte()
	if err != nil {
		return nil, unexpected(err)
	}
	head = append(head, first)
	for range more(first) {
		c, err := in.ReadByte()
		if err != nil {
			return nil, unexpected(err)
		}
		head = append(head, c)
	}
	n, size, err := length(head[1:])
	if err != nil {
		return nil, directory.Fail(remote.CodeProtocol, err)
	}
	if n > maxMessage {
		return nil, directory.Fail(directory.CodeTooLarge, fmt.Errorf("the server announces a message of %d bytes; at most %d are read", n, maxMessage))
	}
	// Grown as the bytes come: what is only announced takes no memory.
	body, err := io.ReadAll(io.LimitReader(in, int64(n)))
	if err == nil && len(body) < n {
		err = io.ErrUnexpectedEOF
	}
	return append(head[:1+size], body...), err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// more returns how many bytes of a length follow its first.
func more(first byte) int {
	if first <= 0x80 {
		return 0
	}
	return min(int(first&0x7f), 8)
}

// length reads a definite length (X.690 §8.1.3) and returns how many bytes it takes.
func length(b []byte) (n, size int, err error) {
	switch {
	case len(b) == 0:
		return 0, 0, io.ErrUnexpectedEOF
	case b[0] < 0x80:
		return int(b[0]), 1, nil
	case b[0] == 0x80:
		return 0, 0, errIndefinite
	case b[0] > 0x84:
		return 0, 0, errors.New("a length is too long")
	}
	size = 1 + int(b[0]&0x7f)
	if len(b) < size {
		return 0, 0, io.ErrUnexpectedEOF
	}
	for _, c := range b[1:size] {
		n = n<<8 | int(c)
	}
	return n, size, nil
}

// element takes the first element of b.
func element(b []byte) (tag byte, content, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, nil, io.ErrUnexpectedEOF
	}
	if b[0]&0x1f == 0x1f {
		return 0, nil, nil, errors.New("a tag of several bytes, which LDAP does not have")
	}
	n, size, err := length(b[1:])
	if err != nil {
		return 0, nil, nil, err
	}
	b, tag = b[1+size:], b[0]
	if n > len(b) {
		return 0, nil, nil, errors.New("an element is longer than what it is in")
	}
	return tag, b[:n], b[n:], nil
}

// checkMessage looks at every element of a message and returns the tag of its
// operation.
func checkMessage(b []byte) (byte, error) {
	_, content, _, err := element(b)
	if err != nil {
		return 0, err
	}
	tag, id, rest, err := element(content)
	if err != nil || tag != tagInteger || len(id) == 0 || len(id) > 4 {
		return 0, fmt.Errorf("a message without a number: %w", errNotLDAP)
	}
	op, _, _, err := element(rest)
	if err != nil {
		return 0, err
	}
	count := 0
	return op, walk(content, 1, &count)
}

// walk looks at all elements of b.
func walk(b []byte, depth int, count *int) error {
	if depth > maxNesting {
		return errors.New("elements are nested too deeply")
	}
	for len(b) > 0 {
		if *count++; *count > maxElements {
			return errors.New("a message has too many elements")
		}
		tag, content, rest, err := element(b)
		if err != nil {
			return err
		}
		if tag&0x20 != 0 {
			if err := walk(content, depth+1, count); err != nil {
				return err
			}
		}
		b = rest
	}
	return nil
}
