package remote

import (
	"encoding/json"
	"errors"
	"net"
	"net/mail"
	"strings"
)

// Smarthost are the settings of the server that mail of the archive leaves by. Its
// password is kept apart.
type Smarthost struct {
	Host string `json:"host"`
	Port int    `json:"port,omitempty"` // 0: the usual one
	// TLS is Implicit, StartTLS (required: without it nothing is sent) or NoTLS.
	TLS  string `json:"tls"`
	CA   string `json:"ca,omitempty"`   // as in Settings
	Pin  string `json:"pin,omitempty"`  // as in Settings
	User string `json:"user,omitempty"` // empty: no log-in
	// From is the address that mail comes from: in the envelope and in the field
	// From, to the letter.
	From string `json:"from"`
	Name string `json:"name,omitempty"` // as people read it, beside From
}

// Codes of problems that only sending meets, beside those of fetching.
const (
	CodeSender    = "sender"    // the server does not take mail from this address
	CodeRecipient = "recipient" // the server does not take mail for this address
	CodeSize      = "size"      // the mail is larger than the server takes
	CodeContent   = "content"   // the server does not take the mail for what is in it
)

// ParseSmarthost reads settings. Members that are unknown are an error.
func ParseSmarthost(b []byte) (Smarthost, error) {
	var s Smarthost
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	return s, err
}

// Normal takes away what slips in when people copy and paste.
func (s Smarthost) Normal() Smarthost {
	s.Host = strings.Trim(strings.TrimSpace(s.Host), "[]")
	s.User = strings.TrimSpace(s.User)
	s.From = strings.TrimSpace(s.From)
	s.Name = strings.TrimSpace(s.Name)
	s.Pin = strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(s.Pin))
	return s
}

// Check reports everything that is wrong with the settings, as *setting.Errors
// joined.
func (s Smarthost) Check() error {
	var errs []error
	if s.TLS != Implicit && s.TLS != StartTLS && s.TLS != NoTLS {
		errs = append(errs, bad("tls", "%q is none of implicit, starttls, none", s.TLS))
	}
	if s.Host == "" || len(s.Host) > 253 || strings.ContainsAny(s.Host, " /@\x00\t\r\n") || strings.Contains(s.Host, ":") && net.ParseIP(s.Host) == nil {
		errs = append(errs, bad("host", "name the server, such as mail.example.com, without port and path"))
	}
	if s.Port < 0 || s.Port > 65535 {
		errs = append(errs, bad("port", "%d is outside 1 to 65535", s.Port))
	}
	if len(s.User) > 320 || strings.ContainsAny(s.User, "\x00\r\n") {
		errs = append(errs, bad("user", "want one line of at most 320 bytes"))
	}
	if err := MailAddress(s.From); err != nil {
		errs = append(errs, bad("from", "%v", err))
	}
	if len(s.Name) > 200 || strings.ContainsFunc(s.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		errs = append(errs, bad("name", "want one line of at most 200 bytes"))
	}
	return errors.Join(append(errs, Settings{CA: s.CA, Pin: s.Pin}.checkTrust())...)
}

// UsualPort is the registered port (RFC 8314 §3.3, RFC 6409 §3.1, RFC 5321
// §4.5.4.2), unless the settings name another.
func (s Smarthost) UsualPort() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.TLS == Implicit:
		return 465
	case s.TLS == StartTLS:
		return 587
	}
	return 25
}

// errAddress says what an address has to be. Letters beyond ASCII would need
// SMTPUTF8 (RFC 6531) on every server of the way; domains have a form in ASCII.
var errAddress = errors.New("want a mail address such as archive@example.com, of ASCII characters (of other domains the form that begins with xn--) and without a name")

// MailAddress reports whether mail can be sent to or from an address: one in ASCII,
// of at most 254 bytes (RFC 5321 §4.5.3.1), without a display name.
func MailAddress(a string) error {
	if len(a) > 254 || strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || strings.ContainsAny(a, "<>()[]\\,;:\"") {
		return errAddress
	}
	parsed, err := mail.ParseAddress(a)
	if err != nil || parsed.Address != a || parsed.Name != "" {
		return errAddress
	}
	return nil
}
