package mailer

import (
	"crypto/tls"
	"errors"
	"net/textproto"
	"strings"

	"github.com/muniment/muniment/internal/remote"
)

// coded is an error whose code is known where it happens.
type coded struct {
	code string
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

var (
	errNoTLS   = errors.New("the server does not offer STARTTLS")
	errNoAuth  = errors.New("the server offers no log-in that is known here")
	errTooMuch = errors.New("the server talks without end")
)

// code returns the remote.Code of an error.
func code(err error) string {
	var known *coded
	var answer *textproto.Error
	var broken textproto.ProtocolError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &known):
		return known.code
	case remote.IsCertificate(err):
		return remote.CodeCertificate
	case errors.As(err, &answer):
		return remote.CodeUnavailable
	case errors.As(err, &broken), errors.Is(err, errTooMuch):
		return remote.CodeProtocol
	case errors.As(err, &record):
		return remote.CodeTLS
	}
	if c := remote.NetworkCode(err); c != "" {
		return c
	}
	return remote.CodeProtocol
}

// texts say what a code means, to people.
var texts = map[string]string{ //nolint:gochecknoglobals // never changed
	remote.CodeDNS:         "There is no server of this name, or its address cannot be looked up. Is the name spelt right?",
	remote.CodeConnect:     "The server does not answer at this port, or the connection broke. Are server and port right, and does a firewall let this machine through?",
	remote.CodeTimeout:     "The server takes too long to answer. Are server and port right, and does a firewall let this machine through?",
	remote.CodeCertificate: "The server's certificate is not trusted: it is for another name, has expired, is from an unknown authority or is not the pinned one.",
	remote.CodeTLS:         "No encrypted connection comes about, and nothing is sent without. Does the server offer TLS at this port, from the start or by STARTTLS?",
	remote.CodeAuth:        "The server does not accept the user name with this password, or wants a log-in where none is set.",
	remote.CodeProtocol:    "What answers does not behave like a mail server.",
	remote.CodeUnavailable: "The server does not take the mail at present; it will be tried again. Servers that do not know a sender often do so the first time.",
	remote.CodeSender:      "The server does not take mail from the sender's address. Is it an address that this server may send for?",
	remote.CodeRecipient:   "The server does not take mail for a recipient. Is the address spelt right, and may this machine send to it?",
	remote.CodeSize:        "The mail is larger than the server takes.",
	remote.CodeContent:     "The server does not take the mail for what is in it.",
	remote.CodeInternal:    "This should not happen; the details say more.",
}

// Text says what a code means, in English, to people.
func Text(code string) string { return texts[code] }

// permanent is the answer that will not change: 5yz (RFC 5321 §4.2.1).
func permanent(err error) (*textproto.Error, bool) {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return nil, false
	}
	return answer, answer.Code >= 500 && answer.Code < 600
}

// tooLarge reports whether an answer is about the size (RFC 1870 §6, RFC 3463 §3.4).
func tooLarge(e *textproto.Error) bool {
	return e.Code == 552 || strings.HasPrefix(e.Msg, "5.3.4") || strings.HasPrefix(e.Msg, "5.2.3")
}

// wantsLogIn reports whether an answer asks for a log-in (RFC 4954 §6).
func wantsLogIn(e *textproto.Error) bool {
	return e.Code == 530 || e.Code == 534 || e.Code == 535 || e.Code == 538
}
