package mailbox

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/muniment/muniment/internal/remote"
)

// keepAlive is the time between probes that find a dead peer.
const keepAlive = time.Minute

// dialer opens connections, and refuses those that remote.CheckAddr does. It
// judges the very address that is being connected to, when that happens: whatever
// a name led to a moment before says nothing.
func (f *Fetcher) dialer() func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{KeepAlive: keepAlive, Resolver: f.names,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if err := remote.CheckAddr(to.Addr(), f.PublicOnly); err != nil {
				return &coded{remote.CodeForbidden, err}
			}
			return nil
		}}
	return d.DialContext
}

// refusal takes everything from the error of a connection that was refused here
// but the refusal: to which address a name leads inside our networks is nobody's
// business.
func refusal(err error) error {
	var c *coded
	if errors.As(err, &c) && c.code == remote.CodeForbidden {
		return c
	}
	return err
}
