package webhook

import (
	"crypto/tls"
	"errors"
	"net/url"
	"strings"

	"github.com/muniment/muniment/internal/remote"
)

// Codes of problems besides those of package remote.
const (
	CodeRedirect = "redirect" // the receiver sends elsewhere, which is not followed
	CodeRefused  = "refused"  // the receiver does not take it
	CodeGone     = "gone"     // the receiver wants nothing any more
	CodeBacklog  = "backlog"  // too much waits already
	CodeOff      = "off"      // the webhook was switched off meanwhile
)

// coded is an error whose code is known where it happens.
type coded struct {
	code string
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// detail is what an error tells beside its code. Of what was forbidden it does not tell
// where a name leads to: that may be known inside only.
func detail(err error) string {
	var known *coded
	var sent *url.Error
	switch {
	case errors.As(err, &known):
		return known.Error()
	case errors.As(err, &sent): // without the address, which everybody knows
		return remote.Reason(sent.Err)
	}
	return remote.Reason(err)
}

func code(err error) string {
	var known *coded
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &known):
		return known.code
	case remote.IsCertificate(err):
		return remote.CodeCertificate
	case errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return remote.CodeTLS
	}
	if c := remote.NetworkCode(err); c != "" {
		return c
	}
	return remote.CodeProtocol
}

// Text says what a code means, in English, to people.
func Text(code string) string {
	return map[string]string{
		remote.CodeDNS:         "There is no server of this name, or its address cannot be looked up. Is the name spelt right?",
		remote.CodeConnect:     "Nobody answers at this address, or the connection broke. Does the program run, and does a firewall let this machine through?",
		remote.CodeTimeout:     "The receiver takes too long to answer. It should answer at once and do its work afterwards.",
		remote.CodeForbidden:   "The address leads to this machine, into a private network or to a service of the cloud, where nothing may be sent. The operator can allow networks by webhook.networks.",
		remote.CodeCertificate: "The certificate of the receiver is not trusted: it is for another name, has expired or is from an unknown authority.",
		remote.CodeTLS:         "No encrypted connection comes about. Does the receiver speak TLS at this port?",
		remote.CodeProtocol:    "What answers is no HTTP server, or one that is broken.",
		remote.CodeUnavailable: "The receiver is there and cannot take it at present; it will be tried again.",
		remote.CodeInternal:    "This should not happen; the details say more.",
		CodeRedirect:           "The receiver sends to another address. That is not followed: enter the right address.",
		CodeRefused:            "The receiver answers that it does not take this. Are address and path right, and does it check the signature with the right secret?",
		CodeGone:               "The receiver answers that it wants nothing any more (410). The webhook was switched off.",
		CodeBacklog:            "So much waits for this receiver already that this was not queued. Send it again when it is there.",
		CodeOff:                "The webhook was switched off before this could be delivered.",
	}[code]
}

// problem makes a Problem of a code.
func problem(code, detail string) *remote.Problem {
	return &remote.Problem{Code: code, Text: Text(code), Detail: detail}
}

// NewProblem makes a Problem that did not come from sending.
func NewProblem(code string) *remote.Problem { return problem(code, "") }
