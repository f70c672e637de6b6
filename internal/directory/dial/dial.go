// Package dial opens connections to directories, and refuses those that
// remote.CheckAddr does: settings of a tenant must not turn the archive against its
// own surroundings.
package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
)

// keepAlive is the time between probes that find a dead peer.
const keepAlive = time.Minute

// Func opens a connection, as net.Dialer.DialContext does.
type Func func(ctx context.Context, network, addr string) (net.Conn, error)

// New returns a Func; with public, networks that are not of the Internet are
// refused as well. It judges the very address that is being connected to, when that
// happens, and does not tell which one it was.
func New(public bool) Func {
	d := &net.Dialer{KeepAlive: keepAlive, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if err := remote.CheckAddr(to.Addr(), public); err != nil {
			return directory.Fail(remote.CodeForbidden, err)
		}
		return nil
	}}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, addr)
		var refused *directory.Error
		if errors.As(err, &refused) {
			return nil, refused
		}
		return conn, err
	}
}
