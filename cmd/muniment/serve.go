package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/muniment/muniment/docs/manual"
	"github.com/muniment/muniment/internal/config"
	"github.com/muniment/muniment/internal/hooks"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/ingest/mailbox"
	"github.com/muniment/muniment/internal/ingest/smtp"
	"github.com/muniment/muniment/internal/outbox"
	"github.com/muniment/muniment/internal/receipts"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/site"
	"github.com/muniment/muniment/internal/socket"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/web"
)

// shutdownTime is how long open connections may take to end.
const shutdownTime = 20 * time.Second

// compactEvery is the time between two looks for segments to merge.
const compactEvery = 10 * time.Minute

type serveCmd struct{}

func (serveCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, founding)
	if err != nil {
		return err
	}
	defer a.close()
	a.archive.DescribeTenants(ctx)
	srv, err := a.listen(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "web interface: %s\n", srv.url())
	srv.tellFirstStart(ctx, s.out)
	if srv.smtpAddr != "" {
		fmt.Fprintf(s.out, "SMTP receiver: %s\n", srv.smtpAddr)
	}
	if srv.lmtpAddr != "" {
		fmt.Fprintf(s.out, "LMTP receiver: %s\n", srv.lmtpAddr)
	}
	if srv.milterAddr != "" {
		fmt.Fprintf(s.out, "mail filter: %s\n", srv.milterAddr)
	}
	return srv.run(ctx)
}

// server is the doors, listening.
type server struct {
	app        *app
	http       *httpd.Server
	httpLn     net.Listener
	plainLn    net.Listener // nil: there is none
	certs      *site.Keeper
	setupCode  string // empty: there is an operator
	mail       []mailDoor
	fetcher    *mailbox.Fetcher
	outbox     *outbox.Outbox
	sealer     *sealing.Sealer
	files      *fileDoors
	receipts   *receipts.Receipts
	hooks      *hooks.Hooks
	smtpAddr   string
	lmtpAddr   string
	milterAddr string
}

type mailDoor struct {
	server interface {
		Serve(ln net.Listener) error
		Shutdown(ctx context.Context) error
	}
	ln net.Listener
}

// listen opens all doors of the settings without serving yet.
func (a *app) listen(ctx context.Context, demo *httpd.Demo) (_ *server, err error) {
	srv := &server{app: a}
	defer func() {
		if err != nil {
			srv.closeListeners()
		}
	}()
	c := a.config
	if srv.fetcher, err = a.newFetcher(); err != nil {
		return nil, err
	}
	if srv.outbox, err = a.newOutbox(); err != nil {
		return nil, err
	}
	if srv.receipts, err = receipts.New(receipts.Config{Archive: a.archive, Outbox: srv.outbox, Dir: c.Receipt.Dir, Log: a.log}); err != nil {
		return nil, err
	}
	if srv.hooks, err = a.newHooks(); err != nil {
		return nil, err
	}
	if srv.sealer, err = a.newSealer(); err != nil {
		return nil, err
	}
	if srv.files, err = a.newFileDoors(); err != nil {
		return nil, err
	}
	if srv.certs, err = a.newCertificates(); err != nil {
		return nil, err
	}
	if srv.setupCode, err = a.newSetupCode(ctx, demo); err != nil {
		return nil, err
	}
	if srv.http, err = a.newHTTP(demo, srv); err != nil {
		return nil, err
	}
	if err = srv.openHTTP(); err != nil {
		return nil, err
	}
	a.archive.SetURL(c.BaseURL(srv.httpLn.Addr().String())) // the port may have been chosen by the system; WatchSite may know better
	dir, err := spool.Open(filepath.Join(c.Data, spoolDir, "mail"))
	if err != nil {
		return nil, err
	}
	if c.SMTP.Listen != "" {
		if srv.smtpAddr, err = srv.openMail(dir, c.SMTP.Listen, false); err != nil {
			return nil, fmt.Errorf("smtp.listen: %w", err)
		}
	}
	if c.LMTP.Listen != "" {
		if srv.lmtpAddr, err = srv.openMail(dir, c.LMTP.Listen, true); err != nil {
			return nil, fmt.Errorf("lmtp.listen: %w", err)
		}
	}
	if c.Milter.Listen != "" {
		if srv.milterAddr, err = srv.openMilter(ctx, dir); err != nil {
			return nil, err
		}
	}
	return srv, nil
}

func (s *server) openMail(dir *spool.Dir, listen string, lmtp bool) (string, error) {
	c, err := s.app.mailConfig(dir, lmtp)
	if err != nil {
		return "", err
	}
	m, err := smtp.New(c)
	if err != nil {
		return "", err
	}
	ln, err := listenMail(listen)
	if err != nil {
		return "", usage(err)
	}
	s.mail = append(s.mail, mailDoor{m, ln})
	return ln.Addr().String(), nil
}

// listenMail opens a door at host:port or unix:/path.
func listenMail(listen string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(listen, "unix:"); ok {
		return socket.Listen(path, socket.GroupMode)
	}
	return net.Listen("tcp", listen)
}

func (a *app) mailConfig(dir *spool.Dir, lmtp bool) (smtp.Config, error) {
	c := a.config.SMTP
	networks, err := config.Networks(c.Networks)
	if err != nil {
		return smtp.Config{}, err
	}
	host := c.Hostname
	if host == "" {
		if host, err = os.Hostname(); err != nil {
			return smtp.Config{}, err
		}
	}
	tlsConfig, own, err := smtp.ServerTLS(smtp.CertificateConfig{CertFile: c.TLSCert, KeyFile: c.TLSKey, Dir: a.config.Data, Hostname: host})
	if err != nil {
		return smtp.Config{}, usage(fmt.Errorf("smtp.tls_cert, smtp.tls_key: %w", err))
	}
	if own {
		a.log.Warn("STARTTLS uses a self-made certificate; set smtp.tls_cert and smtp.tls_key for one that others trust")
	}
	out := smtp.Config{Archive: a.archive, Spool: dir, Log: a.log, Hostname: host, LMTP: lmtp, TLS: tlsConfig,
		RequireTLS: c.TLS == config.TLSRequired && !lmtp, ImplicitTLS: c.TLS == config.TLSImplicit && !lmtp, Networks: networks, MaxMessage: c.MaxSize,
		Limits: smtp.Limits{Connections: c.Connections, ConnectionsPerPeer: c.PerPeer, MessagesPerTenant: orUnlimited(c.PerMinute), MessagesPerPeer: orUnlimited(c.PeerMinute), Command: c.Timeout}}
	if c.User != "" {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return smtp.Config{}, usage(fmt.Errorf("smtp.password_file: %w", err))
		}
		first, _, _ := strings.Cut(string(b), "\n")
		out.Authenticate = smtp.Passwords(map[string]string{c.User: strings.TrimRight(first, "\r")})
	}
	return out, nil
}

// orUnlimited turns the setting's "0: no limit" into the door's negative value.
func orUnlimited(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

func (a *app) newHTTP(demo *httpd.Demo, srv *server) (*httpd.Server, error) {
	c := a.config.HTTP
	proxies, err := config.Networks(c.TrustedProxies)
	if err != nil {
		return nil, err
	}
	metrics, err := config.Networks(c.MetricsNetworks)
	if err != nil {
		return nil, err
	}
	ui, err := web.FS()
	if err != nil {
		return nil, err
	}
	return httpd.New(httpd.Config{Archive: a.archive, UI: ui, Manual: manual.FS(), Log: a.log, Version: version(), TrustedProxies: proxies, MetricsNetworks: metrics,
		Certificates: srv.certs, SiteFixed: c.TLSCert != "", URLFixed: c.URL != "", Port: port(c.Listen), SetupCode: srv.setupCode, Demo: demo, Ready: a.catalog.Ping, Fetcher: srv.fetcher, Histories: srv.fetcher, Mailer: srv.outbox,
		Post: post{srv.outbox}, Webhooks: srv.hooks, Sealer: srv.sealer, Uploads: srv.files.uploads,
		AllowPrivate: a.config.Fetch.PrivateNetworks, LogIns: a.newOAuth()})
}

func (s *server) closeListeners() {
	for _, ln := range []net.Listener{s.httpLn, s.plainLn} {
		if ln != nil {
			ln.Close()
		}
	}
	for _, m := range s.mail {
		m.ln.Close()
	}
}

// run serves until ctx ends, then lets open connections finish.
func (s *server) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	web := s.serveHTTP(ctx, cancel)
	for _, m := range s.mail {
		go func() {
			if err := m.server.Serve(m.ln); err != nil {
				cancel(err)
			}
		}()
	}
	go s.app.caretaker(ctx)
	go s.app.directories(ctx)
	fetched := make(chan struct{})
	go func() {
		defer close(fetched)
		if err := s.fetcher.Run(ctx); err != nil {
			cancel(err)
		}
	}()
	posted := background(func() { s.outbox.Run(ctx) })
	received := background(func() { s.receipts.Run(ctx) })
	told := background(func() { s.hooks.Run(ctx) })
	sealed := background(func() { s.sealer.Run(ctx) })
	filed := s.files.run(ctx, cancel)
	<-ctx.Done()
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer done()
	for _, m := range s.mail {
		if err := m.server.Shutdown(stop); err != nil {
			s.app.log.Warn("mail connections were cut", "error", err)
		}
	}
	if err := web(stop); err != nil {
		s.app.log.Warn("web connections were cut", "error", err)
	}
	s.await(stop, fetched, "fetching from remote mailboxes was cut")
	s.await(stop, filed, "archiving of folders and uploads was cut")
	s.await(stop, received, "making receipts was cut; they are made at the next start")
	s.await(stop, sealed, "sealing was cut; it goes on at the next start")
	s.await(stop, told, "telling webhooks was cut; they are told again")
	s.await(stop, posted, "sending mail was cut; it is sent again")
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// background runs work and returns what is closed when it has ended.
func background(work func()) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		work()
	}()
	return ended
}

// await waits for work in the background to end, but not beyond stop.
func (s *server) await(stop context.Context, ended <-chan struct{}, otherwise string) {
	select {
	case <-ended:
	case <-stop.Done():
		s.app.log.Warn(otherwise)
	}
}

// caretaker merges small segments now and then, and forgets ended sessions. At once it
// goes on with deletions that a crash has interrupted, for what was deleted must not be
// found in the files; and it counts what the dashboards show: after an update, that may
// be all.
func (a *app) caretaker(ctx context.Context) {
	for _, first := range []struct {
		what string
		do   func(context.Context) error
	}{{"deletions of customers that were interrupted", a.archive.FinishDeletions}, {"deletions of messages that were interrupted", a.archive.FinishErasures}, {"count growth", a.archive.CountGrowth}} {
		if err := first.do(ctx); err != nil && ctx.Err() == nil {
			a.log.Error(first.what, "error", err)
		}
	}
	t := time.NewTicker(compactEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := a.archive.Tidy(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("housekeeping", "error", err)
		}
	}
}
