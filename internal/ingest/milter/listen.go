package milter

import (
	"fmt"
	"net"
	"strings"

	"github.com/muniment/muniment/internal/socket"
)

// socketMode lets the owner and the group of a Unix socket connect: who can
// connect can put messages into the archive.
const socketMode = 0o660

// Listen opens the place that spec names as mail servers do: inet:host:port or
// unix:/path. A socket that an earlier process left is replaced; anything else
// at its path is an error.
func Listen(spec string) (net.Listener, error) {
	kind, place, ok := strings.Cut(spec, ":")
	switch {
	case ok && kind == "inet" && strings.Contains(place, ":"):
		return net.Listen("tcp", place)
	case ok && kind == "unix" && place != "":
		return socket.Listen(place, socketMode)
	default:
		return nil, fmt.Errorf("%q: want inet:127.0.0.1:8899 or unix:/path", spec)
	}
}
