package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/config"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/ingest/mailbox"
	"github.com/muniment/muniment/internal/ingest/smtp"
	"github.com/muniment/muniment/internal/outbox"
	"github.com/muniment/muniment/internal/sealing"
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
	mail       []mailDoor
	fetcher    *mailbox.Fetcher
	outbox     *outbox.Outbox
	sealer     *sealing.Sealer
	files      *fileDoors
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
	if srv.sealer, err = a.newSealer(); err != nil {
		return nil, err
	}
	if srv.files, err = a.newFileDoors(); err != nil {
		return nil, err
	}
	if srv.http, err = a.newHTTP(demo, srv); err != nil {
		return nil, err
	}
	if c.HTTP.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(c.HTTP.TLSCert, c.HTTP.TLSKey); err != nil {
			return nil, usage(fmt.Errorf("http.tls_cert, http.tls_key: %w", err))
		}
	}
	if srv.httpLn, err = net.Listen("tcp", c.HTTP.Listen); err != nil {
		return nil, usage(fmt.Errorf("http.listen: %w", err))
	}
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
	return httpd.New(httpd.Config{Archive: a.archive, UI: ui, Log: a.log, Version: version(), TrustedProxies: proxies, MetricsNetworks: metrics,
		TLS: c.TLSCert != "", Demo: demo, Ready: a.catalog.Ping, Fetcher: srv.fetcher, Histories: srv.fetcher, Mailer: srv.outbox, Sealer: srv.sealer, Uploads: srv.files.uploads,
		AllowPrivate: a.config.Fetch.PrivateNetworks, LogIns: a.newOAuth()})
}

func (s *server) url() string {
	scheme := "http"
	if s.app.config.HTTP.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + s.httpLn.Addr().String() + "/"
}

func (s *server) closeListeners() {
	if s.httpLn != nil {
		s.httpLn.Close()
	}
	for _, m := range s.mail {
		m.ln.Close()
	}
}

// run serves until ctx ends, then lets open connections finish.
func (s *server) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := s.app.config.HTTP
	web := s.http.HTTP()
	go func() {
		var err error
		if c.TLSCert != "" {
			err = web.ServeTLS(s.httpLn, c.TLSCert, c.TLSKey)
		} else {
			err = web.Serve(s.httpLn)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			cancel(err)
		}
	}()
	for _, m := range s.mail {
		go func() {
			if err := m.server.Serve(m.ln); err != nil {
				cancel(err)
			}
		}()
	}
	go s.app.caretaker(ctx)
	fetched := make(chan struct{})
	go func() {
		defer close(fetched)
		if err := s.fetcher.Run(ctx); err != nil {
			cancel(err)
		}
	}()
	posted := background(func() { s.outbox.Run(ctx) })
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
	if err := web.Shutdown(stop); err != nil {
		s.app.log.Warn("web connections were cut", "error", err)
	}
	s.await(stop, fetched, "fetching from remote mailboxes was cut")
	s.await(stop, filed, "archiving of folders and uploads was cut")
	s.await(stop, sealed, "sealing was cut; it goes on at the next start")
	s.await(stop, posted, "sending mail was cut; it is sent again")
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// background does work and closes the channel when it has ended.
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

// caretaker merges small segments now and then, and forgets ended sessions.
func (a *app) caretaker(ctx context.Context) {
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
