package imap

import (
	"errors"
	"fmt"
	"io"

	goimap "github.com/emersion/go-imap/v2"
)

// next returns the next body, or nil if the command is over.
func (f *fetching) next() *arrival {
	if a := f.ahead; a != nil {
		f.ahead = nil
		return a
	}
	select {
	case a := <-f.feed:
		return a
	case <-f.end:
		return nil
	}
}

// consume hands all bodies to fn. An error means that the connection must end.
func (f *fetching) consume() error {
	for a := f.next(); a != nil; a = f.next() {
		f.c.wire.phase(f.c.cfg.Timeouts.Silence, f.c.cfg.Timeouts.Message)
		b := &body{f: f, a: a}
		uid := f.whose(a)
		if uid == 0 {
			if err := b.drain(); err != nil {
				return err
			}
			continue
		}
		delete(f.wanted, uid)
		m := Message{UID: uid, Size: a.size, Err: f.unfit(a, uid)}
		b.uid = uid
		if m.Err == nil {
			m.Body = b
		}
		f.stopped = f.fn(m)
		switch {
		case b.err != nil && !errors.Is(b.err, io.EOF):
			f.stopped = nil // it is about the connection
			b.release()
			return b.err
		case f.stopped != nil:
			b.release()
			if last := b.err != nil && f.ahead == nil && len(f.wanted) == 0; last {
				continue
			}
			return f.stopped
		case errors.Is(m.Err, ErrTooLarge) && a.size-f.limit > maxDrain:
			b.release()
			return m.Err
		}
		if err := b.drain(); err != nil {
			return err
		}
	}
	return nil
}

// whose returns the message whose body this is, or zero if it is of no use.
func (f *fetching) whose(a *arrival) UID {
	switch {
	case a.uid != 0 && f.wanted[a.uid]:
		return a.uid
	case a.uid != 0 || len(f.wanted) == 0:
		return 0
	case len(f.wanted) > 1 || f.nameless:
		f.nameless = true
		return 0
	}
	for uid := range f.wanted {
		return uid // there is but one; its name will follow
	}
	return 0
}

// unfit returns why a body is not handed over. An empty one is never a message,
// but what some servers give for those they cannot read: taken for good, it
// would lead to the deletion of the true one.
func (f *fetching) unfit(a *arrival, uid UID) error {
	e := &Error{Op: fmt.Sprintf("fetch message %d", uid), Kind: ErrNoBody}
	switch {
	case a.body == nil:
		e.Text = "NIL came instead; it is damaged, or somebody has just expunged it"
	case a.size == 0:
		e.Text = "nothing came instead"
	case a.size > f.limit:
		e.Kind, e.Text = ErrTooLarge, fmt.Sprintf("it has %d bytes, the limit is %d", a.size, f.limit)
	default:
		return nil
	}
	return e
}

// body reads a message and makes sure that it is whole before io.EOF.
type body struct {
	f     *fetching
	a     *arrival
	uid   UID // whose it is said to be
	n     int64
	freed bool
	err   error // sticks
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.a.body.Read(p)
	b.n += int64(n)
	if err != nil {
		b.err = b.whole()
		if n > 0 {
			err = nil
		} else {
			err = b.err
		}
	}
	return n, err
}

// whole returns io.EOF if all of the message has come and the server has gone
// on properly, else what went wrong.
func (b *body) whole() error {
	b.a.short = b.n < b.a.size
	b.release()
	if b.a.short {
		<-b.f.end // the library has seen it too
		return b.f.c.failed(b.f.op, b.f.err)
	}
	select {
	case <-b.a.over:
	case <-b.f.end:
	}
	b.f.ahead = b.f.next()
	if b.f.ahead == nil {
		var refusal *goimap.Error
		if err := b.f.err; err != nil && !errors.As(err, &refusal) {
			return b.f.c.failed(b.f.op, err)
		}
	}
	if b.a.uid == 0 {
		<-b.a.over
		if late := b.a.late; late != b.uid && b.uid != 0 {
			return protocolError(b.f.op, "the server sent message %d when asked for %d", late, b.uid)
		}
	}
	return io.EOF
}

// release lets the response of the body go on.
func (b *body) release() {
	if !b.freed {
		b.freed = true
		close(b.a.taken)
	}
}

// drain throws away what is left.
func (b *body) drain() error {
	if b.a.body == nil {
		b.release()
		return nil
	}
	_, err := io.Copy(io.Discard, b)
	return err
}
