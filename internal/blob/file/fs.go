package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is an open file, as the driver uses one.
type File interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Sync() error
	Stat() (fs.FileInfo, error)
}

// FS is every file system call the driver makes, so that a test can make each
// of them fail (see Faulty). Paths are absolute or relative as given to Open.
type FS struct {
	// Mkdir makes one directory.
	Mkdir func(path string, perm fs.FileMode) error
	// Create makes a new file for writing; it fails if path exists.
	Create func(path string, perm fs.FileMode) (File, error)
	// Open opens a file or directory for reading.
	Open func(path string) (File, error)
	// Publish renames a file unless the new name is taken (fs.ErrExist).
	Publish func(from, to string) error
	// Rename renames a file over whatever has the new name.
	Rename func(from, to string) error
	// Remove removes a file or an empty directory.
	Remove func(path string) error
	// ReadDir lists a directory.
	ReadDir func(path string) ([]fs.DirEntry, error)
}

// OS returns the real file system.
func OS() FS {
	return FS{
		Mkdir: os.Mkdir,
		Create: func(path string, perm fs.FileMode) (File, error) {
			return asFile(os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm))
		},
		Open:    func(path string) (File, error) { return asFile(os.Open(path)) },
		Publish: publish,
		Rename:  os.Rename,
		Remove:  os.Remove,
		ReadDir: os.ReadDir,
	}
}

// asFile keeps a nil *os.File from becoming a non-nil File.
func asFile(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// link is publish for file systems that cannot rename without replacing. The
// second name vanishes with the sweep if the process dies in between.
func link(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	return os.Remove(from)
}

// Faulty returns f with before called in front of every call that touches the
// disk, with the name of the call ("mkdir", "create", "open", "publish",
// "rename", "remove", "readdir", "write", "read", "sync", "close") and the path.
// If before returns an error, the call is not made and fails with it; a write
// that fails has written half of its bytes, as a full disk does.
func Faulty(f FS, before func(op, path string) error) FS {
	wrap := func(file File, err error, path string) (File, error) {
		if err != nil {
			return nil, err
		}
		return &faultyFile{File: file, path: path, before: before}, nil
	}
	two := func(op string, call func(from, to string) error) func(from, to string) error {
		return func(from, to string) error {
			if err := before(op, to); err != nil {
				return &os.LinkError{Op: op, Old: from, New: to, Err: err}
			}
			return call(from, to)
		}
	}
	return FS{
		Mkdir: func(path string, perm fs.FileMode) error {
			if err := fault(before, "mkdir", path); err != nil {
				return err
			}
			return f.Mkdir(path, perm)
		},
		Create: func(path string, perm fs.FileMode) (File, error) {
			if err := fault(before, "create", path); err != nil {
				return nil, err
			}
			file, err := f.Create(path, perm)
			return wrap(file, err, path)
		},
		Open: func(path string) (File, error) {
			if err := fault(before, "open", path); err != nil {
				return nil, err
			}
			file, err := f.Open(path)
			return wrap(file, err, path)
		},
		Publish: two("publish", f.Publish),
		Rename:  two("rename", f.Rename),
		Remove: func(path string) error {
			if err := fault(before, "remove", path); err != nil {
				return err
			}
			return f.Remove(path)
		},
		ReadDir: func(path string) ([]fs.DirEntry, error) {
			if err := fault(before, "readdir", path); err != nil {
				return nil, err
			}
			return f.ReadDir(path)
		},
	}
}

func fault(before func(op, path string) error, op, path string) error {
	if err := before(op, path); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

type faultyFile struct {
	File
	path   string
	before func(op, path string) error
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := fault(f.before, "write", f.path); err != nil {
		n, werr := f.File.Write(p[:len(p)/2])
		return n, errors.Join(err, werr)
	}
	return f.File.Write(p)
}

func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if err := fault(f.before, "read", f.path); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *faultyFile) Sync() error {
	if err := fault(f.before, "sync", f.path); err != nil {
		return err
	}
	return f.File.Sync()
}

// Close closes the file in any case, as the system does.
func (f *faultyFile) Close() error {
	err := fault(f.before, "close", f.path)
	return errors.Join(err, f.File.Close())
}

// syncDir makes the names in a directory durable.
func (f FS) syncDir(path string) error {
	d, err := f.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // a file system that has no notion of it
	}
	return errors.Join(err, d.Close())
}

// mkdirs makes path and its missing parents, and makes durable the names of those
// it has made.
func (f FS) mkdirs(path string) error {
	err := f.Mkdir(path, dirPerm)
	parent := filepath.Dir(path)
	if errors.Is(err, fs.ErrNotExist) && parent != path {
		if err := f.mkdirs(parent); err != nil {
			return err
		}
		err = f.Mkdir(path, dirPerm)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.syncDir(parent)
}
