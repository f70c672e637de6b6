// Package wholefile writes small files that are there whole or not at all: a reader,
// and whoever starts after a crash, sees the old content or the new one, never a part.
// It must not know what is in the files.
package wholefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// unfinished begins the name of a file that is being written.
const unfinished = ".unfinished-"

// Unfinished says whether a name in a directory, without the path to it, is that of a
// file that was being written when its process ended. Such a file may be removed when
// no process writes in the directory.
func Unfinished(name string) bool { return strings.HasPrefix(name, unfinished) }

// Replace gives the file called name the content that write writes, and the mode,
// in place of what it may have had. When it returns nil, content and name are durable.
// After an error the file is as it was, but for one of the last step, the sync of the
// directory: then it is new, and may be the old one again after a crash. Two at the same
// time do not mix; the last one stays. The directory must exist.
func Replace(name string, mode fs.FileMode, write func(io.Writer) error) error {
	return put(name, mode, write, os.Rename)
}

// Create is Replace for a file that must not exist: fs.ErrExist if it does, and of two
// at the same time one gets that error.
func Create(name string, mode fs.FileMode, write func(io.Writer) error) error {
	return put(name, mode, write, os.Link)
}

// Bytes writes b: for Replace and Create.
func Bytes(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

func put(name string, mode fs.FileMode, write func(io.Writer) error, publish func(from, to string) error) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, unfinished+"*") // mode 0600
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = publish(f.Name(), name)
	}
	if rm := os.Remove(f.Name()); rm != nil && !errors.Is(rm, fs.ErrNotExist) { // a renamed one is gone
		err = errors.Join(err, rm)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
