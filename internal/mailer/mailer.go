// Package mailer builds mail of the archive and hands it to a smarthost. It keeps
// nothing and repeats nothing: package outbox does. What it is told to send it
// sends to the letter: no address is rewritten, neither in the envelope nor in the
// message.
//
//	compose.go   a letter becomes a message      send.go    the dialogue with the server
//	connect.go   connection, TLS, log-in         problem.go what went wrong, in plain words
//	test.go      a test mail
//
// Standards: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 1870 (SIZE),
// RFC 8314 (TLS from the first byte).
package mailer

import (
	"context"
	"net"
	"time"

	"github.com/muniment/muniment/internal/remote"
)

// Limits of a dialogue.
const (
	// maxAnswers bounds what a server may say in one connection, in bytes,
	// certificates included.
	maxAnswers = 128 << 10
	// MaxRecipients bounds the recipients of one mail (RFC 5321 §4.5.3.1.8 asks
	// servers for 100 at least).
	MaxRecipients = 100
	// MaxMessage bounds a mail, in bytes.
	MaxMessage = 10 << 20
)

// SendTime bounds a whole dialogue. RFC 5321 §4.5.3.2 allows a server more, but
// one that takes as long is asked again later.
const SendTime = 10 * time.Minute

// timings of a dialogue.
type timings struct {
	connect time.Duration // to look up the name and to connect
	command time.Duration // for the answer to a command
	message time.Duration // to send the message and to get the answer
	bye     time.Duration // for the answer to QUIT, which nothing depends on
}

// Sender hands messages to a server. Its methods may be called concurrently.
type Sender struct {
	hello   string
	timings timings
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// New makes a sender that calls itself hello, the name of this machine (RFC 5321
// §4.1.1.1).
func New(hello string) *Sender {
	return &Sender{hello: helloName(hello), dial: new(net.Dialer).DialContext, timings: timings{connect: 30 * time.Second, command: 2 * time.Minute, message: 5 * time.Minute, bye: 5 * time.Second}}
}

// helloName is the name with which the sender greets: one that servers take.
func helloName(host string) string {
	if host == "" || len(host) > 253 {
		return "localhost"
	}
	for _, r := range host {
		if r != '-' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return "localhost"
		}
	}
	return host
}

// Envelope is who sends and who gets a message.
type Envelope struct {
	From string
	To   []string // 1 to MaxRecipients
}

// Outcome is what became of a message for a recipient.
type Outcome int

// Outcomes.
const (
	Later   Outcome = iota // not taken now; it may be taken another time
	Taken                  // the server has it, and answers for it
	Refused                // the server will never take it
)

// Answer is what became of a message for one recipient.
type Answer struct {
	Address string
	Outcome Outcome
	Text    string // what the server said
}

// Result is how a dialogue ended.
type Result struct {
	Answers []Answer // for every recipient, in the order of the envelope
	// Problem says what went wrong; nil if the server has taken the message for
	// all recipients.
	Problem *remote.Problem
	// Reached tells that the server was ready to take mail: a problem is that of
	// this message, and the next one may fare better.
	Reached     bool
	Steps       []remote.Step // what was done, in order
	Certificate string        // SHA-256 of the server's, hexadecimal; empty: it showed none
}

// Send hands message to the server of the settings. It never returns the secret in
// any text. When a connection breaks after the message and before the answer, the
// server may have it all the same: Later then means that it may come twice.
func (s *Sender) Send(ctx context.Context, set remote.Smarthost, secret []byte, env Envelope, message []byte) Result {
	ctx, cancel := context.WithTimeout(ctx, SendTime)
	defer cancel()
	d := s.begin(set, secret, env.To)
	if err := CheckMessage(env, message); err != nil {
		d.fail("settings", &coded{remote.CodeInternal, err})
		return d.out
	}
	if d.connect(ctx) {
		d.deliver(env, message)
		d.close()
	}
	return d.out
}
