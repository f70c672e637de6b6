//go:build unix

package file

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the lock of a temporary directory. It is held until the file is
// closed, at the latest by the end of the process, however that ends. ok is false
// if somebody else holds it.
func lock(path string) (f *os.File, ok bool, err error) {
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, false, f.Close()
	}
	if err != nil {
		return nil, false, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, true, nil
}
