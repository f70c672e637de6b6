package directory

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/setting"
)

// Flavours of LDAP.
const (
	FlavourAD      = "ad"      // Active Directory, Samba
	FlavourGeneric = "generic" // OpenLDAP, 389 Directory Server and others
)

// Bounds of settings.
const (
	DefaultInterval = time.Hour
	minInterval     = 5 * time.Minute
	maxInterval     = 7 * 24 * time.Hour
	DefaultGuard    = 20 // percent
	maxRoles        = 50
	maxText         = 1000     // bytes of a name, a filter or a URL
	maxCA           = 48 << 10 // bytes
)

// Settings of a directory. Its secret is kept apart: the password of the user that
// reads, or the client secret.
type Settings struct {
	// One of these is set.
	LDAP *LDAP `json:"ldap,omitempty"`
	OIDC *OIDC `json:"oidc,omitempty"`
	IMAP *IMAP `json:"imap,omitempty"`
	// Roles says who has which role by group; the first that fits counts, everybody
	// else is a user.
	Roles []RoleRule `json:"roles,omitempty"`
}

// RoleRule gives the members of a group a role.
type RoleRule struct {
	Group string `json:"group"` // LDAP: its DN; OIDC: as it stands in the group claim
	Role  string `json:"role"`
}

// LDAP are the settings of a directory that is asked by LDAP (RFC 4511).
type LDAP struct {
	Flavour string `json:"flavour"`
	Host    string `json:"host"`
	Port    int    `json:"port,omitempty"` // 0: 636 or 389
	TLS     string `json:"tls"`            // remote.Implicit, StartTLS, NoTLS
	CA      string `json:"ca,omitempty"`   // own certificate authorities, PEM
	Pin     string `json:"pin,omitempty"`  // as in remote.Settings
	BindDN  string `json:"bind_dn"`        // user that reads; Active Directory takes name@domain as well
	BaseDN  string `json:"base_dn"`        // below which users are
	// GroupDN is below which groups are; empty: BaseDN.
	GroupDN string `json:"group_dn,omitempty"`
	// Filter narrows who is a user (RFC 4515); empty: all persons.
	Filter string `json:"filter,omitempty"`
	// Member is the DN of the group that users have to be in, however nested; empty:
	// everybody.
	Member string `json:"member,omitempty"`
	// Login is the attribute of the user name; empty: sAMAccountName or uid.
	Login string `json:"login,omitempty"`
	// Addresses are the attributes with mail addresses; empty: the usual ones.
	Addresses []string `json:"addresses,omitempty"`
	// Shared has the members of groups with a mail address see that address's mail.
	Shared bool `json:"shared,omitempty"`
	// Public is the DN of the group whose members see the mail of public folders;
	// empty: nobody does.
	Public string `json:"public,omitempty"`
	// Interval is the time from one synchronisation to the next in seconds; 0:
	// DefaultInterval; -1: only when somebody asks.
	Interval int `json:"interval_seconds,omitempty"`
	// Guard is how many percent of the users may be disabled without anybody being
	// asked; 0: DefaultGuard.
	Guard int `json:"guard_percent,omitempty"`
}

// OIDC are the settings of a provider of OpenID Connect.
type OIDC struct {
	Issuer   string `json:"issuer"` // exactly as the provider calls itself
	ClientID string `json:"client_id"`
	// Redirect is the address of this archive that the provider sends people back
	// to; it ends with CallbackPath.
	Redirect string   `json:"redirect"`
	Scopes   []string `json:"scopes,omitempty"` // besides openid, email, profile
	// GroupClaim is the claim with the groups; empty: groups.
	GroupClaim string `json:"group_claim,omitempty"`
	// Hosted is the Google Workspace domain that people have to be of (claim hd).
	Hosted string `json:"hosted,omitempty"`
	// TrustEmail takes the e-mail claim for verified where the provider does not say
	// so. Entra ID never says; only the directory of one's own organisation may be
	// trusted so.
	TrustEmail bool `json:"trust_email,omitempty"`
	// Create makes a user at the first log-in of somebody whose verified address is
	// in the tenant's domains. Without it, the user must exist.
	Create bool `json:"create,omitempty"`
	// Offered shows the button to everybody on the host of Redirect, before the
	// tenant is named.
	Offered bool   `json:"offered,omitempty"`
	CA      string `json:"ca,omitempty"`
}

// CallbackPath is where providers send people back to.
const CallbackPath = "/auth/oidc/callback"

// Ways to make the name for the mail server from what people type.
const (
	UserAddress = "address" // the whole mail address
	UserLocal   = "local"   // what is before the @
)

// IMAP are the settings of a mail server that checks passwords.
type IMAP struct {
	Host string `json:"host"`
	Port int    `json:"port,omitempty"` // 0: 993 or 143
	TLS  string `json:"tls"`            // remote.Implicit, StartTLS, NoTLS
	CA   string `json:"ca,omitempty"`
	Pin  string `json:"pin,omitempty"`
	User string `json:"user,omitempty"` // UserAddress (also empty), UserLocal
	// Domains are those of the addresses that are asked there; empty: all of the
	// tenant's.
	Domains []string `json:"domains,omitempty"`
	// Create makes a user at the first log-in.
	Create bool `json:"create,omitempty"`
}

// Parse reads settings. Members that are unknown are an error.
func Parse(b []byte) (Settings, error) {
	var s Settings
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("settings of a directory: %w", err)
	}
	return s, nil
}

// Kind returns the kind of the settings; empty if it is not exactly one.
func (s Settings) Kind() string {
	kind, n := "", 0
	if s.LDAP != nil {
		kind, n = KindLDAP, n+1
	}
	if s.OIDC != nil {
		kind, n = KindOIDC, n+1
	}
	if s.IMAP != nil {
		kind, n = KindIMAP, n+1
	}
	if n != 1 {
		return ""
	}
	return kind
}

// NeedsSecret reports whether the settings are of no use without a secret.
func (s Settings) NeedsSecret() bool { return s.LDAP != nil }

// Every is the time from one synchronisation to the next; 0: none is scheduled.
func (s Settings) Every() time.Duration {
	switch {
	case s.LDAP == nil || s.LDAP.Interval < 0:
		return 0
	case s.LDAP.Interval == 0:
		return DefaultInterval
	}
	return time.Duration(s.LDAP.Interval) * time.Second
}

func bad(field, format string, args ...any) error {
	return setting.Wrong(field, format, args...)
}

// Check reports everything that is wrong with the settings, as *setting.Errors
// joined. roles are those that a group may give.
func (s Settings) Check(roles []string) error {
	var errs []error
	switch s.Kind() {
	case KindLDAP:
		errs = append(errs, s.LDAP.check())
	case KindOIDC:
		errs = append(errs, s.OIDC.check())
	case KindIMAP:
		errs = append(errs, s.IMAP.check())
	default:
		errs = append(errs, bad("kind", "want settings of exactly one of ldap, oidc, imap"))
	}
	if len(s.Roles) > maxRoles {
		errs = append(errs, bad("roles", "at most %d", maxRoles))
	}
	for _, r := range s.Roles {
		if strings.TrimSpace(r.Group) == "" || !line(r.Group) {
			errs = append(errs, bad("roles", "every group needs its name, in one line of at most %d bytes", maxText))
		} else if !slices.Contains(roles, r.Role) {
			errs = append(errs, bad("roles", "a group cannot give the role %.40q; want one of %s", r.Role, strings.Join(roles, ", ")))
		}
	}
	return errors.Join(errs...)
}

func line(s string) bool { return len(s) <= maxText && !strings.ContainsAny(s, "\x00\r\n") }

// checkServer checks what all settings of a server have.
func checkServer(host string, port int, tls, ca, pin string) error {
	var errs []error
	if host == "" || len(host) > 253 || strings.ContainsAny(host, " /@\t\r\n") || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		errs = append(errs, bad("host", "name the server, such as dc1.example.com, without port and path"))
	}
	if port < 0 || port > 65535 {
		errs = append(errs, bad("port", "%d is outside 1 to 65535", port))
	}
	if tls != remote.Implicit && tls != remote.StartTLS && tls != remote.NoTLS {
		errs = append(errs, bad("tls", "%q is none of implicit, starttls, none", tls))
	}
	if b, err := hex.DecodeString(pin); pin != "" && (err != nil || len(b) != sha256.Size) {
		errs = append(errs, bad("pin", "want the SHA-256 of the certificate: 64 hexadecimal digits"))
	}
	return errors.Join(append(errs, checkCA(ca))...)
}

func checkCA(ca string) error {
	if block, _ := pem.Decode([]byte(ca)); ca != "" && (block == nil || block.Type != "CERTIFICATE" || len(ca) > maxCA) {
		return bad("ca", "want certificates in PEM, at most 48 KiB")
	}
	return nil
}

func (l *LDAP) check() error {
	errs := []error{checkServer(l.Host, l.Port, l.TLS, l.CA, l.Pin)}
	if l.Flavour != FlavourAD && l.Flavour != FlavourGeneric {
		errs = append(errs, bad("flavour", "%q is none of ad, generic", l.Flavour))
	}
	for field, v := range map[string]string{"bind_dn": l.BindDN, "base_dn": l.BaseDN} {
		if strings.TrimSpace(v) == "" {
			errs = append(errs, bad(field, "is needed"))
		}
	}
	for field, v := range map[string]string{"bind_dn": l.BindDN, "base_dn": l.BaseDN, "group_dn": l.GroupDN, "filter": l.Filter, "member": l.Member, "public": l.Public} {
		if !line(v) {
			errs = append(errs, bad(field, "want one line of at most %d bytes", maxText))
		}
	}
	if l.Filter != "" && (!strings.HasPrefix(l.Filter, "(") || !strings.HasSuffix(l.Filter, ")")) {
		errs = append(errs, bad("filter", "want a filter in brackets, such as (objectClass=person)"))
	}
	if l.Login != "" && !attribute(l.Login) {
		errs = append(errs, bad("login", "want the name of an attribute, such as uid"))
	}
	if len(l.Addresses) > 20 || slices.ContainsFunc(l.Addresses, func(a string) bool { return !attribute(a) }) {
		errs = append(errs, bad("addresses", "want at most 20 names of attributes, such as mail"))
	}
	if d := time.Duration(l.Interval) * time.Second; l.Interval != 0 && l.Interval != -1 && (d < minInterval || d > maxInterval) {
		errs = append(errs, bad("interval_seconds", "%d is outside %.0f to %.0f", l.Interval, minInterval.Seconds(), maxInterval.Seconds()))
	}
	if l.Guard < 0 || l.Guard > 100 {
		errs = append(errs, bad("guard_percent", "%d is outside 1 to 100", l.Guard))
	}
	return errors.Join(errs...)
}

// attribute reports whether a name is that of an attribute (RFC 4512 §2.5).
func attribute(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' {
			return false
		}
	}
	return true
}

func (o *OIDC) check() error {
	var errs []error
	if u, err := url.Parse(o.Issuer); err != nil || u.Scheme != "https" && !loopback(u) || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !line(o.Issuer) {
		errs = append(errs, bad("issuer", "want the address that the provider calls itself by, such as https://accounts.example.com, beginning with https"))
	}
	if strings.TrimSpace(o.ClientID) == "" || !line(o.ClientID) {
		errs = append(errs, bad("client_id", "is needed"))
	}
	if u, err := url.Parse(o.Redirect); err != nil || u.Scheme != "https" && !loopback(u) || u.Host == "" || u.Path != CallbackPath || u.RawQuery != "" || !line(o.Redirect) {
		errs = append(errs, bad("redirect", "want the address of this archive with %s, beginning with https", CallbackPath))
	}
	for _, s := range o.Scopes {
		if s == "" || !line(s) || strings.ContainsAny(s, " \"\\") || len(o.Scopes) > 20 {
			errs = append(errs, bad("scopes", "want at most 20 words"))
			break
		}
	}
	if !line(o.GroupClaim) {
		errs = append(errs, bad("group_claim", "want one line"))
	}
	if !line(o.Hosted) || strings.ContainsAny(o.Hosted, " @/") {
		errs = append(errs, bad("hosted", "want a domain such as example.com"))
	}
	return errors.Join(append(errs, checkCA(o.CA))...)
}

// loopback reports whether a URL stays on this machine, where http does no harm.
func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func (i *IMAP) check() error {
	errs := []error{checkServer(i.Host, i.Port, i.TLS, i.CA, i.Pin)}
	if i.User != "" && i.User != UserAddress && i.User != UserLocal {
		errs = append(errs, bad("user", "%q is none of address, local", i.User))
	}
	if len(i.Domains) > 500 || slices.ContainsFunc(i.Domains, func(d string) bool { return d == "" || !line(d) || strings.ContainsAny(d, " @/") }) {
		errs = append(errs, bad("domains", "want domains such as example.com"))
	}
	return errors.Join(errs...)
}

// Serves reports whether the mail server is asked about addresses of a domain, which is
// one of the tenant's.
func (i *IMAP) Serves(domain string) bool {
	return len(i.Domains) == 0 || slices.ContainsFunc(i.Domains, func(d string) bool { return strings.EqualFold(d, domain) })
}
