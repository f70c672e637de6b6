package archive

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/catalog"
)

// Bounds of what is kept of a filing.
const (
	maxFolder = 1000 // bytes of a folder's path
	maxFlags  = 64
	maxFlag   = 100 // bytes of one flag
)

// filing returns what is kept of f: text that is text, of bounded length, and a
// date with whole seconds, as mailboxes know it. Nil if nothing is left.
func filing(f *catalog.Filing) *catalog.Filing {
	if f == nil {
		return nil
	}
	out := &catalog.Filing{Folder: cut(f.Folder, maxFolder)}
	for _, flag := range f.Flags {
		if flag = cut(flag, maxFlag); flag != "" && len(out.Flags) < maxFlags {
			out.Flags = append(out.Flags, flag)
		}
	}
	if f.Date != nil && !f.Date.IsZero() && f.Date.Year() > 0 && f.Date.Year() < 10000 { // others cannot be written as RFC 3339
		out.Date = new(f.Date.Truncate(time.Second))
	}
	if out.Folder == "" && len(out.Flags) == 0 && out.Date == nil {
		return nil
	}
	return out
}

// cut shortens text to at most n bytes, at a character's end.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
