package mailbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
)

// probeTime bounds a whole test of settings.
const probeTime = 90 * time.Second

// Test tries settings and tells what it finds, in plain words, and never the
// secret. Nothing on the server changes. The password is sent on the first way
// where the server can be trusted, and nowhere else. A log-in that is renewed
// meanwhile is put into store.
func (f *Fetcher) Test(ctx context.Context, s remote.Settings, store oauth.Store) remote.TestResult {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	p := &probe{f: f, set: s}
	p.out.Steps = []remote.Step{}
	if err := s.Check(); err != nil {
		p.fail("settings", &coded{remote.CodeInternal, err})
		p.out.Problem.Text = "The settings are not complete or not right."
		return p.out
	}
	if err := p.credential(ctx, store); err != nil {
		p.fail("log in", err)
		return p.out
	}
	c := p.connect(ctx)
	if c == nil {
		return p.out
	}
	defer c.close()
	what := "log in as " + s.User
	if err := c.login(ctx, s, p.secret); err != nil {
		p.fail(what, denied(s, err))
		return p.out
	}
	p.ok(what, "accepted")
	p.out.Found = &remote.Found{Protocol: c.way.protocol, Port: c.way.port, TLS: c.way.tls, Host: s.Host}
	if c.imap != nil {
		p.imap(ctx, c.imap)
	} else if list, err := c.pop3.UIDL(ctx); err != nil {
		p.fail("list messages", err)
	} else {
		p.out.Messages = int64(len(list))
		p.ok("list messages", fmt.Sprintf("%d messages", len(list)))
		_ = c.pop3.Quit(ctx) // a courtesy
	}
	p.out.OK = p.out.Problem == nil
	return p.out
}

// probe is one test.
type probe struct {
	f      *Fetcher
	set    remote.Settings
	secret []byte
	out    remote.TestResult
}

func (p *probe) ok(what, text string) {
	p.out.Steps = append(p.out.Steps, remote.Step{What: what, OK: true, Text: text})
}

// fail adds a step that failed. Its problem is that of the test if it says more
// than those before.
func (p *probe) fail(what string, err error) {
	found := problem(err, p.set.User, p.secret)
	p.out.Steps = append(p.out.Steps, remote.Step{What: what, Text: found.Text + " " + found.Detail, Code: found.Code})
	p.out.Problem = found
}

// connect takes the first way that works; nil if there is none.
func (p *probe) connect(ctx context.Context) *client {
	var worst error
	var tried attempts
	for _, w := range p.f.ways(p.set) {
		if tried.pointless(w) {
			continue
		}
		sum := ""
		c, err := p.f.dial(ctx, p.set, w, trust(p.set, func(s string) { sum = s }), p.f.timings.probe)
		if sum != "" && (p.out.Certificate == "" || err == nil) {
			p.out.Certificate = sum
		}
		if err == nil {
			p.ok(w.String(), "the server answers")
			p.out.Problem = nil
			if w.tls == remote.NoTLS {
				p.ok("encryption", "none: everybody on the way can read the password and the mail")
				p.out.Certificate = ""
			}
			return c
		}
		p.fail(w.String(), err)
		tried.failed(w, err)
		if worst == nil || telling(err) > telling(worst) {
			worst = err
		}
		if !searching(err) {
			break
		}
	}
	p.out.Problem = problem(worst, p.set.User, p.secret)
	return nil
}

// imap lists folders and counts the messages in those that would be fetched.
func (p *probe) imap(ctx context.Context, c *imap.Conn) {
	all, err := c.Folders(ctx)
	if err != nil {
		p.fail("list folders", err)
		return
	}
	for _, f := range all {
		if !f.NoSelect && !f.Unreadable {
			p.out.Folders = append(p.out.Folders, f.Name)
		}
	}
	p.ok("list folders", fmt.Sprintf("%d folders", len(p.out.Folders)))
	names := []string{inbox}
	switch p.set.Folders {
	case remote.All:
		names = inboxLast(wanted(p.set, all))
		for _, n := range p.set.Without { // a slip of the pen would have fetched what is not to be
			if !slices.ContainsFunc(all, func(f imap.Folder) bool { return excluded([]string{n}, f) }) {
				p.fail("folder "+n, &coded{remote.CodeFolder, fmt.Errorf("there is no folder %q that could be left out", n)})
			}
		}
	case remote.List:
		names = inboxLast(p.set.Named)
	}
	for _, name := range names {
		m, err := c.Status(ctx, name)
		if err != nil {
			if c.Usable() {
				err = &coded{remote.CodeFolder, err}
			}
			p.fail("folder "+name, err)
			if !c.Usable() {
				return
			}
			continue
		}
		p.out.Messages += int64(m.Messages)
	}
	p.ok("count messages", fmt.Sprintf("%d messages in %d folders that would be fetched", p.out.Messages, len(names)))
	_ = c.Logout(ctx) // a courtesy
}
