package oauth

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/muniment/muniment/internal/remote"
)

// Error is why there is no token.
type Error struct {
	Code       string        // one of remote's
	Detail     string        // what the server or the system said, without secrets
	RetryAfter time.Duration // the server wants to be left alone as long; 0: it did not say
	err        error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Detail == "" {
		return "log-in: " + e.Code
	}
	return "log-in: " + e.Code + ": " + e.Detail
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.err }

// Passing reports whether it may work later without anybody doing anything.
func (e *Error) Passing() bool {
	switch e.Code {
	case remote.CodeThrottled, remote.CodeUnavailable, remote.CodeConnect, remote.CodeTimeout, remote.CodeDNS, remote.CodeAuthority:
		return true
	}
	return false
}

// aadsts finds the number of an error of Microsoft's.
var aadsts = regexp.MustCompile(`AADSTS(\d{1,9})`)

// ofNumber says what the numbers mean (learn.microsoft.com: "Microsoft Entra
// authentication and authorization error codes").
func ofNumber(n string) string {
	switch n {
	case "65001", "90094", "90093", "900941": // no consent; an administrator has to give it
		return remote.CodeConsent
	case "65004", "70018": // the person said no; the code is wrong
		return remote.CodeCodeDeclined
	case "7000215", "7000222", "7000216", "7000212":
		return remote.CodeClientSecret
	case "700016", "700038", "7000218", "7000112", "700025": // unknown, switched off, or of the wrong kind (public, confidential)
		return remote.CodeClient
	case "90002", "900023", "90013", "50059":
		return remote.CodeDirectory
	case "50105", "53003", "53000", "530003", "50020": // not assigned; conditional access; of another directory
		return remote.CodeNotAssigned
	case "500011", "65005", "650052", "650057": // the directory has no Exchange Online
		return remote.CodeLicence
	case "70011", "28002", "28003", "1002012":
		return remote.CodeScope
	case "70019", "70020":
		return remote.CodeCodeExpired
	case "70008", "70043", "700082", "700084", "50173", "50133", "50076", "50078", "50079", "50057", "54005", "50034", "135010":
		return remote.CodeRevoked
	case "50196", "90055":
		return remote.CodeThrottled
	case "90033", "90006", "90024", "50180", "90100", "90019", "90014":
		return remote.CodeUnavailable
	}
	return ""
}

// ofWord says what the words of the standards mean (RFC 6749 §5.2, RFC 8628 §3.5)
// and those that Google adds.
func ofWord(word string) string {
	switch word {
	case "invalid_grant":
		return remote.CodeRevoked
	case "invalid_client":
		return remote.CodeClientSecret
	case "unauthorized_client", "deleted_client", "disabled_client":
		return remote.CodeClient
	case "invalid_scope":
		return remote.CodeScope
	case "interaction_required", "consent_required":
		return remote.CodeConsent
	case "access_denied", "authorization_declined":
		return remote.CodeCodeDeclined
	case "expired_token":
		return remote.CodeCodeExpired
	case "admin_policy_enforced", "org_internal":
		return remote.CodeNotAssigned
	case "slow_down", "rate_limit_exceeded", "quota_exceeded":
		return remote.CodeThrottled
	case "temporarily_unavailable", "server_error", "internal_failure":
		return remote.CodeUnavailable
	}
	return ""
}

// explain makes an *Error of what the library says.
func explain(err error, now time.Time, secrets ...string) error {
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	var said *oauth2.RetrieveError
	if !errors.As(err, &said) || said.Response == nil {
		return &Error{Code: ofConnection(err), Detail: Redact(err.Error(), secrets...), err: err}
	}
	word, text := words(said)
	e := &Error{Detail: Redact(text, secrets...), RetryAfter: RetryAfter(said.Response.Header, now)}
	if m := aadsts.FindStringSubmatch(text); m != nil {
		e.Code = ofNumber(m[1])
	}
	status := said.Response.StatusCode
	switch {
	case status == http.StatusTooManyRequests:
		e.Code = remote.CodeThrottled
	case e.Code != "":
	case ofWord(word) != "":
		e.Code = ofWord(word)
	case status >= http.StatusInternalServerError:
		e.Code = remote.CodeUnavailable
	case word == "":
		e.Code = remote.CodeAuthority
	default:
		e.Code = remote.CodeClient
	}
	return e
}

// words are what a server has said, as far as it is a statement.
func words(said *oauth2.RetrieveError) (word, text string) {
	word, text = said.ErrorCode, said.ErrorDescription
	if word == "" { // some parts of the library do not look; Google's device endpoint says error_code
		var other struct {
			Word  string `json:"error"`
			Text  string `json:"error_description"`
			Other string `json:"error_code"`
		}
		if json.Unmarshal(said.Body, &other) == nil {
			word, text = cmp.Or(other.Word, other.Other), other.Text
		}
	}
	text = strings.TrimSpace(word + ": " + text)
	if word == "" {
		text = "status " + strconv.Itoa(said.Response.StatusCode) + " and no reason"
	}
	return word, text
}

// ofConnection judges errors that are no statement of a server.
func ofConnection(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var op *net.OpError
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(err, remote.ErrPrivate), errors.Is(err, remote.ErrNoServer), errors.Is(err, errElsewhere), errors.Is(err, errTooMuch):
		return remote.CodeAuthority
	case errors.As(err, &verify), errors.As(err, &unknown):
		return remote.CodeCertificate
	case errors.As(err, &dns):
		return remote.CodeDNS
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return remote.CodeTimeout
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return remote.CodeConnect
	}
	return remote.CodeAuthority
}

// RetryAfter reads how long a server wants to be left alone (RFC 9110 §10.2.3): at
// most an hour, 0 if it does not say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	var d time.Duration
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), time.Hour)
}

// Redact takes secrets out of what a server says, and bounds it.
func Redact(text string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) >= 4 {
			text = strings.ReplaceAll(text, s, "…")
		}
	}
	text = strings.ToValidUTF8(text, "?")
	if len(text) > 600 {
		text = strings.ToValidUTF8(text[:600], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}
