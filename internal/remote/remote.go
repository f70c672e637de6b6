// Package remote describes remote mailboxes: what can be set for one, how it
// fares, and what a test of its settings finds. It is a leaf that the fetching door
// and the web door share; it talks to nobody.
package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/setting"
)

// Protocols.
const (
	Auto = "auto" // also of TLS: find out by trying
	IMAP = "imap"
	POP3 = "pop3"
)

// Ways of TLS.
const (
	Implicit = "implicit" // from the first byte
	StartTLS = "starttls"
	NoTLS    = "none" // everybody on the way can read the password and the mail
)

// Folders that are fetched.
const (
	Inbox = "inbox" // only INBOX
	All   = "all"   // all but drafts, spam and trash, unless they are wanted
	List  = "list"  // the named ones
)

// Bounds of settings.
const (
	DefaultInterval = time.Minute
	minInterval     = 10 * time.Second
	maxInterval     = 24 * time.Hour
	MinLimit        = 1 << 20   // bytes
	MaxLimit        = 150 << 20 // bytes
)

// Settings of a remote mailbox. Its password is kept apart.
type Settings struct {
	Protocol string `json:"protocol"` // Auto, IMAP, POP3
	Host     string `json:"host"`
	Port     int    `json:"port,omitempty"` // 0: the usual one
	TLS      string `json:"tls"`            // Auto (never without), Implicit, StartTLS, NoTLS
	CA       string `json:"ca,omitempty"`   // own certificate authorities, PEM
	// Pin is the SHA-256 of the only certificate that is accepted, hexadecimal;
	// then no authority is asked.
	Pin  string `json:"pin,omitempty"`
	User string `json:"user"`
	// OAuth is the provider of the token that stands in for the password: empty,
	// Microsoft or Google. Method says where the token comes from, Directory,
	// ClientID and Authority whom it is asked of.
	OAuth     string `json:"oauth,omitempty"`
	Method    string `json:"method,omitempty"`           // empty: the secret is the token; ByClient, ByDevice
	Directory string `json:"directory,omitempty"`        // of Microsoft: id or domain of the customer's directory
	ClientID  string `json:"client_id,omitempty"`        // of the registered application
	Authority string `json:"authority,omitempty"`        // URL of the log-in server; empty: the provider's
	Interval  int    `json:"interval_seconds,omitempty"` // 0: DefaultInterval
	// Keep leaves messages on the server. Otherwise each is deleted there once it
	// is durable here.
	Keep     bool     `json:"keep,omitempty"`
	MaxBytes int64    `json:"max_bytes,omitempty"` // larger messages stay on the server; 0: no limit
	Folders  string   `json:"folders,omitempty"`   // Inbox (also empty), All, List; IMAP only
	Named    []string `json:"named,omitempty"`     // for List
	// Without are folders that are left out of All, with what lies below them.
	Without []string `json:"without,omitempty"`
	Drafts  bool     `json:"drafts,omitempty"` // for All
	Spam    bool     `json:"spam,omitempty"`
	Trash   bool     `json:"trash,omitempty"`
	// JournalReports is archive.CommonSettings.JournalReports.
	JournalReports *bool `json:"journal_reports,omitempty"`
}

// Parse reads settings. Members that are unknown are an error.
func Parse(b []byte) (Settings, error) {
	var s Settings
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("settings: %w", err)
	}
	return s, nil
}

func bad(field, format string, args ...any) error {
	return setting.Wrong(field, format, args...)
}

// Check reports everything that is wrong with the settings, as *setting.Errors
// joined.
func (s Settings) Check() error {
	var errs []error
	if s.Protocol != Auto && s.Protocol != IMAP && s.Protocol != POP3 {
		errs = append(errs, bad("protocol", "%q is none of auto, imap, pop3", s.Protocol))
	}
	if s.TLS != Auto && s.TLS != Implicit && s.TLS != StartTLS && s.TLS != NoTLS {
		errs = append(errs, bad("tls", "%q is none of auto, implicit, starttls, none", s.TLS))
	}
	if s.Host == "" || len(s.Host) > 253 || strings.ContainsAny(s.Host, " /@\t\r\n") || strings.Contains(s.Host, ":") && net.ParseIP(s.Host) == nil {
		errs = append(errs, bad("host", "name the server, such as mail.example.com, without port and path"))
	}
	if s.Port < 0 || s.Port > 65535 {
		errs = append(errs, bad("port", "%d is outside 1 to 65535", s.Port))
	}
	if s.User == "" || len(s.User) > 320 || strings.ContainsAny(s.User, "\x00\r\n") {
		errs = append(errs, bad("user", "is needed, in one line of at most 320 bytes"))
	}
	if d := s.Every(); d < minInterval || d > maxInterval {
		errs = append(errs, bad("interval_seconds", "%d is outside %.0f to %.0f", s.Interval, minInterval.Seconds(), maxInterval.Seconds()))
	}
	if s.MaxBytes != 0 && (s.MaxBytes < MinLimit || s.MaxBytes > MaxLimit) {
		errs = append(errs, bad("max_bytes", "%d is outside %d to %d; 0 is no limit", s.MaxBytes, MinLimit, MaxLimit))
	}
	return errors.Join(append(errs, s.checkFolders(), s.checkTrust(), s.checkOAuth())...)
}

func (s Settings) checkFolders() error {
	if len(s.Without) > 1000 || len(s.Without) > 0 && s.Folders != All {
		return bad("without", "name at most 1000 folders, and only with all folders")
	}
	switch s.Folders {
	case "", Inbox, All:
		return nil
	case List:
		if len(s.Named) == 0 || len(s.Named) > 1000 {
			return bad("named", "name 1 to 1000 folders")
		}
		return nil
	}
	return bad("folders", "%q is none of inbox, all, list", s.Folders)
}

func (s Settings) checkTrust() error {
	var errs []error
	if b, err := hex.DecodeString(s.Pin); s.Pin != "" && (err != nil || len(b) != sha256.Size) {
		errs = append(errs, bad("pin", "want the SHA-256 of the certificate: 64 hexadecimal digits"))
	}
	if block, _ := pem.Decode([]byte(s.CA)); s.CA != "" && (block == nil || block.Type != "CERTIFICATE" || len(s.CA) > 48<<10) {
		errs = append(errs, bad("ca", "want certificates in PEM, at most 48 KiB"))
	}
	return errors.Join(errs...)
}

// Every is the time from one fetch to the next.
func (s Settings) Every() time.Duration {
	if s.Interval == 0 {
		return DefaultInterval
	}
	return time.Duration(s.Interval) * time.Second
}

// Found is the way to a server that works.
type Found struct {
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
	TLS      string `json:"tls"`
	Host     string `json:"host,omitempty"` // for which it was found
}

// State tells how a mailbox fares. It is for people; nothing depends on it, but
// that Found saves the next fetch the search.
type State struct {
	Fetching bool       `json:"fetching,omitempty"`
	LastAt   *time.Time `json:"last_at,omitempty"`    // end of the last fetch
	LastOKAt *time.Time `json:"last_ok_at,omitempty"` // end of the last one without an error
	NextAt   *time.Time `json:"next_at,omitempty"`
	Found    *Found     `json:"found,omitempty"`
	Problem  *Problem   `json:"problem,omitempty"` // of the last fetch
	Stored   int64      `json:"stored"`            // by the last fetch
	Known    int64      `json:"known"`             // by the last fetch: duplicates
	Waiting  int64      `json:"waiting"`           // messages on the server that are still to be fetched
	OnServer int64      `json:"on_server"`         // messages on the server, by its own count
	Left     int64      `json:"left"`              // that stay there, e.g. too large
}

// Problem is an error in plain words.
type Problem struct {
	Code   string `json:"code"`   // one of the Code constants
	Text   string `json:"text"`   // English, for people; the web interface has its own by Code
	Detail string `json:"detail"` // what the server or the system said
}

// Codes of problems. For each the web interface has a sentence and a cure.
const (
	CodeDNS         = "dns"         // no such host
	CodeConnect     = "connect"     // nobody answers, or refuses
	CodeForbidden   = "forbidden"   // the name leads to where CheckAddr lets nobody go
	CodeTimeout     = "timeout"     // answers too slowly
	CodeCertificate = "certificate" // not trusted, another name, expired, another pin
	CodeTLS         = "tls"         // TLS is not offered or fails
	CodeAuth        = "auth"        // user or password are not accepted
	CodeProtocol    = "protocol"    // what answers is no such server, or a broken one
	CodeFolder      = "folder"      // a folder does not exist or cannot be opened
	CodeUnavailable = "unavailable" // the server says: later
	CodeArchive     = "archive"     // the archive cannot store at present
	CodeUnreadable  = "unreadable"  // single messages cannot be fetched
	CodeNotDeleted  = "not-deleted" // archived, but the server does not delete
	CodeInterrupted = "interrupted" // a history that removes messages: the process ended
	CodeInternal    = "internal"    // a mistake of ours
	CodeToken       = "token"       // nobody has logged in yet: there is no token
)

// TestResult is what a test of settings finds.
type TestResult struct {
	OK       bool     `json:"ok"`
	Found    *Found   `json:"found,omitempty"`
	Problem  *Problem `json:"problem,omitempty"`
	Messages int64    `json:"messages"`          // in the folders that would be fetched
	Folders  []string `json:"folders,omitempty"` // of the mailbox
	Steps    []Step   `json:"steps"`             // what was tried, in order
	// Certificate is the SHA-256 of the server's certificate, which can be pinned.
	Certificate string `json:"certificate,omitempty"`
}

// Step is one thing that was tried.
type Step struct {
	What string `json:"what"` // e.g. "imap 993 implicit"
	OK   bool   `json:"ok"`
	Text string `json:"text"`           // English, for people
	Code string `json:"code,omitempty"` // of the problem, if it failed
}
