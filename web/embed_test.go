package web

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestBuilt(t *testing.T) {
	t.Parallel()
	root := fstest.MapFS{"dist/.gitkeep": {}}
	if _, err := built(root); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("without index.html: %v, want ErrNotBuilt", err)
	}
	root["dist/index.html"] = &fstest.MapFile{Data: []byte("<!doctype html>")}
	files, err := built(root)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(files, "index.html"); err != nil || string(b) != "<!doctype html>" {
		t.Errorf("index.html: %q, %v", b, err)
	}
}

// TestFS holds for a checkout with and without a built interface.
func TestFS(t *testing.T) {
	t.Parallel()
	files, err := FS()
	if errors.Is(err, ErrNotBuilt) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(files, "scheme.js"); err != nil {
		t.Errorf("built without the colour scheme's script: %v", err)
	}
}
