package remote

import (
	"errors"
	"net/netip"
	"strings"
)

// Why a host may not be a mail server's, for people.
var (
	ErrNoServer = errors.New("no mail server can be there")
	ErrPrivate  = errors.New("addresses of private networks are not allowed here")
)

// CheckHost refuses hosts that would turn the archive against its own
// surroundings: the metadata services of clouds in any case, and with public those
// of this machine and of private networks. It judges well-known names and addresses
// as they are written. What a name leads to can change at any time, so that
// CheckAddr has to judge it whenever a connection is made.
func CheckHost(host string, public bool) error {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "metadata" || name == "metadata.google.internal" {
		return ErrNoServer
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return CheckAddr(a, public)
	}
	if public && (name == "localhost" || strings.HasSuffix(name, ".localhost")) {
		return ErrPrivate
	}
	return nil
}

// CheckAddr is CheckHost for the address a connection is about to be made to. An
// IPv6 address that leads to one of IPv4 is judged as that.
func CheckAddr(a netip.Addr, public bool) error {
	a = a.WithZone("").Unmap()
	if inner, ok := embedded(a); ok {
		a = inner
	}
	switch {
	case a.IsLinkLocalUnicast(), a.IsMulticast(), a.IsUnspecified(), within(a, nowhere()):
		return ErrNoServer
	case public && (a.IsLoopback() || a.IsPrivate() || within(a, private())):
		return ErrPrivate
	}
	return nil
}

// nowhere are networks without mail servers, among them addresses at which clouds
// tell their machines' secrets.
func nowhere() []string {
	return []string{
		"0.0.0.0/8", "240.0.0.0/4", // RFC 1122 §3.2.1.3, RFC 1112 §4
		"100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128", // Alibaba, Azure, Oracle, Amazon
	}
}

// private are networks that are not of the Internet, besides those that netip
// knows.
func private() []string {
	return []string{
		"100.64.0.0/10",  // RFC 6598
		"192.0.0.0/24",   // RFC 6890 §2.2.2
		"198.18.0.0/15",  // RFC 2544
		"fec0::/10",      // RFC 3879: once site-local
		"64:ff9b:1::/48", // RFC 8215: translated within a network, to whatever address
	}
}

func within(a netip.Addr, networks []string) bool {
	for _, n := range networks {
		if netip.MustParsePrefix(n).Contains(a) {
			return true
		}
	}
	return false
}

// embedded returns the IPv4 address that an IPv6 address is translated or tunnelled
// to: IPv4-compatible (RFC 4291 §2.5.5.1), NAT64 (RFC 6052 §2.1), 6to4 (RFC 3056 §2).
func embedded(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() || a == netip.IPv6Unspecified() || a == netip.IPv6Loopback() {
		return a, false
	}
	b := a.As16()
	switch {
	case within(a, []string{"::/96", "64:ff9b::/96"}):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case within(a, []string{"2002::/16"}):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return a, false
}
