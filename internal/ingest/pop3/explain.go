package pop3

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// explain makes an *Error of what the operating system, TLS or a reader says.
func explain(err error, security Security) error {
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	if e := explainTLS(err); e != nil {
		return e
	}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return &Error{Class: ErrPermanent, Text: "there is no host of this name; is it spelt right?", Err: err}
	case errors.As(err, &dns):
		return &Error{Class: ErrTemporary, Text: "the address of the host cannot be looked up now", Err: err}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Class: ErrTemporary, Text: "nobody answers at this port: the mail server is down, or the port is wrong", Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Class: ErrTemporary, Text: "the mail server takes too long to answer", Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Class: ErrTemporary, Text: "the mail server has ended the connection", Err: err}
	}
	var op *net.OpError
	if errors.As(err, &op) || errors.Is(err, net.ErrClosed) {
		return &Error{Class: ErrTemporary, Text: "the connection to the mail server was lost", Err: err}
	}
	if security != Unprotected {
		return &Error{Class: ErrTLS, Text: "the mail server and this machine do not agree on how to encrypt", Err: err}
	}
	return &Error{Class: ErrTemporary, Text: "the connection to the mail server failed", Err: err}
}

// hint says what else may be the cause where a handshake or a greeting fails.
func hint(security Security) string {
	if security == Unprotected {
		return "; does this port need encryption?"
	}
	return ""
}

// explainTLS returns nil if err does not come from TLS.
func explainTLS(err error) *Error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert *net.OpError
	text := ""
	switch {
	case errors.As(err, &name):
		text = "the certificate of the mail server is for another host name"
	case errors.As(err, &unknown):
		text = "the certificate of the mail server is from nobody this machine trusts"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		text = "the certificate of the mail server has expired or is not valid yet; is the clock of this machine right?"
	case errors.As(err, &invalid), errors.As(err, &verify):
		text = "the certificate of the mail server is not valid"
	case errors.As(err, &record):
		text = "the mail server does not encrypt at this port; is the port right, or must encryption begin later (STARTTLS)?"
	case errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error"):
		text = "the mail server and this machine do not agree on how to encrypt"
	default:
		return nil
	}
	return &Error{Class: ErrTLS, Text: text, Err: err}
}
