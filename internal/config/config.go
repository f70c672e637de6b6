// Package config reads the settings of the server: a YAML file, overridden by
// environment variables, overridden by flags. An unknown key is an error.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// Config is all settings. The text of the help tags is the reference in
// docs/configuration.md, which is generated from it.
type Config struct {
	Data    string  `koanf:"data" help:"Directory that holds everything: catalog, segments, index, keys."`
	Catalog string  `koanf:"catalog" help:"Database: empty for SQLite in the data directory, or postgres://user:password@host/name."`
	KeyFile string  `koanf:"key_file" help:"File with the instance key; empty: instance.key in the data directory. Keep a copy elsewhere: without it the archive cannot be read."`
	HTTP    HTTP    `koanf:"http"`
	Login   Login   `koanf:"login"`
	SMTP    SMTP    `koanf:"smtp"`
	LMTP    LMTP    `koanf:"lmtp"`
	Milter  Milter  `koanf:"milter"`
	Fetch   Fetch   `koanf:"fetch"`
	Folder  Folder  `koanf:"folder"`
	Upload  Upload  `koanf:"upload"`
	Receipt Receipt `koanf:"receipt"`
	Webhook Webhook `koanf:"webhook"`
	DNS     DNS     `koanf:"dns"`
	Tenants Tenants `koanf:"tenants"`
	Trust   Trust   `koanf:"trust"`
	Log     Log     `koanf:"log"`

	Passwords Passwords `koanf:"passwords"`
}

// Trust are the settings by which the archive knows whether a time stamp is a qualified
// one.
type Trust struct {
	Lists   []string `koanf:"lists" help:"Trusted lists (ETSI TS 119 612), as files or directories of them, read at start: those of the countries of your time-stamp authorities, and the EU's list of the lists if wanted. Without any, no time stamp is called qualified."`
	Signers []string `koanf:"signers" help:"Certificates (PEM or DER), as files or directories of them, that may have signed the lists. Whom a list of the lists names, need not be here."`
}

// Tenants are the settings of customers.
type Tenants struct {
	DeleteAfter int `koanf:"delete_after" help:"Days that a tenant has to have ended before it may be deleted: the time for the hand-over."`
}

// After is DeleteAfter as the archive takes it, where 0 means its own default.
func (t Tenants) After() time.Duration {
	if t.DeleteAfter <= 0 {
		return -1
	}
	return time.Duration(t.DeleteAfter) * 24 * time.Hour
}

// HTTP are the settings of web interface and REST interface.
type HTTP struct {
	Listen          string   `koanf:"listen" help:"Address and port of the web interface."`
	URL             string   `koanf:"url" help:"Where people reach the web interface, such as https://archive.example.com; empty: the address it listens on. Links in mails lead there, and passkeys belong to its host name."`
	PlainListen     string   `koanf:"plain_listen" help:"Second address and port for plain HTTP, such as :80: it leads to TLS and answers certificate authorities; empty: none."`
	TLSCert         string   `koanf:"tls_cert" help:"Certificate file (PEM), read again when it changes; empty: what operators set in the web interface, at first plain HTTP."`
	TLSKey          string   `koanf:"tls_key" help:"Key file (PEM) of the certificate."`
	TrustedProxies  []string `koanf:"trusted_proxies" help:"Networks (CIDR) whose X-Forwarded-For and X-Forwarded-Proto are believed."`
	MetricsNetworks []string `koanf:"metrics_networks" help:"Networks (CIDR) that may read /metrics."`
}

// Login are the settings of log-ins.
type Login struct {
	SessionIdle time.Duration `koanf:"session_idle" help:"A session ends after so long without a request."`
	SessionMax  time.Duration `koanf:"session_max" help:"A session ends after so long at the latest."`
	WelcomeLink time.Duration `koanf:"welcome_link" help:"How long a link is valid with which a new user sets a password."`
	ResetLink   time.Duration `koanf:"reset_link" help:"How long a link is valid with which a user sets a new password in place of a forgotten one."`
}

// SMTP are the settings of the SMTP receiver.
type SMTP struct {
	Listen        string        `koanf:"listen" help:"Address and port of the SMTP receiver; empty: off."`
	JournalDomain string        `koanf:"journal_domain" help:"Domain of new journal addresses; mail for it must be routed to this receiver."`
	Hostname      string        `koanf:"hostname" help:"Name in the greeting; empty: the host's name."`
	TLS           string        `koanf:"tls" help:"offered: STARTTLS for who wants it; required: no message without it; implicit: TLS from the first byte, as on port 465."`
	TLSCert       string        `koanf:"tls_cert" help:"Certificate file (PEM); empty: one is made at start."`
	TLSKey        string        `koanf:"tls_key" help:"Key file (PEM) of the certificate."`
	MaxSize       int64         `koanf:"max_size" help:"Largest message in bytes, announced by SIZE; at most 268435456."`
	Networks      []string      `koanf:"networks" help:"Networks (CIDR) that may connect."`
	User          string        `koanf:"user" help:"If set, senders must authenticate with this name."`
	PasswordFile  string        `koanf:"password_file" help:"File with the password of smtp.user."`
	PerPeer       int           `koanf:"connections_per_peer" help:"Connections at a time from one address."`
	Connections   int           `koanf:"connections" help:"Connections at a time in all."`
	PerMinute     int           `koanf:"messages_per_minute" help:"Messages per minute for one tenant; 0: no limit. More are asked to come later (4xx)."`
	PeerMinute    int           `koanf:"messages_per_minute_per_peer" help:"Messages per minute from one address; 0: no limit."`
	Timeout       time.Duration `koanf:"timeout" help:"How long a silent connection is kept."`
}

// Values of smtp.tls.
const (
	TLSOffered  = "offered"
	TLSRequired = "required"
	TLSImplicit = "implicit"
)

// LMTP are the settings of the LMTP receiver; the rest is as for SMTP.
type LMTP struct {
	Listen string `koanf:"listen" help:"Address and port, or unix:/path, of the LMTP receiver; empty: off."`
}

// Milter are the settings of the mail filter.
type Milter struct {
	Listen    string   `koanf:"listen" help:"inet:address:port or unix:/path of the mail filter (milter) for Postfix or Sendmail; empty: off."`
	Tenant    string   `koanf:"tenant" help:"Short name of the tenant whose mail the mail server handles."`
	OnTrouble string   `koanf:"on_trouble" help:"What becomes of mail that cannot be archived now. tempfail: the mail server answers 451 and it comes again; accept: it goes its way without an archived copy."`
	Networks  []string `koanf:"networks" help:"Networks (CIDR) that may connect. Who may can put any message into the archive."`
}

// Values of milter.on_trouble.
const (
	TroubleTempfail = "tempfail"
	TroubleAccept   = "accept"
)

// Fetch are the settings of fetching from remote mailboxes; each mailbox has its own
// besides.
type Fetch struct {
	PrivateNetworks bool `koanf:"private_networks" help:"Remote mailboxes and directories may be on this machine and in private networks. Set false where administrators of tenants must not reach those through the archive."`
}

// Folder are the settings of watched folders; each has its own besides.
type Folder struct {
	Root string `koanf:"root" help:"Directory with a directory for each tenant, named by its short name, below which its watched folders are; empty: no folders are watched. Shares are mounted there."`
}

// Upload are the settings of uploads in the web interface.
type Upload struct {
	MaxSize   int64 `koanf:"max_size" help:"Largest upload in bytes. A document may have at most 268435456 whatever this says."`
	PerTenant int64 `koanf:"per_tenant" help:"Bytes that all unfinished uploads of a tenant may have together. They lie in the data directory until they are archived."`
}

// Receipt are the settings of the daily receipts of the event logs.
type Receipt struct {
	Dir string `koanf:"dir" help:"Directory in which the daily receipts of the event logs are kept as files, one directory for each tenant; empty: they are in the catalog alone. Best on a disk or share that whoever runs the archive cannot change."`
}

// Webhook are the settings of telling other programs of events.
type Webhook struct {
	Networks []string `koanf:"networks" help:"Networks (CIDR) that webhooks may lead to although they are private or on this machine, and without TLS. Administrators of tenants can then have the archive send to any address in them."`
}

// DNS are the settings of questions to the DNS.
type DNS struct {
	Server string `koanf:"server" help:"Address and port of the DNS server that is asked whether domains of tenants are their own; empty: the system's."`
}

// Passwords are the settings of new passwords.
type Passwords struct {
	BreachedFile string `koanf:"breached_file" help:"File of leaked passwords that new ones must not be among: a SHA-1 sum in hexadecimal digits a line, ordered, with or without a colon and a count, as the list of Have I Been Pwned is. It is searched where it lies; no password leaves the machine. Empty: none."`
}

// Log are the settings of the log on standard error.
type Log struct {
	Level  string `koanf:"level" help:"debug, info, warn or error."`
	Format string `koanf:"format" help:"text or json."`
}

// Default returns the settings without file, environment and flags.
func Default() Config {
	return Config{
		Data:  "data",
		HTTP:  HTTP{Listen: "127.0.0.1:8080", MetricsNetworks: []string{"127.0.0.0/8", "::1/128"}},
		Login: Login{SessionIdle: 12 * time.Hour, SessionMax: 7 * 24 * time.Hour, WelcomeLink: 7 * 24 * time.Hour, ResetLink: time.Hour},
		SMTP: SMTP{Listen: "127.0.0.1:2525", JournalDomain: "journal.invalid", TLS: TLSOffered, MaxSize: 160 << 20, Networks: []string{"0.0.0.0/0", "::/0"},
			PerPeer: 50, Connections: 500, PeerMinute: 10_000, Timeout: 5 * time.Minute},
		Milter:  Milter{OnTrouble: TroubleTempfail, Networks: []string{"127.0.0.0/8", "::1/128"}},
		Fetch:   Fetch{PrivateNetworks: true},
		Upload:  Upload{MaxSize: 20 << 30, PerTenant: 50 << 30},
		Tenants: Tenants{DeleteAfter: 30},
		Log:     Log{Level: "info", Format: "text"},
	}
}

// Sources says where Load reads.
type Sources struct {
	File    string            // YAML; empty: none
	Environ []string          // as os.Environ; variables named MUNIMENT_<KEY> with _ for a dot
	Flags   map[string]string // key to value, e.g. "http.listen"
}

// Load reads and checks the settings.
func Load(s Sources) (Config, error) {
	c := Default()
	k := koanf.New(".")
	if s.File != "" {
		b, err := os.ReadFile(s.File)
		if err != nil {
			return c, fmt.Errorf("configuration: %w", err)
		}
		if err := k.Load(rawbytes.Provider(bytes.TrimSpace(b)), yaml.Parser()); err != nil {
			return c, fmt.Errorf("configuration %s: %w", s.File, err)
		}
	}
	over := map[string]any{}
	for _, e := range s.Environ {
		key, value, ok := envKey(e)
		if ok {
			over[key] = value
		} else if name, _, _ := strings.Cut(e, "="); misspelt(name) {
			return c, fmt.Errorf("environment: unknown setting %s; muniment config lists all", name)
		}
	}
	for key, value := range s.Flags {
		over[key] = value
	}
	if err := k.Load(confmap.Provider(over, "."), nil); err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if err := unknown(k.Keys()); err != nil {
		return c, err
	}
	if err := k.Unmarshal("", &c); err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	return c, c.check()
}

// CatalogDSN is where the catalog is.
func (c Config) CatalogDSN() string {
	if c.Catalog != "" {
		return c.Catalog
	}
	return "sqlite:" + filepath.Join(c.Data, "catalog.db")
}

// KeyPath is where the instance key is.
func (c Config) KeyPath() string {
	if c.KeyFile != "" {
		return c.KeyFile
	}
	return filepath.Join(c.Data, "instance.key")
}

// BaseURL is where people reach the web interface that listens on an address, without a
// slash at the end.
func (c Config) BaseURL(listen string) string {
	if c.HTTP.URL != "" {
		return strings.TrimRight(c.HTTP.URL, "/")
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	scheme, usual := "http", "80"
	if c.HTTP.TLSCert != "" {
		scheme, usual = "https", "443"
	}
	if port == usual {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Key is one setting with its value.
type Key struct{ Name, Value, Help string }

// Keys lists all settings with their defaults in the order of the struct.
func Keys() []Key { return Values(Default()) }

// Values lists all settings of c in the order of the struct. A password in the
// catalog's address is left out.
func Values(c Config) []Key {
	if u, err := url.Parse(c.Catalog); err == nil && u.User != nil {
		c.Catalog = u.Redacted()
	}
	return keys("", reflect.ValueOf(c))
}

func keys(prefix string, v reflect.Value) []Key {
	var out []Key
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := prefix + f.Tag.Get("koanf")
		if f.Type.Kind() == reflect.Struct {
			out = append(out, keys(name+".", v.Field(i))...)
			continue
		}
		out = append(out, Key{Name: name, Value: format(v.Field(i)), Help: f.Tag.Get("help")})
	}
	return out
}

func format(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case []string:
		return strings.Join(x, ",")
	case bool:
		return strconv.FormatBool(x)
	case int:
		return strconv.Itoa(x)
	case int64:
		return strconv.FormatInt(x, 10)
	}
	return v.String()
}

// envKey finds the setting that a variable such as MUNIMENT_HTTP_LISTEN=x
// names. Other MUNIMENT_ variables (of tests, of the command line) are left
// alone.
func envKey(e string) (key, value string, ok bool) {
	name, value, _ := strings.Cut(e, "=")
	for _, k := range Keys() {
		if "MUNIMENT_"+strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_")) == name {
			return k.Name, value, true
		}
	}
	return "", "", false
}

// misspelt reports whether a variable is named as one of a group of settings,
// such as MUNIMENT_HTTP_LISTN.
func misspelt(name string) bool {
	for _, k := range Keys() {
		if group, _, ok := strings.Cut(k.Name, "."); ok && strings.HasPrefix(name, "MUNIMENT_"+strings.ToUpper(group)+"_") {
			return true
		}
	}
	return false
}

func unknown(names []string) error {
	known := Keys()
	var errs []error
	for _, n := range names {
		if !slices.ContainsFunc(known, func(k Key) bool { return k.Name == n }) {
			errs = append(errs, fmt.Errorf("configuration: unknown setting %q; muniment config lists all", n))
		}
	}
	return errors.Join(errs...)
}
