package milter

import (
	"fmt"
	"net"
	"strings"

	"github.com/muniment/muniment/internal/socket"
)

// Listen opens the place that spec names as mail servers do: inet:host:port or
// unix:/path. A socket that an earlier process left is replaced; anything else
// at its path is an error.
func Listen(spec string) (net.Listener, error) {
	kind, place, ok := strings.Cut(spec, ":")
	switch {
	case ok && kind == "inet" && strings.Contains(place, ":"):
		return net.Listen("tcp", place)
	case ok && kind == "unix" && place != "":
		return socket.Listen(place, socket.GroupMode)
	default:
		return nil, fmt.Errorf("%q: want inet:127.0.0.1:8899 or unix:/path", spec)
	}
}
