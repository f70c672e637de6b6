// Package manual embeds the manual: one page a role and language, with its pictures. It
// must know nothing of how it is shown.
//
//	de/, en/   the pages in German and English, of the same names and sections, and their
//	           pictures, which the browser test makes (MUNIMENT_SCREENSHOTS=1)
package manual

import "embed"

//go:embed de/*.md de/*.png en/*.md en/*.png
var files embed.FS

// FS returns the manual: a directory for each language. It is safe for concurrent use.
func FS() embed.FS { return files }
