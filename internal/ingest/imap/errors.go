package imap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"unicode"

	goimap "github.com/emersion/go-imap/v2"
)

// The kinds of errors. Every error of the package matches at least one.
var (
	ErrAuth        = errors.New("log-in refused")                      // other credentials are needed
	ErrTLS         = errors.New("no protected connection")             // certificate, handshake, STARTTLS
	ErrProtocol    = errors.New("server does not speak proper IMAP")   // ends the connection
	ErrTemporary   = errors.New("try again later")                     // network, throttling, server trouble
	ErrRefused     = errors.New("server refuses")                      // NO or BAD that time will not cure
	ErrTooLarge    = errors.New("message is larger than the limit")    // of Fetch or Batch
	ErrGone        = errors.New("message is no longer in the mailbox") // expunged by somebody
	ErrNoBody      = errors.New("server does not give the message")    // NIL, nothing or a part instead of its bytes
	ErrUIDValidity = errors.New("UIDVALIDITY has changed")             // known UIDs mean nothing now (RFC 9051 §2.3.1.1)
	ErrNotDeleted  = errors.New("messages are still in the mailbox")   // after Delete
	ErrClosed      = errors.New("connection is closed")                // dial again
)

// Error is an error of a mailbox.
type Error struct {
	Op    string // what was tried: "log in", "fetch message 7"
	Kind  error  // one of the sentinels
	Code  string // response code of the server in upper case, without brackets; often empty
	Text  string // in plain words, with those of the server; may be empty
	Cause error  // may be nil
}

// Error implements error.
func (e *Error) Error() string {
	s := "imap: " + e.Op + ": " + e.Kind.Error()
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Code != "" {
		s += " [" + e.Code + "]"
	}
	return s
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// maxText bounds what is quoted of a server's words.
const maxText = 300

// quote returns a server's words fit for an error: on one line, printable,
// and not long.
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\uFFFD' {
			return '?'
		}
		return r
	}, strings.TrimSpace(strings.ToValidUTF8(s, "?")))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// refused turns a NO or BAD into an error; fallback is the kind for which code
// and words say nothing better.
func refused(op string, e *goimap.Error, fallback error) *Error {
	code := strings.ToUpper(string(e.Code))
	return &Error{Op: op, Kind: kindOf(code, e.Text, fallback), Code: code, Text: said(e.Text), Cause: e}
}

// said introduces the words of the server.
func said(text string) string {
	if text = quote(text); text == "" {
		return "the server gives no reason"
	}
	return "the server says: " + text
}

// kindOf judges a refusal by its response code (RFC 5530, RFC 9051 §7.1), and
// by its words where servers have no code for what they mean.
func kindOf(code, text string, fallback error) error {
	switch code {
	case "UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "THROTTLED", "OVERQUOTA":
		return ErrTemporary
	case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED":
		return ErrAuth
	case "PRIVACYREQUIRED":
		return ErrTLS
	case "EXPUNGEISSUED":
		return ErrGone
	}
	text = strings.ToLower(text)
	for _, word := range []string{"throttl", "too many", "try again", "temporar", "rate limit", "overload", "overquota", "bandwidth"} {
		if strings.Contains(text, word) {
			return ErrTemporary
		}
	}
	return fallback
}

// tlsError says in plain words why there is no protected connection.
func tlsError(err error, host string) *Error {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
		text    string
	)
	switch {
	case errors.As(err, &unknown):
		text = "the certificate of " + host + " is not signed by an authority this system trusts"
	case errors.As(err, &name):
		text = "the certificate is not for " + host
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		text = "the certificate of " + host + " has expired or is not yet valid"
	case errors.As(err, &record):
		text = "the server does not speak TLS on this port"
	default:
		text = quote(err.Error())
	}
	return &Error{Op: "start TLS", Kind: ErrTLS, Text: text, Cause: err}
}

// cancelled is the error for a context that ended.
func cancelled(op string, ctx context.Context) *Error {
	return &Error{Op: op, Kind: ErrTemporary, Text: "stopped", Cause: context.Cause(ctx)}
}

func protocolError(op, format string, args ...any) *Error {
	return &Error{Op: op, Kind: ErrProtocol, Text: quote(fmt.Sprintf(format, args...))}
}
