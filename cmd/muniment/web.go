package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/site"
)

// siteEvery is how often it is looked whether somebody has set another certificate.
const siteEvery = 30 * time.Second

// newCertificates returns the keeper of the certificate, with that of the
// configuration file or that of the catalog in force. One of the catalog that cannot be
// used does not stop the server: how else would it be set right.
func (a *app) newCertificates() (*site.Keeper, error) {
	k := site.NewKeeper(site.Config{Cache: a.archive.CertificateCache(), Also: a.archive.ResellerHost})
	if a.config.HTTP.TLSCert == "" {
		return k, nil
	}
	return k, a.applyFiles(k)
}

// applyFiles puts the certificate of the configuration file into force.
func (a *app) applyFiles(k *site.Keeper) error {
	c := a.config.HTTP
	chain, err := os.ReadFile(c.TLSCert)
	if err != nil {
		return usage(fmt.Errorf("http.tls_cert: %w", err))
	}
	key, err := os.ReadFile(c.TLSKey)
	if err != nil {
		return usage(fmt.Errorf("http.tls_key: %w", err))
	}
	if err := k.Apply(site.Settings{TLS: site.Own, Certificate: string(chain)}, key); err != nil {
		return usage(fmt.Errorf("http.tls_cert, http.tls_key: %w", err))
	}
	return nil
}

// watchFiles takes over a certificate that was renewed in its files.
func (s *server) watchFiles(ctx context.Context) {
	t := time.NewTicker(siteEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.app.applyFiles(s.certs); err != nil {
			s.app.log.Error("the certificate in force stays", "error", err)
		}
	}
}

// newSetupCode returns a code with which the first operator can be made; empty if
// there is one. A demonstration needs none.
func (a *app) newSetupCode(ctx context.Context, demo *httpd.Demo) (string, error) {
	if demo != nil {
		return "", nil
	}
	there, err := a.archive.HasOperator(ctx)
	if there || err != nil {
		return "", err
	}
	b := make([]byte, 10)
	rand.Read(b)
	s := base32.StdEncoding.EncodeToString(b)
	return strings.Join([]string{s[:4], s[4:8], s[8:12], s[12:]}, "-"), nil
}

// tellFirstStart says what to do with an archive that nobody runs yet.
func (s *server) tellFirstStart(ctx context.Context, out io.Writer) {
	if s.setupCode == "" {
		return
	}
	fmt.Fprintf(out, "\nNobody runs this archive yet. Open\n\n    %ssetup#%s\n\n", s.url(), s.setupCode)
	if host, _, err := net.SplitHostPort(s.httpLn.Addr().String()); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
			fmt.Fprint(out, "on this machine (from elsewhere: ssh -L, or set http.listen), ")
		}
	}
	fmt.Fprint(out, "and follow the steps; the code holds until this process ends.\nWithout a browser: muniment operator create, muniment site set, muniment smarthost set, muniment tenant create;\n"+
		"all of it is in docs/first-start.md.\n\n")
}

func port(listen string) string {
	_, p, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	return p
}

// openHTTP listens for the web interface, with and without TLS at one port, and at
// another one without, if that is set.
func (s *server) openHTTP() error {
	c := s.app.config.HTTP
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return usage(fmt.Errorf("http.listen: %w", err))
	}
	s.httpLn = site.NewListener(ln, s.certs.TLSConfig(), s.certs.On)
	if c.PlainListen != "" {
		if s.plainLn, err = net.Listen("tcp", c.PlainListen); err != nil {
			return usage(fmt.Errorf("http.plain_listen: %w", err))
		}
	}
	return nil
}

func (s *server) url() string {
	scheme := "http"
	if s.certs.On() {
		scheme = "https"
	}
	return scheme + "://" + s.httpLn.Addr().String() + "/"
}

// serveHTTP serves the web interface until the function that it returns is called,
// which waits for open connections. It calls fail if it cannot go on.
func (s *server) serveHTTP(ctx context.Context, fail func(error)) (shutdown func(context.Context) error) {
	web := s.http.HTTP()
	web.Handler = s.certs.HTTP(web.Handler)
	for _, ln := range []net.Listener{s.httpLn, s.plainLn} {
		if ln == nil {
			continue
		}
		go func() {
			if err := web.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				fail(err)
			}
		}()
	}
	if s.app.config.HTTP.TLSCert != "" {
		go s.watchFiles(ctx)
	}
	go s.http.WatchSite(ctx, siteEvery)
	return web.Shutdown
}
