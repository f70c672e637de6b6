package remote

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// Providers of tokens.
const (
	Microsoft = "microsoft"
	Google    = "google"
)

// Ways to come by a token.
const (
	// ByClient: the application logs in by itself, with a secret (RFC 6749 §4.4)
	// or, at Google, with the key of a service account (RFC 7523).
	ByClient = "client"
	// ByDevice: somebody has logged in once, by a code (RFC 8628).
	ByDevice = "device"
)

// Codes of problems with log-ins by OAuth 2.0, beside the others.
const (
	CodeConsent      = "consent"       // nobody has consented to what the application wants
	CodeNotAssigned  = "not-assigned"  // the application or user may not open this mailbox
	CodeClient       = "client"        // the directory knows no such application, or it is set up otherwise
	CodeClientSecret = "client-secret" // wrong, or expired
	CodeDirectory    = "directory"     // there is no such directory
	CodeLicence      = "licence"       // there is no mailbox, or it has no licence
	CodeScope        = "scope"         // the provider does not give this kind of token to this application
	CodeCodeExpired  = "code-expired"  // nobody entered the code in time
	CodeCodeDeclined = "code-declined" // somebody said no
	CodeRevoked      = "revoked"       // the log-in has expired or was withdrawn: log in again
	CodeThrottled    = "throttled"     // too many requests: later
	CodeAuthority    = "authority"     // what answers is no log-in server, or a broken one
)

var (
	errAuthority  = errors.New("want an address such as https://login.microsoftonline.com, with https")
	directoryForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)
	clientForm    = regexp.MustCompile(`^[!-~]{1,200}$`)
)

// TokenBySecret reports whether somebody has to enter a token by hand.
func (s Settings) TokenBySecret() bool { return s.OAuth != "" && s.Method == "" }

// checkOAuth checks where tokens come from.
func (s Settings) checkOAuth() error {
	var errs []error
	if s.OAuth != "" && s.OAuth != Microsoft && s.OAuth != Google {
		errs = append(errs, bad("oauth", "%q is none of microsoft, google", s.OAuth))
	}
	if s.Method != "" && s.Method != ByClient && s.Method != ByDevice {
		errs = append(errs, bad("method", "%q is none of client, device", s.Method))
	}
	switch {
	case s.Method != "" && s.OAuth == "":
		errs = append(errs, bad("oauth", "a log-in by %s needs a provider: microsoft or google", s.Method))
	case s.Method == "" && (s.Directory != "" || s.ClientID != "" || s.Authority != ""):
		errs = append(errs, bad("method", "directory, client_id and authority are for log-ins by client or device"))
	case s.Method != "":
		errs = append(errs, s.checkApplication()...)
	}
	return errors.Join(errs...)
}

func (s Settings) checkApplication() (errs []error) {
	if s.Directory != "" && !directoryForm.MatchString(s.Directory) {
		errs = append(errs, bad("directory", "want the id of the directory or one of its domains, such as contoso.com"))
	}
	if s.Directory == "" && s.OAuth == Microsoft && s.Method == ByClient {
		errs = append(errs, bad("directory", "is needed: the id of the directory or one of its domains"))
	}
	if s.Directory != "" && s.OAuth == Google {
		errs = append(errs, bad("directory", "Google has none"))
	}
	needed := s.OAuth == Microsoft || s.Method == ByDevice // Google's key of a service account names its client
	if needed && s.ClientID == "" || s.ClientID != "" && !clientForm.MatchString(s.ClientID) {
		errs = append(errs, bad("client_id", "want the id of the registered application, in one line of at most 200 characters"))
	}
	if err := CheckAuthority(s.Authority); err != nil {
		errs = append(errs, bad("authority", "%v", err))
	}
	if s.TLS == NoTLS && !loopbackHost(s.Host) {
		errs = append(errs, bad("tls", "tokens are sent over encrypted connections only"))
	}
	return errs
}

// CheckAuthority checks the URL of a server that tokens are sent to: https, or on
// this machine http, and a host with at most a path. Empty is right.
func CheckAuthority(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 500 || u.Host == "" || u.Hostname() == "":
		return errAuthority
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(text, " \t\r\n"):
		return errAuthority
	case u.Scheme != "https" && (u.Scheme != "http" || !loopbackHost(u.Hostname())):
		return errAuthority
	}
	return nil
}

// loopbackHost reports whether a host is this machine, by its name alone.
func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// LogInText says what a code of a log-in means, to people; "" for the others.
func LogInText(code string) string {
	switch code {
	case CodeConsent:
		return "Nobody has consented to what the application wants: an administrator of the directory has to."
	case CodeNotAssigned:
		return "The log-in works, but the application or user may not open this mailbox, or there is none."
	case CodeClient:
		return "The provider does not know the application, or it is set up for another way to log in."
	case CodeClientSecret:
		return "The secret of the application is wrong or has expired."
	case CodeDirectory:
		return "There is no such directory. Is its id or domain spelt right?"
	case CodeLicence:
		return "There is no mailbox: the user or the directory has no licence for mail."
	case CodeScope:
		return "The provider does not give this application access to mail in this way."
	case CodeCodeExpired:
		return "Nobody entered the code in time. Ask for another one."
	case CodeCodeDeclined:
		return "Somebody declined to let the archive in."
	case CodeRevoked:
		return "The log-in has expired or was withdrawn. Somebody has to log in again."
	case CodeThrottled:
		return "The provider wants fewer requests; it will be tried again later."
	case CodeAuthority:
		return "What answers is no log-in server of this provider, or it is out of order."
	}
	return ""
}
