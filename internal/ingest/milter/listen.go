package milter

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
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
		return listenUnix(place)
	default:
		return nil, fmt.Errorf("%q: want inet:127.0.0.1:8899 or unix:/path", spec)
	}
}

func listenUnix(path string) (net.Listener, error) {
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case st.Mode()&fs.ModeSocket == 0:
		return nil, fmt.Errorf("%s: is there and is no socket", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}
