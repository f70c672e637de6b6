package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/testkit/dovecot"
)

// fetcher is a way to bring the messages of a mailbox to this machine. prepare
// makes an empty store and returns the commands to be measured, one after the
// other.
type fetcher struct {
	name    string
	empties bool // the mailbox is empty afterwards
	prepare func(ctx context.Context, s *dovecot.Server, store string) ([]step, error)
	runs    []usage
}

// step is a command, and what is done before it without being measured.
type step struct {
	before  func() error
	command []string
}

// fetch compares the fetching of a mailbox with mbsync, which writes a Maildir and
// syncs every file to the disk. Server and clients share the machine.
func (b *bench) fetch(ctx context.Context) error {
	mail, raw, err := b.letters()
	if err != nil {
		return err
	}
	programs := []*fetcher{
		{name: "muniment, IMAP, kept", prepare: b.fetchBy("imap", true)},
		{name: "mbsync, kept", prepare: b.mbsync(false)},
		{name: "muniment, IMAP, deleted", empties: true, prepare: b.fetchBy("imap", false)},
		{name: "mbsync, deleted", empties: true, prepare: b.mbsync(true)},
		{name: "muniment, POP3, deleted", empties: true, prepare: b.fetchBy("pop3", false)},
	}
	fmt.Printf("\n## Fetching\n\n%d messages, %.0f MB, from Dovecot on the same machine by TLS; whole processes, alternating, %d rounds, median\n\n| program | messages/s | CPU s | resident |\n|---|---|---|---|\n", len(mail), float64(raw)/1e6, b.rounds)
	for i := range b.rounds {
		for n, p := range programs {
			if err := b.fetchOnce(ctx, p, mail, filepath.Join(b.dir, fmt.Sprintf("fetch-%d-%d", i, n))); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	rate := func(p *fetcher) float64 { return float64(len(mail)) / median(p.runs).wall.Seconds() }
	for _, p := range programs {
		m := median(p.runs)
		fmt.Printf("| %s | %.0f | %.1f | %s |\n", p.name, rate(p), m.cpu.Seconds(), mib(m.resident))
		if strings.HasPrefix(p.name, "muniment") {
			most := slices.MaxFunc(p.runs, func(x, y usage) int { return int(x.resident - y.resident) })
			b.account("memory, "+p.name, "≤ 512 MiB", mib(most.resident), most.resident <= 512<<20)
		}
	}
	kept, deleted := rate(programs[0])/rate(programs[1]), rate(programs[2])/rate(programs[3])
	b.account("fetching by IMAP, kept ÷ `mbsync`", "≥ 1", fmt.Sprintf("%.2f", kept), kept >= 1)
	b.account("fetching by IMAP, deleted ÷ `mbsync`", "≥ 1", fmt.Sprintf("%.2f", deleted), deleted >= 1)
	strict := rate(programs[2]) / rate(programs[1])
	b.account("fetching by IMAP, deleted ÷ `mbsync`, kept", "≥ 1", fmt.Sprintf("%.2f", strict), strict >= 1)
	return nil
}

// letters lists the messages of the corpus that IMAP can carry; those with NUL are
// not.
func (b *bench) letters() (mail []string, raw int64, err error) {
	err = filepath.WalkDir(filepath.Join(b.corpus, "bulk"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || len(mail) == b.fetched {
			return err
		}
		m, err := os.ReadFile(path)
		if err == nil && len(m) > 0 && !strings.Contains(string(m), "\x00") {
			mail, raw = append(mail, path), raw+int64(len(m))
		}
		return err
	})
	return mail, raw, err
}

// deliver puts the files into the mailbox, some at a time: what this process has
// resident counts for the programs it starts.
func deliver(s *dovecot.Server, mail []string) error {
	for some := range slices.Chunk(mail, 100) {
		var letters [][]byte
		for _, path := range some {
			m, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			letters = append(letters, m)
		}
		if err := s.Add("", letters...); err != nil {
			return err
		}
	}
	return nil
}

// fetchOnce lets a program fetch from a fresh server.
func (b *bench) fetchOnce(ctx context.Context, p *fetcher, mail []string, store string) (err error) {
	s, err := dovecot.Start(dovecot.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(), os.RemoveAll(store)) }()
	if err := deliver(s, mail); err != nil {
		return err
	}
	steps, err := p.prepare(ctx, s, store)
	if err != nil {
		return err
	}
	var sum usage
	for _, x := range steps {
		if x.before != nil {
			if err := x.before(); err != nil {
				return err
			}
		}
		u, err := process(ctx, nil, x.command[0], x.command[1:]...)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, s.Log())
		}
		sum = usage{wall: sum.wall + u.wall, cpu: sum.cpu + u.cpu, resident: max(sum.resident, u.resident)}
	}
	p.runs = append(p.runs, sum)
	left := size(filepath.Join(s.Maildir(), "cur"), filepath.Join(s.Maildir(), "new"))
	if p.empties != (left == 0) {
		return fmt.Errorf("%d bytes of mail are on the server afterwards", left)
	}
	return nil
}

// fetchBy fetches with the archive's program.
func (b *bench) fetchBy(protocol string, keep bool) func(context.Context, *dovecot.Server, string) ([]step, error) {
	return func(ctx context.Context, s *dovecot.Server, store string) ([]step, error) {
		addr := s.IMAPS
		if protocol == "pop3" {
			addr = s.POP3S
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		password := store + ".password"
		if err := os.WriteFile(password, []byte(dovecot.Password+"\n"), 0o600); err != nil {
			return nil, err
		}
		if _, err := b.muniment(ctx, store, "tenant", "create", "bench"); err != nil {
			return nil, err
		}
		add := []string{"source", "add-mailbox", "bench", "box", "--protocol", protocol, "--host", host, "--port", port, "--tls", "implicit",
			"--ca", s.CertFile, "--user", dovecot.User, "--password-file", password}
		if keep {
			add = append(add, "--keep")
		}
		_, err = b.muniment(ctx, store, add...)
		return []step{{command: []string{b.program, "--data", store, "source", "fetch", "bench", "box"}}}, err
	}
}

// mbsync fetches into a Maildir with FSync, as is its default. To empty the
// mailbox, everything is marked as deleted in the Maildir and synchronised again.
func (b *bench) mbsync(empty bool) func(context.Context, *dovecot.Server, string) ([]step, error) {
	return func(_ context.Context, s *dovecot.Server, store string) ([]step, error) {
		_, port, err := net.SplitHostPort(s.IMAPS)
		if err != nil {
			return nil, err
		}
		inbox := filepath.Join(store, "inbox")
		if err := os.MkdirAll(store, 0o755); err != nil {
			return nil, err
		}
		rc := filepath.Join(store, "mbsyncrc")
		conf := fmt.Sprintf(`FSync yes
IMAPAccount bench
Host localhost
Port %s
SSLType IMAPS
SystemCertificates no
CertificateFile %s
User %s
PassCmd "cat %s"

IMAPStore far
Account bench

MaildirStore near
Path %s/
Inbox %s

Channel box
Far :far:
Near :near:
Create Near
SyncState *
`, port, s.CertFile, dovecot.User, filepath.Join(store, "password"), store, inbox)
		if err := errors.Join(os.WriteFile(rc, []byte(conf), 0o600), os.WriteFile(filepath.Join(store, "password"), []byte(dovecot.Password), 0o600)); err != nil {
			return nil, err
		}
		steps := []step{{command: []string{"mbsync", "-c", rc, "--pull-new", "box"}}}
		if empty {
			steps = append(steps, step{before: func() error { return trash(inbox) }, command: []string{"mbsync", "-c", rc, "--push-flags", "--expunge-far", "box"}})
		}
		return steps, nil
	}
}

// trash marks all messages of a Maildir as deleted.
func trash(maildir string) error {
	for _, sub := range []string{"new", "cur"} {
		list, err := os.ReadDir(filepath.Join(maildir, sub))
		if err != nil {
			return err
		}
		for _, e := range list {
			name, _, _ := strings.Cut(e.Name(), ":")
			if err := os.Rename(filepath.Join(maildir, sub, e.Name()), filepath.Join(maildir, "cur", name+":2,T")); err != nil {
				return err
			}
		}
	}
	return nil
}
