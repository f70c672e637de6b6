package wire

import (
	"net"
	"net/netip"
)

// Peer returns the IP address of a; the zero Addr if it has none, as on a Unix socket.
func Peer(a net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// PeerName returns what the log and Submission.Peer call a peer.
func PeerName(a netip.Addr) string {
	if !a.IsValid() {
		return "local"
	}
	return a.String()
}

// Allowed says whether a peer may connect: where no networks are named everybody may,
// and so may whoever has no address.
func Allowed(networks []netip.Prefix, peer netip.Addr) bool {
	if len(networks) == 0 || !peer.IsValid() {
		return true
	}
	for _, n := range networks {
		if n.Contains(peer) {
			return true
		}
	}
	return false
}

// Within says whether one more than n is allowed. A limit below 0 is none.
func Within(n, limit int) bool { return limit < 0 || n < limit }
