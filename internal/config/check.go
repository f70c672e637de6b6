package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check says all that is wrong with the settings at once.
func (c Config) check() error {
	var errs []error
	if c.Data == "" {
		errs = append(errs, errors.New("data: is empty; name a directory"))
	}
	errs = append(errs, checkListen("http.listen", c.HTTP.Listen))
	if c.HTTP.PlainListen != "" {
		errs = append(errs, checkListen("http.plain_listen", c.HTTP.PlainListen))
	}
	if (c.HTTP.TLSCert == "") != (c.HTTP.TLSKey == "") {
		errs = append(errs, errors.New("http.tls_cert and http.tls_key: set both or none"))
	}
	errs = append(errs, c.checkReceivers(), c.checkFiles(), c.checkLogin())
	if c.Catalog != "" && !strings.HasPrefix(c.Catalog, "postgres://") && !strings.HasPrefix(c.Catalog, "postgresql://") && !strings.HasPrefix(c.Catalog, "sqlite:") {
		errs = append(errs, errors.New("catalog: want postgres://… or sqlite:path, or empty"))
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		errs = append(errs, fmt.Errorf("log.level: %q is none of debug, info, warn, error", c.Log.Level))
	}
	if !slices.Contains([]string{"text", "json"}, c.Log.Format) {
		errs = append(errs, fmt.Errorf("log.format: %q is none of text, json", c.Log.Format))
	}
	for key, list := range map[string][]string{"smtp.networks": c.SMTP.Networks, "webhook.networks": c.Webhook.Networks, "milter.networks": c.Milter.Networks, "http.trusted_proxies": c.HTTP.TrustedProxies, "http.metrics_networks": c.HTTP.MetricsNetworks} {
		if _, err := Networks(list); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

// checkReceivers checks the settings of SMTP, LMTP and the mail filter.
func (c Config) checkReceivers() error {
	var errs []error
	if c.SMTP.Listen != "" {
		errs = append(errs, checkListen("smtp.listen", c.SMTP.Listen))
	}
	if c.LMTP.Listen != "" && !strings.HasPrefix(c.LMTP.Listen, "unix:") {
		errs = append(errs, checkListen("lmtp.listen", c.LMTP.Listen))
	}
	if (c.SMTP.TLSCert == "") != (c.SMTP.TLSKey == "") {
		errs = append(errs, errors.New("smtp.tls_cert and smtp.tls_key: set both or none"))
	}
	if !slices.Contains([]string{TLSOffered, TLSRequired, TLSImplicit}, c.SMTP.TLS) {
		errs = append(errs, fmt.Errorf("smtp.tls: %q is none of offered, required, implicit", c.SMTP.TLS))
	}
	if c.SMTP.PerPeer < 1 || c.SMTP.Connections < 1 {
		errs = append(errs, errors.New("smtp.connections and smtp.connections_per_peer: must be 1 or more"))
	}
	if c.SMTP.PerMinute < 0 || c.SMTP.PeerMinute < 0 {
		errs = append(errs, errors.New("smtp.messages_per_minute and smtp.messages_per_minute_per_peer: must be 0 (no limit) or more"))
	}
	if c.SMTP.Timeout < time.Second {
		errs = append(errs, fmt.Errorf("smtp.timeout: %v is shorter than a second", c.SMTP.Timeout))
	}
	if c.SMTP.MaxSize < 1<<20 || c.SMTP.MaxSize > 256<<20 {
		errs = append(errs, fmt.Errorf("smtp.max_size: %d is outside 1048576 to 268435456", c.SMTP.MaxSize))
	}
	if (c.SMTP.User == "") != (c.SMTP.PasswordFile == "") {
		errs = append(errs, errors.New("smtp.user and smtp.password_file: set both or none"))
	}
	if c.Milter.Listen != "" && c.Milter.Tenant == "" {
		errs = append(errs, errors.New("milter.tenant: is empty; name the tenant whose mail the mail server handles"))
	}
	if !slices.Contains([]string{TroubleTempfail, TroubleAccept}, c.Milter.OnTrouble) {
		errs = append(errs, fmt.Errorf("milter.on_trouble: %q is neither tempfail nor accept", c.Milter.OnTrouble))
	}
	return errors.Join(errs...)
}

// checkLogin checks the settings of log-ins and of where people log in.
func (c Config) checkLogin() error {
	var errs []error
	if u, err := url.Parse(c.HTTP.URL); c.HTTP.URL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
		errs = append(errs, fmt.Errorf("http.url: %q is no address such as https://archive.example.com", c.HTTP.URL))
	}
	for name, d := range map[string]time.Duration{"session_idle": c.Login.SessionIdle, "session_max": c.Login.SessionMax, "welcome_link": c.Login.WelcomeLink, "reset_link": c.Login.ResetLink} {
		if d < time.Minute {
			errs = append(errs, fmt.Errorf("login.%s: %v is shorter than a minute", name, d))
		}
	}
	return errors.Join(errs...)
}

// checkFiles checks the settings of folders and uploads.
func (c Config) checkFiles() error {
	var errs []error
	if c.Upload.MaxSize < 1<<20 || c.Upload.PerTenant < c.Upload.MaxSize {
		errs = append(errs, errors.New("upload.max_size: must be 1048576 or more; upload.per_tenant: must not be less than upload.max_size"))
	}
	if c.Folder.Root != "" && !filepath.IsAbs(c.Folder.Root) {
		errs = append(errs, fmt.Errorf("folder.root: %q is no absolute path", c.Folder.Root))
	}
	return errors.Join(errs...)
}

// Networks parses a list of CIDR prefixes.
func Networks(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network such as 192.0.2.0/24", s)
		}
		out = append(out, p)
	}
	return out, nil
}

// checkListen accepts host:port, also without a host; nothing if it may be off.
func checkListen(key, listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%s: %q is no address and port such as 127.0.0.1:8080", key, listen)
	}
	return nil
}
