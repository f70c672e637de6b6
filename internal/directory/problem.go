package directory

import (
	"errors"
	"strings"
	"unicode"

	"github.com/muniment/muniment/internal/remote"
)

// Problem is why a directory cannot be used, in plain words.
type Problem struct {
	Code   string `json:"code"`   // one of the Code constants
	Text   string `json:"text"`   // English, for people; the web interface has its own by Code
	Detail string `json:"detail"` // what the server or the system said
}

// Codes of problems, besides those of package remote: dns, connect, forbidden,
// timeout, certificate, tls, auth, protocol, unavailable, internal. For each the web
// interface has a sentence and a cure.
const (
	CodeBase     = "base-dn"   // there is nothing at the base DN
	CodeEmpty    = "empty"     // nobody was found
	CodeFilter   = "filter"    // the filter or an attribute is wrong
	CodeGroup    = "group"     // a group of the settings is not there
	CodeTooLarge = "too-large" // more than is read
	CodeDenied   = "denied"    // the reading user may not read
	CodeGuard    = "guard"     // too many users would be disabled: somebody has to look
	CodePlan     = "plan"      // something else has changed since somebody looked

	CodeIssuer   = "issuer"   // the provider calls itself otherwise
	CodeProvider = "provider" // the provider refuses
	CodeState    = "state"    // the answer does not belong to this browser, or is too late
	CodeToken    = "id-token" // the identity token is not valid
	CodeAudience = "audience" // it is for somebody else
	CodeNonce    = "nonce"    // it belongs to another log-in
	CodeExpired  = "expired"  // its time is over, or has not come
	CodeHosted   = "hosted"   // the account is of another organisation
	CodeNoEmail  = "no-email" // no verified e-mail address came
	CodeUnknown  = "unknown"  // nobody here belongs to the account
	CodeDisabled = "disabled" // the user may not log in
	CodeOverage  = "overage"  // Entra ID left the groups out, as there are too many
	CodeSecret   = "secret"   // the client secret is wrong or has expired
)

// texts say what a code means, to people.
var texts = map[string]string{ //nolint:gochecknoglobals // never changed
	remote.CodeDNS:         "There is no server of this name, or its address cannot be looked up. Is the name spelt right?",
	remote.CodeConnect:     "The server does not answer at this port, or the connection broke. Are server and port right, and does a firewall let this machine through?",
	remote.CodeForbidden:   "The name leads to an address that the archive does not connect to.",
	remote.CodeTimeout:     "The server takes too long to answer. Are server and port right, and does a firewall let this machine through?",
	remote.CodeCertificate: "The server's certificate is not trusted: it is for another name, has expired, is from an unknown authority or is not the pinned one. Add the authority's certificate, or pin this one if you have compared it.",
	remote.CodeTLS:         "No encrypted connection comes about, and no password is sent without. Does the server offer TLS at this port, from the start or by StartTLS?",
	remote.CodeAuth:        "The server does not accept the user that reads, or its password. Is the full DN given, or name@domain for Active Directory?",
	remote.CodeProtocol:    "What answers does not behave as it should.",
	remote.CodeUnavailable: "The server cannot answer at present.",
	remote.CodeInternal:    "This should not happen; the details say more.",
	CodeBase:               "There is nothing at the base DN, or the reading user may not see it. Is it spelt right?",
	CodeEmpty:              "The server answers, but no users were found below the base DN. Does the filter fit, and may the reading user see them?",
	CodeFilter:             "The server does not understand the filter or an attribute.",
	CodeGroup:              "A group that the settings name is not there.",
	CodeTooLarge:           "The server sends more than is read. Narrow the base DN or the filter, or raise the server's limit.",
	CodeDenied:             "The reading user may not read what is needed.",
	CodeGuard:              "So many users would be disabled that somebody has to look first. Nothing was changed; the preview shows whom.",
	CodePlan:               "The directory or the users have changed since the preview. Look again.",
	CodeIssuer:             "The provider calls itself by another name than the settings do. The issuer must be the same to the letter.",
	CodeProvider:           "The provider has refused the log-in.",
	CodeState:              "The log-in took too long, or was begun in another browser. Please begin again.",
	CodeToken:              "What the provider sent about the account is not valid.",
	CodeAudience:           "What the provider sent is meant for another application. Is the client ID right?",
	CodeNonce:              "What the provider sent belongs to another log-in. Please begin again.",
	CodeExpired:            "What the provider sent is not valid at this time. Do the clocks of both servers agree?",
	CodeHosted:             "The account is not of the organisation that may log in here.",
	CodeNoEmail:            "The provider names no verified e-mail address, so that nobody can be found by it.",
	CodeUnknown:            "Nobody in this archive belongs to the account. The administrator has to create the user or allow it.",
	CodeDisabled:           "The user may not log in.",
	CodeOverage:            "The account is in so many groups that Entra ID leaves them all out. Have the application send only the groups that are assigned to it.",
	CodeSecret:             "The provider does not accept the client ID with this secret. Has the secret expired?",
}

// Text says what a code means, in English, to people.
func Text(code string) string { return texts[code] }

// Error is an error with its code.
type Error struct {
	Code string
	Err  error
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Fail returns an error with a code.
func Fail(code string, err error) error { return &Error{code, err} }

// Code returns the code of an error.
func Code(err error) string {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known.Code
	case remote.IsCertificate(err):
		return remote.CodeCertificate
	}
	if c := remote.NetworkCode(err); c != "" {
		return c
	}
	return remote.CodeProtocol
}

// ErrPassword is returned (wrapped) when a directory was asked and says that the
// password is wrong, or that it does not let the user in.
var ErrPassword = errors.New("the directory does not accept the password")

// Down reports whether an error says that the directory cannot be asked at present,
// and nothing about who asks.
func Down(err error) bool { return err != nil && !errors.Is(err, ErrPassword) }

// Explain makes the problem of an error; what is secret is taken out.
func Explain(err error, user string, secret []byte) *Problem {
	c := Code(err)
	return &Problem{Code: c, Text: texts[c], Detail: Clean(remote.Reason(err), user, secret)}
}

// Clean makes a server's words fit to be shown: one line, bounded, without the secret.
func Clean(text, user string, secret []byte) string {
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return remote.Redact(text, user, secret)
}
