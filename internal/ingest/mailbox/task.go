package mailbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/ingest/pop3"
	"github.com/muniment/muniment/internal/remote"
)

const (
	// barren is how many connections in a row may end without anything gained.
	barren = 3
	// sessions bounds the connections of one fetch.
	sessions = 10_000
	// givenUp is how many messages in a row may be given up before it is taken
	// for a fault of the server, and not of the messages.
	givenUp = 3
)

// source is a remote mailbox and what is remembered of it between fetches. It is
// for whoever holds its lock.
type source struct {
	key     sourceKey
	state   remote.State
	retried map[string]time.Time // items that stay: when they were tried last
	portion int                  // messages in one POP3 session
	single  bool                 // one POP3 command at a time, as a session broke
	rest    time.Duration        // how long a server wants to be left alone, by the last fetch
	conn    *imap.Conn           // open since the last fetch, for IDLE; may be nil
}

func newSource(v *archive.SourceView) *source {
	s := &source{key: sourceKey{v.Tenant, v.ID}, retried: map[string]time.Time{}, portion: firstPortion}
	if len(v.State) > 0 && json.Unmarshal(v.State, &s.state) != nil {
		s.state = remote.State{} // of another version; it will be written anew
	}
	return s
}

// task is one fetch of one source.
type task struct {
	f       *Fetcher
	src     *source
	set     remote.Settings
	secret  []byte    // password or access token
	force   bool      // try everything again that stays on the server
	rules   time.Time // when it was last changed which addresses are archived
	account string    // begins all origins: "imap://user@host/"

	stored, known atomic.Int64
	counts        map[string]*count // by folder
	problems      []error           // that stop nothing
	told          time.Time         // when the state was stored last
	tallies       map[string]*tally // what the server says it holds, by folder
	// took, if set, is told of every message that is durable: its item, the
	// SHA-256 of the bytes that came, and the receipt.
	took func(item string, came [32]byte, r archive.Receipt)

	moves    int             // whatever was gained
	trouble  map[string]int  // failures of single messages
	tried    map[string]bool // items that were tried again
	again    map[string]bool // of these, those a broken session had to do with: they are tried once more
	settled  map[string]bool // messages that need nothing more in this fetch
	finished map[string]bool // folders
	inARow   int             // messages given up without a success between
	hopeless bool            // no other connection will help
}

func newTask(f *Fetcher, src *source, force bool) *task {
	return &task{f: f, src: src, force: force, counts: map[string]*count{}, trouble: map[string]int{}, tried: map[string]bool{},
		again: map[string]bool{}, settled: map[string]bool{}, finished: map[string]bool{}, tallies: map[string]*tally{}}
}

// count is how many messages a folder holds.
type count struct{ total, waiting, left int64 }

// fetch does one fetch and stores how it went. The state has the problem, if
// there was one; the error is only of ctx. The caller holds the source's lock.
func (f *Fetcher) fetch(ctx context.Context, v *archive.SourceView, src *source, force bool) error {
	t := newTask(f, src, force)
	src.state.Fetching, src.state.NextAt = true, nil
	t.tell(ctx)
	err := t.prepare(ctx, v)
	if err == nil {
		err = t.run(ctx, t.session)
	}
	t.countRest(ctx)
	t.conclude(ctx, v, err)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return nil
}

// prepare reads the settings as they are now.
func (t *task) prepare(ctx context.Context, v *archive.SourceView) error {
	set, err := remote.Parse(v.Settings)
	if err == nil {
		err = set.Check()
	}
	if err != nil {
		return &coded{remote.CodeInternal, err}
	}
	t.set = set
	if t.secret, err = t.f.Archive.SourceSecret(ctx, t.src.key.tenant, t.src.key.source); err != nil {
		return ours(err)
	}
	if t.rules, err = t.f.Archive.SelectionChanged(ctx, t.src.key.tenant); err != nil {
		return ours(err)
	}
	return checkSecret(set, t.secret)
}

// run opens one connection after another until session says that everything is
// done.
func (t *task) run(ctx context.Context, session func(context.Context) (more bool, err error)) error {
	idle := 0
	for n := range sessions {
		before := t.moves
		more, err := session(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && !more:
			return nil
		case err != nil && (t.hopeless || n == 0 && t.account == "" || !resumable(err)):
			return err
		case t.moves > before:
			idle = 0
			continue
		}
		if idle++; idle >= barren {
			if err == nil {
				err = &coded{remote.CodeProtocol, errors.New("the server lets nothing be done with its messages")}
			}
			return err
		}
	}
	return &coded{remote.CodeConnect, fmt.Errorf("the connection broke %d times", sessions)}
}

// resumable reports whether another connection may get further than the one that
// ended with err.
func resumable(err error) bool {
	if errors.Is(err, imap.ErrTooLarge) || errors.Is(err, pop3.ErrTooLarge) {
		return true
	}
	if errors.Is(err, imap.ErrUIDValidity) { // what was read would be read again and again
		return false
	}
	switch code(err) {
	case remote.CodeConnect, remote.CodeTimeout, remote.CodeProtocol, remote.CodeNotDeleted:
		return true
	}
	return false
}

// session does what one connection gives. More says that there is more to do.
func (t *task) session(ctx context.Context) (more bool, err error) {
	c := &client{imap: t.src.conn}
	t.src.conn = nil
	if c.imap == nil || !c.imap.Usable() {
		if c, err = t.connect(ctx); err != nil {
			return false, err
		}
	}
	keep := false
	defer func() {
		if !keep {
			c.close()
		}
	}()
	if c.pop3 != nil {
		t.account = "pop3://" + url.PathEscape(t.set.User) + "@" + t.set.Host + "/"
		return t.readPOP3(ctx, c.pop3)
	}
	t.account = "imap://" + url.PathEscape(t.set.User) + "@" + t.set.Host + "/"
	selected, err := t.readIMAP(ctx, c.imap)
	if err != nil {
		return false, err
	}
	if keep = selected && c.imap.Usable() && c.imap.Capability("IDLE"); keep {
		t.src.conn = c.imap
	} else if c.imap.Usable() {
		_ = c.imap.Logout(ctx) // a courtesy
	}
	return false, nil
}

// escape makes a folder's name part of an origin (RFC 5092 §11).
func escape(folder string) string {
	parts := strings.Split(folder, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// note remembers a problem that stops nothing.
func (t *task) note(err error) {
	if len(t.problems) < 100 {
		t.problems = append(t.problems, err)
	}
}

// blame counts a failure that one message may be at fault for.
func (t *task) blame(id string) int {
	t.trouble[id]++
	t.moves++
	return t.trouble[id]
}

// giveUp counts a message that is given up. True means that it is not the
// messages' fault.
func (t *task) giveUp() bool {
	t.inARow++
	t.hopeless = t.hopeless || t.inARow > givenUp
	return t.hopeless
}

func (t *task) count(folder string) *count {
	c := t.counts[folder]
	if c == nil {
		c = &count{}
		t.counts[folder] = c
	}
	return c
}

// sum writes the figures so far into the state.
func (t *task) sum() {
	s := &t.src.state
	s.Stored, s.Known, s.OnServer, s.Waiting, s.Left = t.stored.Load(), t.known.Load(), 0, 0, 0
	for _, c := range t.counts {
		s.OnServer += max(c.total, 0)
		s.Waiting += max(c.waiting, 0)
		s.Left += c.left
	}
}

// progress stores the state now and then.
func (t *task) progress(ctx context.Context) {
	if t.f.Now().Sub(t.told) >= t.f.timings.progress {
		t.sum()
		t.tell(ctx)
	}
}

// tell stores the state. That it could not be is only logged: it is for people.
func (t *task) tell(ctx context.Context) {
	t.told = t.f.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	b, err := json.Marshal(&t.src.state)
	if err == nil {
		err = t.f.Archive.SetSourceState(ctx, t.src.key.tenant, t.src.key.source, b)
	}
	if err != nil {
		t.f.Log.Warn("state of a remote mailbox not stored", "tenant", t.src.key.tenant, "source", t.src.key.source, "error", err)
	}
}

// conclude stores how the fetch ended.
func (t *task) conclude(ctx context.Context, v *archive.SourceView, err error) {
	now := t.f.Now().UTC()
	s := &t.src.state
	if s.Stored, s.Known = t.stored.Load(), t.known.Load(); len(t.counts) > 0 { // else the server's side is as it was
		t.sum()
	}
	s.Fetching = false
	if ctx.Err() != nil { // stopped: neither well nor badly
		t.tell(ctx)
		return
	}
	if err == nil && len(t.problems) > 0 {
		err = t.problems[0]
		for _, p := range t.problems {
			if code(p) == remote.CodeNotDeleted {
				continue
			}
			err = p
			break
		}
	}
	old := s.Problem
	s.LastAt, s.Problem, t.src.rest = &now, nil, rest(err)
	log := t.f.Log.With("tenant", t.src.key.tenant, "source", v.Name)
	if err != nil {
		s.Problem = problem(err, t.set.User, t.secret)
		if old == nil || *old != *s.Problem {
			log.Warn("remote mailbox", "problem", s.Problem.Code, "detail", s.Problem.Detail)
		}
	} else {
		s.LastOKAt = &now
		if old != nil {
			log.Info("remote mailbox is well again")
		}
	}
	if s.Stored+s.Known > 0 {
		log.Info("remote mailbox fetched", "stored", s.Stored, "known", s.Known, "waiting", s.Waiting, "left", s.Left)
	}
	t.tell(ctx)
}
