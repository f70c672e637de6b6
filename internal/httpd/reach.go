package httpd

import (
	"errors"
	"net/netip"
	"strings"
)

// Refusals of hosts, for people.
var (
	errNoServer = errors.New("no mail server can be there")
	errPrivate  = errors.New("addresses of private networks are not allowed here")
)

// reachable refuses hosts that would turn the archive against its own
// surroundings: the metadata services of clouds above all. It judges addresses
// and well-known names; what a name leads to, the fetcher has to judge when it
// connects, for names can change.
func (s *Server) reachable(host string) error {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "metadata" || name == "metadata.google.internal" {
		return errNoServer
	}
	local := name == "localhost" || strings.HasSuffix(name, ".localhost")
	if a, err := netip.ParseAddr(name); err == nil {
		a = a.Unmap().WithZone("")
		if a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) ||
			netip.MustParsePrefix("0.0.0.0/8").Contains(a) || a == netip.MustParseAddr("fd00:ec2::254") {
			return errNoServer
		}
		local = a.IsLoopback() || a.IsPrivate()
	}
	if local && !s.cfg.AllowPrivate {
		return errPrivate
	}
	return nil
}
