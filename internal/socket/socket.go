// Package socket opens Unix sockets for doors.
package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"
)

// answerTime is how long a socket's owner has to take a connection.
const answerTime = time.Second

// GroupMode lets the owner and the group of a socket connect, such as the group of a
// mail server: who can connect can put messages into the archive.
const GroupMode fs.FileMode = 0o660

// Listen opens a socket at path with the permissions mode. A socket that an ended
// process has left is replaced; one that somebody listens at, and anything that
// is no socket, is left alone and an error.
func Listen(path string, mode fs.FileMode) (net.Listener, error) {
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case st.Mode()&fs.ModeSocket == 0:
		return nil, fmt.Errorf("%s: is there and is no socket", path)
	default:
		if c, err := net.DialTimeout("unix", path, answerTime); err == nil {
			return nil, errors.Join(fmt.Errorf("%s: another process listens there", path), c.Close())
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}
