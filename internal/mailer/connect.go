package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail/smtp"

	"github.com/muniment/muniment/internal/remote"
)

// dialogue is one connection.
type dialogue struct {
	s      *Sender
	set    remote.Smarthost
	secret []byte
	out    Result

	conn   *bounded // without TLS: for deadlines
	client *smtp.Client
	hush   func() bool // ends the watch over the context
}

func (s *Sender) begin(set remote.Smarthost, secret []byte, to []string) *dialogue {
	d := &dialogue{s: s, set: set, secret: secret}
	d.out.Steps = []remote.Step{}
	for _, a := range to {
		d.out.Answers = append(d.out.Answers, Answer{Address: a})
	}
	return d
}

func (d *dialogue) ok(what, text string) {
	d.out.Steps = append(d.out.Steps, remote.Step{What: what, OK: true, Text: d.clean(text)})
}

// fail ends the dialogue: what is not settled yet may be tried later.
func (d *dialogue) fail(what string, err error) {
	// A line that a timeout cut looks like a broken one.
	if d.conn != nil && d.conn.err != nil && code(err) == remote.CodeProtocol {
		err = fmt.Errorf("%w (%w)", &coded{code(d.conn.err), d.conn.err}, err)
	}
	c := code(err)
	p := &remote.Problem{Code: c, Text: texts[c], Detail: d.clean(remote.Reason(err))}
	d.out.Steps = append(d.out.Steps, remote.Step{What: what, Text: p.Detail})
	d.out.Problem = p
	for i := range d.out.Answers {
		if a := &d.out.Answers[i]; a.Outcome == Later && a.Text == "" {
			a.Text = p.Detail
		}
	}
}

func (d *dialogue) clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return remote.Redact(text, d.set.User, d.secret)
}

// within bounds what follows.
func (d *dialogue) within(t time.Duration) {
	_ = d.conn.SetDeadline(time.Now().Add(t)) // fails only if it is closed, which the next step tells
}

// connect goes as far as the log-in and reports whether the server is ready.
func (d *dialogue) connect(ctx context.Context) bool {
	for _, step := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{{"resolve", d.resolve}, {"connect", d.dial}, {"greeting", d.greet}, {"tls", d.encrypt}, {"login", d.logIn}} {
		text, err := step.do(ctx)
		if err != nil {
			if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
				err = fmt.Errorf("%w (%w)", context.DeadlineExceeded, err)
			}
			if remote.IsCertificate(err) {
				step.name = "certificate"
			}
			d.fail(step.name, err)
			d.close()
			return false
		}
		if text != "" {
			d.ok(step.name, text)
		}
	}
	d.out.Reached = true
	return true
}

func (d *dialogue) resolve(ctx context.Context) (string, error) {
	if net.ParseIP(d.set.Host) != nil {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.s.timings.connect)
	defer cancel()
	list, err := net.DefaultResolver.LookupHost(ctx, d.set.Host)
	return strings.Join(list, " "), err
}

func (d *dialogue) dial(ctx context.Context) (string, error) {
	addr := net.JoinHostPort(d.set.Host, strconv.Itoa(d.set.UsualPort()))
	limited, cancel := context.WithTimeout(ctx, d.s.timings.connect)
	defer cancel()
	conn, err := d.s.dial(limited, "tcp", addr)
	if err != nil {
		return "", err
	}
	d.conn = &bounded{Conn: conn, left: maxAnswers}
	d.hush = context.AfterFunc(ctx, func() { conn.Close() })
	return conn.RemoteAddr().String(), nil
}

// bounded is a connection that reads so much and no more.
type bounded struct {
	net.Conn
	left int
	err  error // with which reading ended
	lost error // with which writing ended
}

func (b *bounded) Write(p []byte) (int, error) {
	n, err := b.Conn.Write(p)
	if err != nil {
		b.lost = err
	}
	return n, err
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.err = errTooMuch
		return 0, b.err
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	if err != nil {
		b.err = err
	}
	return n, err
}

// greet encrypts first if the settings say so, reads the greeting and says hello.
func (d *dialogue) greet(ctx context.Context) (string, error) {
	d.within(d.s.timings.command)
	var conn net.Conn = d.conn
	if d.set.TLS == remote.Implicit {
		secure := tls.Client(conn, d.trust())
		if err := secure.HandshakeContext(ctx); err != nil {
			return "", tlsError(err)
		}
		conn = secure
	}
	client, err := smtp.NewClient(conn, d.set.Host)
	if err != nil {
		return "", err
	}
	client.SkipSMTPUTF8(true)
	d.client = client
	d.within(d.s.timings.command)
	if err := client.Hello(d.s.hello); err != nil {
		return "", err
	}
	return client.HelloResponse(), nil
}

func (d *dialogue) trust() *tls.Config {
	return remote.Trust{Host: d.set.Host, CA: d.set.CA, Pin: d.set.Pin}.Config(func(sum string) { d.out.Certificate = sum })
}

// tlsError is what went wrong when the encryption should have begun.
func tlsError(err error) error {
	var answer *textproto.Error
	if c := code(err); c == remote.CodeCertificate || c == remote.CodeTimeout || errors.As(err, &answer) && answer.Code == 421 {
		return err
	}
	return &coded{remote.CodeTLS, err}
}

// encrypt begins TLS by STARTTLS. There is no going on without (RFC 3207 §4.1).
func (d *dialogue) encrypt(context.Context) (string, error) {
	if d.set.TLS == remote.NoTLS {
		return "none: everybody on the way can read the password and the mail", nil
	}
	if d.set.TLS == remote.StartTLS {
		if has, _ := d.client.Extension("STARTTLS"); !has {
			return "", &coded{remote.CodeTLS, errNoTLS}
		}
		d.within(d.s.timings.command)
		if err := d.client.StartTLS(d.trust()); err != nil {
			return "", tlsError(err)
		}
	}
	state, ok := d.client.TLSConnectionState()
	if !ok {
		return "", &coded{remote.CodeTLS, errNoTLS}
	}
	return fmt.Sprintf("%s, %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite)), nil
}

// logIn logs in if a user is set. Over TLS the plainest way is the one that works
// everywhere; without, ways that do not show the password come first.
func (d *dialogue) logIn(context.Context) (string, error) {
	if d.set.User == "" {
		return "", nil
	}
	_, offered := d.client.Extension("AUTH")
	list := strings.Fields(strings.ToUpper(offered))
	order := []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"}
	if d.set.TLS == remote.NoTLS {
		order = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	i := slices.IndexFunc(order, func(m string) bool { return slices.Contains(list, m) })
	if i < 0 {
		return "", &coded{remote.CodeAuth, errNoAuth}
	}
	d.within(d.s.timings.command)
	err := d.client.Auth(d.mechanism(order[i]))
	if _, refused := permanent(err); refused {
		return "", &coded{remote.CodeAuth, err}
	}
	return order[i], err
}

func (d *dialogue) mechanism(name string) smtp.Auth {
	user, password := d.set.User, string(d.secret)
	switch name {
	case "PLAIN":
		return smtp.PlainAuth("", user, password, d.set.Host, d.set.TLS == remote.NoTLS)
	case "LOGIN":
		return smtp.LoginAuth(user, password, d.set.Host, d.set.TLS == remote.NoTLS)
	case "SCRAM-SHA-256":
		return &patient{smtp.ScramSHA256Auth(user, password)}
	case "SCRAM-SHA-1":
		return &patient{smtp.ScramSHA1Auth(user, password)}
	}
	return smtp.CRAMMD5Auth(user, password)
}

// close says good-bye, if there is anybody to say it to, and ends the connection.
func (d *dialogue) close() {
	if d.conn == nil {
		return
	}
	if d.client != nil && d.out.Reached {
		d.within(d.s.timings.bye)
		_ = d.client.Quit() // nothing depends on it
	}
	d.hush()
	_ = d.conn.Close() // closed already after QUIT
}
