package pst

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/muniment/muniment/internal/corpustest"
)

// maxFuzzed keeps single runs fast.
const maxFuzzed = 512 << 10

// FuzzOpenWalk reads whatever it is given to the end: all items, all attachments.
// The seeds are samples of all forms and, where there is a corpus, its small files.
func FuzzOpenWalk(f *testing.F) {
	for _, l := range []layout{ansi(), unicode(), unicode4K()} {
		f.Add(tiny(l, cryptNone))
		f.Add(tiny(l, cryptCyclic))
	}
	if dir, err := corpustest.Find(); err == nil {
		files, _ := filepath.Glob(filepath.Join(dir, "cases", "pst", "*", "data", "*.pst"))
		for _, name := range files {
			if b, err := os.ReadFile(name); err == nil && len(b) <= maxFuzzed {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) <= maxFuzzed {
			exercise(t, b)
		}
	})
}
