package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	maxCommand = 4000     // bytes of UIDs in one command; servers take 8192 (RFC 7162 §4)
	maxSet     = 500      // UIDs in one command
	maxDrain   = 64 << 20 // bytes of a message over the limit that are read and thrown away to keep the connection
)

// Message is one of those Batch was asked for.
type Message struct {
	UID  UID
	Size int64 // bytes of Body, as its literal declares

	// Body gives the bytes as they came and can be read only until the callback
	// returns. io.EOF means that all is there; any other error that it is not.
	// What is not read is thrown away. It is nil if Err is not.
	Body io.Reader

	// Err tells why there is no Body: ErrGone, ErrTooLarge or ErrNoBody. The
	// other messages of the batch are not affected.
	Err error
}

// Fetch writes the message to w as its bytes came and returns their number. A
// message of more than limit bytes is not read. After an error, what was
// written is worthless.
func (c *Conn) Fetch(ctx context.Context, uid UID, w io.Writer, limit int64) (int64, error) {
	var (
		n   int64
		own error // of this message
	)
	err := c.Batch(ctx, []UID{uid}, limit, func(m Message) (err error) {
		if own = m.Err; own == nil {
			n, err = io.Copy(w, m.Body)
		}
		return err
	})
	if err == nil {
		err = own
	}
	return n, err
}

// Batch fetches messages of the selected folder and calls fn once for each, in
// the order of the server, those that are gone last. The flag \Seen is not set.
// The server sends without waiting for fn; memory does not depend on sizes.
//
// An error means that fn was not called for some. If it was fn that failed, the
// connection is closed unless all messages had come, and the error is that of
// fn. A message of more than 64 MiB above the limit costs the connection too,
// after fn was told; the error is then ErrTooLarge.
func (c *Conn) Batch(ctx context.Context, uids []UID, limit int64, fn func(Message) error) error {
	for _, set := range chunks(uids) {
		if err := c.batch(ctx, set, limit, fn); err != nil {
			return err
		}
	}
	return nil
}

// chunks puts UIDs, each once and ascending, into portions that fit a command.
func chunks(uids []UID) (out [][]UID) {
	uids = slices.Compact(slices.Sorted(slices.Values(uids)))
	if len(uids) > 0 && uids[0] == 0 {
		uids = uids[1:]
	}
	for chunk := range slices.Chunk(uids, maxSet) {
		for len(setOf(chunk).String()) > maxCommand {
			half := len(chunk) / 2
			out, chunk = append(out, chunk[:half]), chunk[half:]
		}
		out = append(out, chunk)
	}
	return out
}

func setOf(uids []UID) goimap.UIDSet {
	var set goimap.UIDSet
	for _, u := range uids {
		set.AddNum(goimap.UID(u))
	}
	return set
}

// batch is Batch for what fits one command.
func (c *Conn) batch(ctx context.Context, uids []UID, limit int64, fn func(Message) error) error {
	op := fmt.Sprintf("fetch message %d", uids[0])
	if len(uids) > 1 {
		op = fmt.Sprintf("fetch messages %d to %d", uids[0], uids[len(uids)-1])
	}
	f := newFetching(c, op, uids, limit, fn)
	err := c.within(ctx, op, ErrRefused, c.cfg.Timeouts.Message, func() error { return f.run() })
	switch {
	case f.stopped != nil:
		return f.stopped
	case err != nil && !errors.Is(err, ErrGone):
		return err
	}
	for _, uid := range uids {
		if !f.wanted[uid] {
			continue
		}
		if f.nameless && len(uids) > 1 {
			// The server names a message only after its body: one at a time.
			if err := c.batch(ctx, []UID{uid}, limit, fn); err != nil {
				return err
			}
			continue
		}
		if err := fn(Message{UID: uid, Err: f.absent(uid)}); err != nil {
			return err
		}
	}
	return nil
}

// fetching is a FETCH under way. Two goroutines feed it: one takes what the
// library thinks is the answer, and the library's handler of news takes the
// rest, which is the answer too if the server told something else of the
// message before, or names it after its body.
type fetching struct {
	c      *Conn
	op     string
	wanted map[UID]bool
	limit  int64
	fn     func(Message) error

	feed chan *arrival
	quit chan struct{} // nobody takes what is fed any more
	end  chan struct{} // the command is over
	err  error         // how; to be read after end

	ahead    *arrival // read while the one before was being confirmed
	nameless bool     // there were bodies that could be anybody's
	stopped  error    // what fn said

	mu    sync.Mutex
	parts map[UID]int64 // bytes of what came as a part of a message
}

// arrival is a body that comes in.
type arrival struct {
	uid   UID // zero: not named so far
	size  int64
	body  io.Reader     // nil: NIL
	taken chan struct{} // closed when the body has been read
	over  chan struct{} // closed when its response has ended
	short bool          // the literal ended too soon; to be read after taken or quit
	late  UID           // the UID, if it came after the body; to be read after over
}

func newFetching(c *Conn, op string, uids []UID, limit int64, fn func(Message) error) *fetching {
	f := &fetching{
		c: c, op: op, wanted: map[UID]bool{}, limit: limit, fn: fn,
		feed: make(chan *arrival), quit: make(chan struct{}), end: make(chan struct{}), parts: map[UID]int64{},
	}
	for _, u := range uids {
		f.wanted[u] = true
	}
	return f
}

// run sends the command and takes all that comes.
func (f *fetching) run() error {
	f.c.setFetching(f)
	cmd := f.c.client.Fetch(setOf(slices.Sorted(maps.Keys(f.wanted))), &goimap.FetchOptions{
		UID: true, BodySection: []*goimap.FetchItemBodySection{{Peek: true}},
	})
	go f.pump(cmd)
	err := f.consume()
	if err != nil { // the rest is not wanted: only by hanging up can it be kept away
		_ = f.c.end(asError(f.op, err)) // it is err
	}
	close(f.quit)
	<-f.end
	f.c.setFetching(nil)
	if err == nil {
		err = f.err
	}
	return err
}

func asError(op string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Op: op, Kind: ErrTemporary, Text: "stopped by its taker", Cause: err}
}

// pump feeds what the library takes for the answer.
func (f *fetching) pump(cmd *imapclient.FetchCommand) {
	defer close(f.end)
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		if !f.produce(msg) {
			f.err = errCutShort
			return
		}
	}
	f.err = cmd.Close()
}

// errCutShort is the end of a command whose connection failed in a literal.
var errCutShort = errors.New("a message was cut short")

// onFetch takes what the library thinks nobody asked for. It has a goroutine
// of its own.
func (c *Conn) onFetch(msg *imapclient.FetchMessageData) {
	c.mu.Lock()
	f := c.fetching
	c.mu.Unlock()
	if f != nil {
		f.produce(msg)
		return
	}
	for msg.Next() != nil { // reads, and throws away
	}
}

func (c *Conn) setFetching(f *fetching) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetching = f
}

// await waits until the body has been read, or nobody will read it.
func (f *fetching) await(a *arrival) {
	select {
	case <-a.taken:
	case <-f.quit:
	}
}

// produce feeds one response, if there is a body in it. False means that the
// body was cut short: then nothing of the command may be touched any more, as
// the library would read the rest of the literal beside its own decoder.
func (f *fetching) produce(msg *imapclient.FetchMessageData) bool {
	var a *arrival
	var uid UID
	part := int64(-1)
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = UID(item.UID)
		case imapclient.FetchItemDataBodySection:
			s := item.Section
			if a != nil || s.Specifier != "" || len(s.Part) > 0 || s.Partial != nil {
				if item.Literal != nil {
					part = max(part, item.Literal.Size())
				}
				continue // not asked for; Next throws it away
			}
			a = &arrival{uid: uid, taken: make(chan struct{}), over: make(chan struct{})}
			if item.Literal != nil {
				a.body, a.size = item.Literal, item.Literal.Size()
			}
			select {
			case f.feed <- a:
				if f.await(a); a.short {
					close(a.over)
					return false
				}
			case <-f.quit:
			}
		}
	}
	if a != nil {
		a.late = uid
		close(a.over)
	} else if part >= 0 {
		f.mu.Lock()
		f.parts[uid] = part
		f.mu.Unlock()
	}
	return true
}

// absent tells why nothing that was asked for has come of a message: it is gone, or
// the server gives only a part of it, which must not be taken for all.
func (f *fetching) absent(uid UID) *Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := &Error{Op: fmt.Sprintf("fetch message %d", uid), Kind: ErrGone}
	if n, ok := f.parts[uid]; ok {
		e.Kind, e.Text = ErrNoBody, fmt.Sprintf("only a part of it came, of %d bytes", n)
	}
	return e
}
