package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/watch"
)

// open opens the directory of a folder. It is below the tenant's own, whatever links
// are on the way: os.Root does not leave it.
func (s *source) open() (*os.Root, *watch.Problem) {
	if s.w.Root == "" {
		return nil, problem(watch.CodeRoot, "No folders are watched here. Whoever runs the archive sets folder.root.", nil)
	}
	all, err := os.OpenRoot(s.w.Root)
	if err != nil {
		return nil, problem(watch.CodeRoot, "The directory of all watched folders cannot be opened. Whoever runs the archive checks folder.root and its mount.", err)
	}
	defer all.Close()
	st, err := all.Lstat(s.slug)
	if err == nil && !st.IsDir() {
		err = fmt.Errorf("%s is no directory", s.slug)
	}
	var own *os.Root
	if err == nil {
		own, err = all.OpenRoot(s.slug)
	}
	if err != nil {
		return nil, problem(watch.CodeDirectory, "The directory "+s.slug+" of this tenant is not there. Whoever runs the archive makes it below folder.root.", err)
	}
	if s.settings.Directory == "" {
		return own, nil
	}
	defer own.Close()
	dir, err := own.OpenRoot(s.settings.Directory)
	if err != nil {
		return nil, problem(watch.CodeDirectory, "The directory is not there, or a link leads away from the tenant's own. Make it, or correct its name.", err)
	}
	return dir, nil
}

const (
	maxSameName = 10_000 // bounds the search for a name that is free
	maxName     = 255    // bytes of a name in a directory
	maxExt      = 16     // bytes of the end of a name that are kept when it is cut
)

// fitting makes a path whose name is stem, mark and end, in the bytes that a name may have.
func fitting(p, mark, end string) string {
	dir, name := path.Split(p)
	ext := path.Ext(name)
	if len(ext) > maxExt {
		ext = ""
	}
	stem := strings.TrimSuffix(name, ext)
	cut := min(len(stem), maxName-len(ext)-len(mark)-len(end))
	for cut > 0 && cut < len(stem) && !utf8.RuneStart(stem[cut]) {
		cut--
	}
	return dir + stem[:cut] + mark + ext + end
}

// numbered makes a path from another for the nth file of its name.
func numbered(p string, n int) string {
	if n == 1 {
		return p
	}
	return fitting(p, fmt.Sprintf(" (%d)", n), "")
}

// reasonFile is the path of the text that says why a file is in failed.
func reasonFile(p string) string { return fitting(p, "", ".txt") }

// free finds a path for a file in dir that isFree.
func free(root *os.Root, p, dir string, isFree func(to string) (bool, error)) (string, error) {
	to := path.Join(dir, p)
	if err := root.MkdirAll(path.Dir(to), 0o770); err != nil {
		return "", err
	}
	for n := 1; n <= maxSameName; n++ {
		if ok, err := isFree(numbered(to, n)); ok || err != nil {
			return numbered(to, n), err
		}
	}
	return "", fmt.Errorf("%s: %d files have this name", to, maxSameName)
}

// absent reports whether nothing is at a path.
func absent(root *os.Root, p string) (bool, error) {
	_, err := root.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// move moves a file to done or failed, below which it keeps its path. It returns
// where it is now.
func move(root *os.Root, p, dir string) (string, error) {
	to, err := free(root, p, dir, func(to string) (bool, error) { return absent(root, to) })
	if err != nil {
		return "", err
	}
	return to, root.Rename(p, to)
}

// fail moves a file to failed and says why in a text beside it. The text comes
// first: a file there always has one. It never takes the place of anything else.
func fail(root *os.Root, p, reason string) error {
	reason += "\r\n"
	to, err := free(root, p, watch.Failed, func(to string) (bool, error) {
		if ok, err := absent(root, to); !ok || err != nil {
			return false, err
		}
		return tell(root, reasonFile(to), reason)
	})
	if err != nil {
		return err
	}
	return root.Rename(p, to)
}

// tell writes a text, unless something else is there; ok says that it is there now. It
// may be from before a crash.
func tell(root *os.Root, p, text string) (ok bool, err error) {
	f, err := root.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o660)
	if errors.Is(err, fs.ErrExist) {
		st, err := root.Lstat(p)
		if err != nil || !st.Mode().IsRegular() || st.Size() != int64(len(text)) {
			return false, nil //nolint:nilerr // then another name
		}
		b, err := root.ReadFile(p)
		return err == nil && string(b) == text, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.WriteString(text)
	return true, errors.Join(err, f.Close())
}
