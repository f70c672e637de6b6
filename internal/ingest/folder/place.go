package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

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

// maxSameName bounds the search for a name that is free.
const maxSameName = 10_000

// free finds a path that is not taken.
func free(root *os.Root, p string) (string, error) {
	ext := path.Ext(p)
	stem := strings.TrimSuffix(p, ext)
	for n := 1; n <= maxSameName; n++ {
		to := p
		if n > 1 {
			to = fmt.Sprintf("%s (%d)%s", stem, n, ext)
		}
		if _, err := root.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			return to, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: %d files have this name", p, maxSameName)
}

// move moves a file to done or failed, below which it keeps its path. It returns
// where it is now.
func move(root *os.Root, p, dir string) (string, error) {
	to := path.Join(dir, p)
	if err := root.MkdirAll(path.Dir(to), 0o770); err != nil {
		return "", err
	}
	to, err := free(root, to)
	if err != nil {
		return "", err
	}
	return to, root.Rename(p, to)
}

// fail moves a file to failed and says why in a text beside it. The text comes
// first: a file there always has one.
func fail(root *os.Root, p, reason string) error {
	to := path.Join(watch.Failed, p)
	if err := root.MkdirAll(path.Dir(to), 0o770); err != nil {
		return err
	}
	to, err := free(root, to)
	if err != nil {
		return err
	}
	if err := root.WriteFile(to+".txt", []byte(reason+"\r\n"), 0o660); err != nil {
		return err
	}
	return root.Rename(p, to)
}
