package dovecot

import (
	"fmt"
	"net"
	"strings"
)

// Dovecot takes a connection as secure if both its ends have the same address,
// and then takes passwords in the clear in any case. The listener without TLS
// therefore gets another loopback address where that is not wanted, and where
// STARTTLS is to be off only for it.
const (
	hostname  = "localhost"
	ordinary  = "127.0.0.1"
	elsewhere = "127.0.0.2"
	common    = `# made for one test
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
instance_name = muniment-test
default_internal_user = %[2]s
default_internal_group = %[3]s
default_login_user = %[2]s
protocols = imap pop3
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
ssl_min_protocol = TLSv1.2
auth_mechanisms = plain login
auth_failure_delay = 0
auth_cache_size = 0
mail_location = maildir:%[1]s/Maildir
mail_fsync = never
mail_max_userip_connections = 200
first_valid_uid = 1
first_valid_gid = 1
mail_uid = %[2]s
mail_gid = %[3]s
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%%u %[1]s/users
}
userdb {
  driver = static
  args = home=%[1]s/home
}
namespace inbox {
  inbox = yes
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`
	services = `service %[1]s-login {
  chroot =
  inet_listener %[1]s {
    address = %[2]s
    port = %[3]d
  }
  inet_listener %[1]ss {
    address = %[4]s
    port = %[5]d
    ssl = yes
  }
}
`
)

// configuration returns dovecot.conf, and sets the addresses of s to where the
// server will listen.
func (s *Server) configuration(opts Options) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, common, s.dir, s.who.name, s.who.group)
	plainHost := ordinary
	if opts.NoPlain || opts.NoStartTLS {
		plainHost = elsewhere
	}
	ports, err := freePorts(plainHost, plainHost, ordinary, ordinary)
	if err != nil {
		return "", err
	}
	listeners := []struct {
		name, host string
		addr       *string
		off        bool
	}{
		{"imap", plainHost, &s.IMAP, false}, {"pop3", plainHost, &s.POP3, false},
		{"imaps", ordinary, &s.IMAPS, opts.NoImplicitTLS}, {"pop3s", ordinary, &s.POP3S, opts.NoImplicitTLS},
	}
	for i, l := range listeners {
		if l.off || opts.Only != "" && opts.Only != l.name {
			ports[i] = 0 // as Dovecot writes "no such listener"
			continue
		}
		*l.addr = net.JoinHostPort(l.host, fmt.Sprint(ports[i]))
	}
	fmt.Fprintf(&b, services, "imap", plainHost, ports[0], ordinary, ports[2])
	fmt.Fprintf(&b, services, "pop3", plainHost, ports[1], ordinary, ports[3])
	switch {
	case opts.NoPlain && opts.NoStartTLS:
		fmt.Fprintf(&b, "disable_plaintext_auth = yes\nssl = yes\nlocal %s {\n  ssl = no\n}\n", elsewhere)
	case opts.NoPlain:
		b.WriteString("disable_plaintext_auth = yes\nssl = required\n")
	case opts.NoStartTLS:
		fmt.Fprintf(&b, "disable_plaintext_auth = no\nssl = yes\nlocal %s {\n  ssl = no\n}\n", elsewhere)
	default:
		b.WriteString("disable_plaintext_auth = no\nssl = yes\n")
	}
	b.WriteString(opts.Settings + "\n")
	return b.String(), nil
}

// freePorts returns ports of the hosts that were free a moment ago. If somebody
// takes one meanwhile, the server does not start and the test says so.
func freePorts(hosts ...string) ([]int, error) {
	var ports []int
	for _, host := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, err
		}
		defer l.Close() // kept until all are found, so that they differ
		addr, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("unexpected address %v", l.Addr())
		}
		ports = append(ports, addr.Port)
	}
	return ports, nil
}
