package mailbox

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/ingest/pop3"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/spool"
)

// coded is an error whose code is known where it happens.
type coded struct {
	code string
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// ours marks an error of the archive, the spool or the catalog.
func ours(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &coded{remote.CodeArchive, err}
}

// code returns the remote.Code of an error.
func code(err error) string {
	var known *coded
	var token *oauth.Error
	switch {
	case errors.As(err, &known):
		return known.code
	case errors.As(err, &token):
		return token.Code
	case notConnected(err):
		return remote.CodeNotAssigned
	case errors.Is(err, errNoToken):
		return remote.CodeToken
	case errors.Is(err, errNoPassword), errors.Is(err, imap.ErrAuth), errors.Is(err, pop3.ErrAuth):
		return remote.CodeAuth
	case errors.Is(err, archive.ErrBusy), errors.Is(err, spool.ErrFull):
		return remote.CodeArchive
	case remote.IsCertificate(err):
		return remote.CodeCertificate
	case errors.Is(err, imap.ErrTLS), errors.Is(err, pop3.ErrTLS):
		return remote.CodeTLS
	case errors.Is(err, imap.ErrTooLarge), errors.Is(err, pop3.ErrTooLarge):
		return remote.CodeUnreadable
	case errors.Is(err, imap.ErrNotDeleted), errors.Is(err, pop3.ErrUnconfirmed):
		return remote.CodeNotDeleted
	case errors.Is(err, imap.ErrProtocol), errors.Is(err, pop3.ErrProtocol), errors.Is(err, pop3.ErrUnsupported), errors.Is(err, imap.ErrUIDValidity):
		return remote.CodeProtocol
	}
	return networkCode(err)
}

// notConnected reports whether Exchange Online has taken a token and found no mailbox
// that it opens: such an answer comes to a later command.
func notConnected(err error) bool {
	return said(err) && strings.Contains(err.Error(), "authenticated but not connected")
}

// networkCode is code for what is neither a refusal nor broken.
func networkCode(err error) string {
	if said(err) {
		return remote.CodeUnavailable
	}
	if c := remote.NetworkCode(err); c != "" {
		return c
	}
	switch {
	case errors.Is(err, imap.ErrClosed), errors.Is(err, pop3.ErrClosed):
		return remote.CodeConnect
	case errors.Is(err, imap.ErrTemporary), errors.Is(err, pop3.ErrTemporary), errors.Is(err, imap.ErrRefused), errors.Is(err, pop3.ErrPermanent):
		return remote.CodeUnavailable
	}
	return remote.CodeInternal
}

// said reports whether err is what a server has answered.
func said(err error) bool {
	var i *imap.Error
	var p *pop3.Error
	return errors.As(err, &i) && (i.Code != "" || strings.Contains(i.Text, "the server says:")) ||
		errors.As(err, &p) && (p.Code != "" || p.Answer != "")
}

// texts say what a code means, to people.
var texts = map[string]string{ //nolint:gochecknoglobals // never changed
	remote.CodeDNS:         "There is no server of this name, or its address cannot be looked up. Is the name spelt right?",
	remote.CodeForbidden:   "The server's name leads to an address at which no mail server may be fetched from here.",
	remote.CodeConnect:     "The server does not answer at this port, or the connection broke. Are server and port right, and does a firewall let this machine through?",
	remote.CodeTimeout:     "The server takes too long to answer. Are server and port right, and does a firewall let this machine through?",
	remote.CodeCertificate: "The server's certificate is not trusted: it is for another name, has expired, is from an unknown authority or is not the pinned one.",
	remote.CodeTLS:         "No encrypted connection comes about. Does the server offer TLS at this port, from the start or by STARTTLS?",
	remote.CodeAuth:        "The server does not accept the user name with this password.",
	remote.CodeProtocol:    "What answers does not behave like an IMAP or POP3 server.",
	remote.CodeFolder:      "A folder does not exist or cannot be opened.",
	remote.CodeUnavailable: "The server refuses at present; it will be tried again.",
	remote.CodeArchive:     "The archive cannot store at present. Everything stays on the server and will be fetched later.",
	remote.CodeUnreadable:  "The server does not hand out some messages. They stay there and will be tried again.",
	remote.CodeInterrupted: "The archive was restarted while it was at work.",
	remote.CodeNotDeleted:  "Messages are archived, but the server does not delete them.",
	remote.CodeInternal:    "This should not happen; the log says more.",
	remote.CodeToken:       "Nobody has logged in to this mailbox yet: there is no access token.",
}

// problem puts err into plain words, without the secret.
func problem(err error, user string, secret []byte) *remote.Problem {
	c := code(err)
	return &remote.Problem{Code: c, Text: cmp.Or(texts[c], remote.LogInText(c)), Detail: remote.Redact(remote.Reason(err), user, secret)}
}
