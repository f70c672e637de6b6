package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/mail"
	"strings"
	"sync/atomic"
	"time"

	"github.com/muniment/muniment/internal/spool"
)

const (
	// maxHead is how much of a message is looked at for its boundary.
	maxHead = 256 << 10
	// maxTail is where the end of the last part is looked for.
	maxTail = 64 << 10
	// doubts is how often a message that looks cut off is fetched again.
	doubts = 2
)

// errSlow is a server that keeps the line busy and brings nothing.
var errSlow = errors.New("the message comes too slowly")

// mime fetches a message whole. The buffer is the caller's to close.
//
// A message that looks as if its end were missing is fetched again; if it comes the
// same way each time, that is how it is.
func (c *client) mime(ctx context.Context, user, id string) (*spool.Buffer, error) {
	var last *spool.Buffer
	for range doubts + 1 {
		buf, err := c.mimeOnce(ctx, user, id)
		if err != nil || !looksCut(buf) || same(last, buf) {
			closeAll(last)
			return buf, err
		}
		closeAll(last)
		last = buf
	}
	return last, nil
}

func closeAll(b *spool.Buffer) {
	if b != nil {
		_ = b.Close() // only temporary bytes
	}
}

func (c *client) mimeOnce(ctx context.Context, user, id string) (*spool.Buffer, error) {
	var out *spool.Buffer
	err := c.get(ctx, c.at("", "users", user, "messages", id, "$value"), c.cfg.timings.message, func(res *http.Response) error {
		if t := mediaType(res); t == "text/html" || t == "application/json" {
			return passing{fmt.Errorf("%w: it is %s and no message", errNonsense, t), 0}
		}
		if res.ProtoMajor < 2 && res.ContentLength < 0 && len(res.TransferEncoding) == 0 {
			return passing{fmt.Errorf("%w: nothing says where the message ends", errNonsense), 0}
		}
		if res.ContentLength > c.cfg.MaxMessage {
			return errTooLarge
		}
		buf := c.cfg.Spool.NewBuffer(c.cfg.MaxMessage)
		body, stop := watch(res.Body, c.cfg.timings)
		_, err := io.Copy(buf, body)
		slow := stop()
		switch {
		case err == nil && buf.Size() == 0:
			err = passing{fmt.Errorf("%w: a message of no bytes", errNonsense), 0}
		case err == nil:
			out = buf
			return nil
		case errors.Is(err, spool.ErrLimit):
			err = errTooLarge
		case buf.Err() != nil:
			err = fmt.Errorf("%w: %w", ErrArchive, buf.Err())
		case slow:
			err = passing{errSlow, 0}
		default:
			err = passing{fmt.Errorf("read a message: %w", err), 0}
		}
		return errors.Join(err, buf.Close())
	})
	return out, err
}

// watch closes a body of which too little comes. Stop ends that and reports whether
// it did.
func watch(body io.ReadCloser, t timings) (r io.Reader, stop func() (slow bool)) {
	w := &watched{r: body}
	ended := make(chan struct{})
	over := make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(t.window)
		defer tick.Stop()
		before := int64(0)
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			now := w.n.Load()
			if now-before < t.least {
				w.slow.Store(true)
				_ = body.Close() // the reader tells
				return
			}
			before = now
		}
	}()
	return w, func() bool {
		close(ended)
		<-over
		return w.slow.Load()
	}
}

type watched struct {
	r    io.Reader
	n    atomic.Int64
	slow atomic.Bool
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.n.Add(int64(n))
	return n, err
}

// looksCut reports whether a message has parts and not the end of the last one.
func looksCut(buf *spool.Buffer) bool {
	head := make([]byte, min(buf.Size(), maxHead))
	if n, err := buf.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) || n < len(head) {
		return false
	}
	m, err := mail.ReadMessage(bytes.NewReader(head))
	if err != nil {
		return false
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") || params["boundary"] == "" {
		return false
	}
	tail := make([]byte, min(buf.Size(), maxTail))
	if _, err := buf.ReadAt(tail, buf.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	return !bytes.Contains(tail, []byte("--"+params["boundary"]+"--"))
}

// same compares two messages.
func same(a, b *spool.Buffer) bool {
	if a == nil || a.Size() != b.Size() {
		return false
	}
	x, y := make([]byte, 32<<10), make([]byte, 32<<10)
	for off := int64(0); off < a.Size(); off += int64(len(x)) {
		n, err := a.ReadAt(x, off)
		m, err2 := b.ReadAt(y, off)
		if n != m || !bytes.Equal(x[:n], y[:m]) || err != nil && !errors.Is(err, io.EOF) || err2 != nil && !errors.Is(err2, io.EOF) {
			return false
		}
	}
	return true
}
