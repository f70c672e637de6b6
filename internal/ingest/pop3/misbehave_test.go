package pop3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/testkit/pop3d"
)

// longest is how long any session with any server may take here.
const longest = time.Minute

// outcome is what a session with a misbehaving server must come to.
type outcome struct {
	want     error // nil: everything is fetched, deleted and confirmed
	security Security
	short    bool // the server is silent somewhere: do not wait long
}

// outcomes has every misbehaviour. The zero value of security there is what
// the others use, Unprotected.
func outcomes() map[pop3d.Misbehaviour]outcome {
	plain := func(want error) outcome { return outcome{want: want, security: Unprotected} }
	silent := func(want error) outcome { return outcome{want: want, security: Unprotected, short: true} }
	tls := func(want error) outcome { return outcome{want: want, security: StartTLS} }
	return map[pop3d.Misbehaviour]outcome{
		pop3d.NeverGreets:      silent(ErrTemporary),
		pop3d.GarbageGreeting:  plain(ErrProtocol),
		pop3d.IMAPGreeting:     plain(ErrProtocol),
		pop3d.SMTPGreeting:     plain(ErrProtocol),
		pop3d.TurnsAway:        plain(ErrTemporary),
		pop3d.ClosesAtOnce:     plain(ErrTemporary),
		pop3d.EndlessLine:      plain(ErrProtocol),
		pop3d.EndlessCAPA:      plain(ErrProtocol),
		pop3d.STLSRefused:      tls(ErrTLS),
		pop3d.STLSInjection:    tls(ErrTLS),
		pop3d.STLSGarbage:      tls(ErrTLS),
		pop3d.WrongHost:        tls(ErrTLS),
		pop3d.Expired:          tls(ErrTLS),
		pop3d.UnknownAuthority: tls(ErrTLS),
		pop3d.AsksForever:      plain(ErrProtocol),
		pop3d.EchoesSecrets:    plain(ErrAuth),
		pop3d.InUse:            plain(ErrTemporary),
		pop3d.LoginDelay:       plain(ErrTemporary),
		pop3d.SysTemp:          plain(ErrTemporary),
		pop3d.SysPerm:          plain(ErrPermanent),
		pop3d.LockedPlain:      plain(ErrTemporary),
		pop3d.NeverAnswers:     silent(ErrTemporary),
		pop3d.GarbageAnswers:   plain(ErrProtocol),
		pop3d.Drips:            silent(ErrTemporary),
		pop3d.AnswersTwice:     plain(ErrProtocol),
		pop3d.BareLF:           plain(ErrProtocol),
		pop3d.GarbageSizes:     plain(ErrProtocol),
		pop3d.NegativeNumbers:  plain(ErrProtocol),
		pop3d.DuplicateNumbers: plain(ErrProtocol),
		pop3d.Descending:       plain(nil),
		pop3d.EndlessList:      plain(ErrProtocol),
		pop3d.MissingUIDs:      plain(ErrProtocol),
		pop3d.EqualUIDs:        plain(nil),
		pop3d.LongUIDs:         plain(ErrProtocol),
		pop3d.CutsList:         plain(ErrTemporary),
		pop3d.SizesTooSmall:    plain(nil),
		pop3d.SizesTooLarge:    plain(nil),
		pop3d.RefusesRETR:      plain(ErrPermanent),
		pop3d.CutsMessage:      plain(ErrTemporary),
		pop3d.NeverEnds:        silent(ErrTemporary),
		pop3d.EndlessMessage:   plain(ErrTooLarge),
		pop3d.EndsWithDotLF:    silent(ErrProtocol),
		pop3d.EndsAfterLF:      silent(ErrProtocol),
		pop3d.NeverStuffs:      plain(ErrProtocol),
		pop3d.MoreThanMessage:  plain(ErrProtocol),
		pop3d.RefusesDELE:      plain(ErrPermanent),
		pop3d.RefusesQUIT:      plain(ErrPermanent),
		pop3d.IgnoresQUIT:      plain(ErrUnconfirmed),
		pop3d.CommitsMutely:    plain(ErrUnconfirmed),
		pop3d.SilentAtQUIT:     silent(ErrUnconfirmed),
	}
}

// pulled is what one session did.
type pulled struct {
	whole map[string][]byte // by unique id of the server: messages that came without an error
	asked []string          // unique ids that DELE named
}

// pullAhead is pull with commands that are sent ahead.
func pullAhead(ctx context.Context, s *pop3d.Server, cfg Config) (p pulled, err error) {
	p.whole = map[string][]byte{}
	uids := s.Messages()
	c, err := Dial(ctx, cfg)
	if err != nil {
		return p, err
	}
	defer c.Close()
	if err := c.Login(ctx, pop3d.User, pop3d.Password); err != nil {
		return p, err
	}
	list, err := c.UIDL(ctx)
	if err != nil {
		return p, err
	}
	c.Plan(list)
	var numbers []int
	for _, m := range list {
		var b bytes.Buffer
		r, err := c.Retrieve(ctx, m.Number, &b, 1<<20)
		if err != nil {
			return p, err
		}
		if r.LoneDots == 0 {
			p.whole[uids[m.Number-1].UID] = b.Bytes()
		}
		p.asked = append(p.asked, uids[m.Number-1].UID)
		numbers = append(numbers, m.Number)
	}
	if no, err := c.DeleteAll(ctx, numbers); err != nil {
		return p, err
	} else if len(no) > 0 {
		return p, no[slices.Sorted(maps.Keys(no))[0]]
	}
	return p, c.Quit(ctx)
}

// pull fetches everything, asks for the deletion of what has come, and confirms.
func pull(ctx context.Context, s *pop3d.Server, cfg Config) (p pulled, err error) {
	p.whole = map[string][]byte{}
	uids := s.Messages() // by number: what the server says may be wrong
	c, err := Dial(ctx, cfg)
	if err != nil {
		return p, err
	}
	defer c.Close()
	if err := c.Login(ctx, pop3d.User, pop3d.Password); err != nil {
		return p, err
	}
	if _, _, err := c.Stat(ctx); err != nil {
		return p, err
	}
	list, err := c.UIDL(ctx)
	if err != nil {
		return p, err
	}
	for _, m := range list {
		var b bytes.Buffer
		r, err := c.Retrieve(ctx, m.Number, &b, 1<<20)
		if err != nil {
			return p, err
		}
		if r.LoneDots == 0 {
			p.whole[uids[m.Number-1].UID] = b.Bytes()
		}
		p.asked = append(p.asked, uids[m.Number-1].UID)
		if err := c.Delete(ctx, m.Number); err != nil {
			return p, err
		}
	}
	return p, c.Quit(ctx)
}

// letters are messages that misbehaving servers may spoil.
func letters() [][]byte {
	return [][]byte{
		[]byte("Subject: one\r\n\r\ntext\r\n"),
		[]byte("Subject: two\r\n\r\n.css { }\r\n..\r\n.\r\nafter the dot\r\n"),
		[]byte("Subject: three\r\n\r\n" + strings.Repeat("0123456789\r\n", 3000)),
	}
}

// intact requires that nothing is lost: what is not deleted is there, what is
// deleted was asked for and had come whole.
func intact(t *testing.T, s *pop3d.Server, raw [][]byte, p pulled, err error) {
	t.Helper()
	want := map[string][]byte{}
	for i, m := range raw {
		want[fmt.Sprintf("uid-%06d", i+1)] = pop3d.Sent(m)
	}
	for uid, got := range p.whole {
		if !bytes.Equal(got, want[uid]) {
			t.Errorf("%s is %.200q, want %.200q", uid, got, want[uid])
		}
	}
	for _, uid := range s.Deleted() {
		if !slices.Contains(p.asked, uid) {
			t.Errorf("%s is deleted, which nobody asked for", uid)
		}
		if !bytes.Equal(p.whole[uid], want[uid]) {
			t.Errorf("%s is deleted and has not come whole", uid)
		}
	}
	if n := len(s.Deleted()) + len(s.Messages()); n != len(raw) {
		t.Errorf("%d messages are there or deleted, want %d", n, len(raw))
	}
	if err == nil && len(s.Deleted()) != len(p.asked) {
		t.Errorf("%d are deleted of %d confirmed", len(s.Deleted()), len(p.asked))
	}
	if err != nil && len(s.Deleted()) > 0 && !errors.Is(err, ErrUnconfirmed) {
		t.Errorf("%d are deleted without a confirmation, and nobody says so: %v", len(s.Deleted()), err)
	}
}

func TestMisbehaviours(t *testing.T) {
	t.Parallel()
	expected := outcomes()
	for _, m := range pop3d.Misbehaviours() {
		o, known := expected[m]
		if !known {
			t.Errorf("%s: nobody has thought about it", m)
			continue
		}
		for way, pull := range map[string]func(context.Context, *pop3d.Server, Config) (pulled, error){"one by one": pull, "ahead": pullAhead} {
			t.Run(string(m)+" "+way, func(t *testing.T) {
				t.Parallel()
				s := pop3d.New(t, pop3d.Options{Misbehave: []pop3d.Misbehaviour{m}, Seed: 1})
				raw := letters()
				s.Add(raw...)
				cfg := to(s, o.security)
				if o.short {
					cfg.Idle, cfg.Command, cfg.Transfer = 3*time.Second, 5*time.Second, 5*time.Second
				}
				started := time.Now()
				p, err := pull(t.Context(), s, cfg)
				if took := time.Since(started); took > longest {
					t.Errorf("took %v", took)
				}
				if !errors.Is(err, o.want) || (err == nil) != (o.want == nil) {
					t.Errorf("%v, want %v", err, o.want)
				}
				intact(t, s, raw, p, err)
				if err == nil {
					if len(p.whole) != len(raw) {
						t.Errorf("%d messages have come, want %d", len(p.whole), len(raw))
					}
					return
				}
				t.Log(err)
				if text := err.Error(); strings.Contains(text, pop3d.Password) || strings.ContainsAny(text, "\x00\x1b\r\n") || len(text) > 600 {
					t.Errorf("nobody wants to read %q", text)
				}
			})
		}
	}
}

// TestCutAnywhere breaks the connection after every number of bytes: whatever has
// been confirmed by then is all that may be gone.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	raw := [][]byte{[]byte("Subject: a\r\n\r\n.x\r\n"), []byte("Subject: b\r\n\r\nno end")}
	for way, pull := range map[string]func(context.Context, *pop3d.Server, Config) (pulled, error){"one by one": pull, "ahead": pullAhead} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			measure := pop3d.New(t, pop3d.Options{Calm: true})
			measure.Add(raw...)
			if _, err := pull(t.Context(), measure, to(measure, Unprotected)); err != nil {
				t.Fatal(err)
			}
			all := measure.Connections()[0].Sent
			for n := int64(0); n <= all; n++ {
				s := pop3d.New(t, pop3d.Options{Calm: true})
				s.Add(raw...)
				s.Cut(n)
				p, err := pull(t.Context(), s, to(s, Unprotected))
				intact(t, s, raw, p, err)
				if (err == nil) != (n == all) || err != nil && !errors.Is(err, ErrTemporary) {
					t.Fatalf("cut after %d of %d bytes: %v", n, all, err)
				}
				// The next session fetches what is left.
				left := len(s.Messages())
				if p, err := pull(t.Context(), s, to(s, Unprotected)); err != nil || len(p.whole) != left || len(s.Messages()) != 0 {
					t.Fatalf("after a cut at %d: %d of %d have come, %v", n, len(p.whole), left, err)
				}
			}
			t.Logf("%d places", all+1)
		})
	}
}
