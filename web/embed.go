// Package web embeds the web interface: the files that `make build` makes from the
// sources in this directory. It must know nothing of how they are served.
//
//	embed.go    the embedded files   src/      the interface (React, TypeScript)
//	dist/       what is embedded     public/   files copied as they are
package web

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt says that this binary was compiled before the web interface was made.
var ErrNotBuilt = errors.New("the web interface is not part of this binary; `make build` makes it")

// FS returns the files of the web interface with index.html at the top. If they are
// missing it returns ErrNotBuilt. It is safe for concurrent use.
func FS() (fs.FS, error) {
	return built(dist)
}

func built(root fs.FS) (fs.FS, error) {
	files, err := fs.Sub(root, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the web interface: %w", err)
	}
	if _, err := fs.Stat(files, "index.html"); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNotBuilt
		}
		return nil, fmt.Errorf("open the web interface: %w", err)
	}
	return files, nil
}
