package interop

import (
	"errors"
	"fmt"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archivetest"
)

// persistent are clients of a mail server that offer every message until it is
// acknowledged, as mail servers do.
type persistent struct {
	p            *postfix
	done, putOff atomic.Int64 // acknowledged; answered 4xx
	stop         atomic.Bool
	replies      sync.Map // what clients were told, as "code text"
}

// offer sends messages number first to last and returns the first error that is
// not temporary.
func (c *persistent) offer(first, last int) error {
	var conn *smtp.Client
	for i := first; i < last; i++ {
		for {
			if c.stop.Load() {
				return errors.New("stopped")
			}
			err := c.once(&conn, i)
			if err == nil {
				c.done.Add(1)
				break
			}
			var reply *textproto.Error
			if errors.As(err, &reply) && reply.Code >= 500 {
				return err
			}
			if reply != nil {
				c.replies.Store(fmt.Sprintf("%d %s", reply.Code, reply.Msg), true)
			}
			c.putOff.Add(1)
			if conn != nil {
				conn.Close()
				conn = nil
			}
			time.Sleep(50 * time.Millisecond) // as a client comes again, only sooner
		}
	}
	return conn.Quit()
}

func (c *persistent) once(conn **smtp.Client, i int) error {
	if *conn == nil {
		next, err := smtp.Dial(c.p.listen)
		if err != nil {
			return err
		}
		*conn = next
	}
	id := fmt.Sprintf("<%d@milter.example>", i)
	m, to := generated(i, id)
	return sendRaw(*conn, fmt.Sprintf("sender-%d@a.example", i), to, m)
}

// complete requires that each of the n messages is archived with its bytes and
// all its recipients.
func complete(t *testing.T, stored []archived, n int) {
	t.Helper()
	got := map[string]bool{}
	for _, a := range stored {
		var i int
		if _, err := fmt.Sscanf(messageID(a.data), "<%d@milter.example>", &i); err != nil {
			t.Fatalf("archived %.200q", a.data)
		}
		id := fmt.Sprintf("<%d@milter.example>", i)
		if m, to := generated(i, id); m != a.data || strings.Join(to, " ") != strings.Join(a.EnvelopeTo, " ") {
			t.Errorf("%s: archived for %q: %.300q", id, a.EnvelopeTo, a.data)
		}
		got[id] = true
	}
	if len(got) != n {
		t.Errorf("%d messages are archived, %d were acknowledged", len(got), n)
	}
}

// load runs clients with n messages and lets trouble meet them, a function for
// each time; afterwards all must have been acknowledged.
func load(t *testing.T, p *postfix, n int, trouble ...func(c *persistent)) {
	t.Helper()
	const clients = 4
	c := &persistent{p: p}
	failed := make(chan error, clients)
	var all sync.WaitGroup
	for k := range clients {
		all.Go(func() { failed <- c.offer(n*k/clients, n*(k+1)/clients) })
	}
	defer all.Wait()
	defer c.stop.Store(true)
	for k, meet := range trouble {
		goal := int64(n * (k + 1) / (len(trouble) + 2))
		until(t, "some messages to be acknowledged", func() bool { return c.done.Load() >= goal || len(failed) > 0 })
		meet(c)
	}
	until(t, "all messages to be acknowledged", func() bool { return c.done.Load() >= int64(n) || len(failed) == clients })
	for range clients {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

// wait lets the clients be put off a few times more.
func (c *persistent) wait(t *testing.T) {
	t.Helper()
	goal := c.putOff.Load() + 6
	until(t, "clients to be put off", func() bool { return c.putOff.Load() >= goal })
}

// TestMilterTrouble lets the archive fail and then be gone for a while under
// load: Postfix puts its clients off, and what it acknowledged is archived.
func TestMilterTrouble(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: openFiles(t)}
	f := openFilter(t, archivetest.Options{Blobs: store})
	p, sink := f.postfix(t)
	const n = 300
	load(t, p, n, func(c *persistent) {
		store.set(errors.New("no space left on device"))
		c.wait(t)
		if _, ok := c.replies.Load("451 4.3.0 the mail archive cannot store this message now, try again later"); !ok {
			t.Error("clients are not told why")
		}
		store.set(nil)
	}, func(c *persistent) {
		f.stop()
		c.wait(t)
		f.start(t, f.addr)
	})
	complete(t, f.archived(t), n)
	until(t, "postfix to deliver everything", func() bool {
		ids := map[string]bool{}
		for _, d := range sink.all() {
			ids[messageID(d.data)] = true
		}
		return len(ids) == n
	})
}

// TestMilterKilled kills the program under load and starts it again: what
// Postfix acknowledged is archived.
func TestMilterKilled(t *testing.T) {
	t.Parallel()
	i := install(t)
	s := i.serveWith("mail filter: ", "milter.tenant=acme", "milter.listen=inet:127.0.0.1:0")
	p, _ := (&filter{addr: s.addr}).postfix(t)
	const n = 300
	load(t, p, n, func(c *persistent) {
		s.end(syscall.SIGKILL) //nolint:errcheck // it says that it was killed
		c.wait(t)
		s = i.serveWith("mail filter: ", "milter.tenant=acme", "milter.listen=inet:"+s.addr)
	})
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	e := archivetest.New(t, archivetest.Options{Dir: i.data})
	tenant, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	complete(t, (&filter{Env: e, tenant: tenant}).archived(t), n)
}
