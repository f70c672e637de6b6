package mapi

import "unicode/utf16"

// act does what a control word says.
func (r *rtf) act(word string, n int, ok bool) {
	star := r.star
	r.star = false
	if r.named(word) {
		return
	}
	switch word {
	case "u":
		if ok {
			r.unicode(rune(uint16(n)))
			r.passing = r.skip
		}
	case "uc":
		r.skip = min(max(n, 0), 100)
	case "bin":
		r.in = r.in[min(len(r.in), max(n, 0)):]
	case "htmlrtf":
		r.flush()
		r.hidden = !ok || n != 0
	case "htmltag":
		if r.flush(); r.html && r.dest != toNone {
			r.dest = toTag
		} else {
			r.dest = toNone
		}
	case "fonttbl":
		r.flush()
		r.dest = toFonts
	default:
		if star && word != "shppict" || skipped(word) {
			r.flush()
			r.dest = toNone
			return
		}
		r.font(word, n)
	}
}

// font follows which code page text is in.
func (r *rtf) font(word string, n int) {
	switch word {
	case "ansicpg":
		if enc, _ := page(n); enc != nil {
			r.flush()
			r.ansi, r.page = n, n
		}
	case "mac":
		r.ansi, r.page = 10000, 10000
	case "pc":
		r.ansi, r.page = 437, 437
	case "pca":
		r.ansi, r.page = 850, 850
	case "deff":
		r.first = n
	case "fcharset":
		if r.dest == toFonts {
			r.fonts[r.group.font] = r.charset(n)
		}
	case "cpg":
		if enc, _ := page(n); r.dest == toFonts && enc != nil {
			r.fonts[r.group.font] = n
		}
	case "plain":
		r.choose(r.first)
	case "f":
		if r.dest == toFonts {
			if len(r.fonts) < MaxProperties {
				r.group.font = n
			}
			return
		}
		r.choose(n)
	}
}

func (r *rtf) choose(font int) {
	page, ok := r.fonts[font]
	if !ok {
		page = r.ansi
	}
	if page != r.page {
		r.flush()
		r.page = page
	}
}

// charset returns the code page of a font's character set.
func (r *rtf) charset(n int) int {
	switch n {
	case 0, 2:
		return westernCP
	case 77:
		return 10000
	case 128:
		return 932
	case 129:
		return 949
	case 134:
		return 936
	case 136:
		return 950
	case 161, 162, 163:
		return [...]int{1253, 1254, 1258}[n-161]
	case 177:
		return 1255
	case 178:
		return 1256
	case 186:
		return 1257
	case 204:
		return 1251
	case 222:
		return 874
	case 238:
		return 1250
	case 254:
		return 437
	case 255:
		return 850
	}
	return r.ansi
}

// named puts out the characters that have a control word.
func (r *rtf) named(word string) bool {
	switch word {
	case "par", "line", "sect", "page", "row", "softline":
		r.symbol("\r\n", "\r\n")
	case "tab", "cell", "nestcell":
		r.symbol("\t", "\t")
	case "lquote":
		r.symbol("\u2018", "&lsquo;")
	case "rquote":
		r.symbol("\u2019", "&rsquo;")
	case "ldblquote":
		r.symbol("\u201c", "&ldquo;")
	case "rdblquote":
		r.symbol("\u201d", "&rdquo;")
	case "bullet":
		r.symbol("\u2022", "&bull;")
	case "endash":
		r.symbol("\u2013", "&ndash;")
	case "emdash":
		r.symbol("\u2014", "&mdash;")
	case "emspace", "enspace", "qmspace":
		r.symbol(" ", " ")
	default:
		return false
	}
	return true
}

// unicode takes a UTF-16 unit.
func (r *rtf) unicode(c rune) {
	if !r.visible() {
		return
	}
	if r.half != 0 {
		if both := utf16.DecodeRune(r.half, c); both != '\uFFFD' {
			r.half = 0
			r.out.WriteRune(both)
			return
		}
	}
	r.flush()
	if c >= 0xD800 && c < 0xDC00 {
		r.half = c
		return
	}
	r.out.WriteRune(c) // a lone second half becomes U+FFFD
}

// skipped reports whether a destination has no text of the body.
func skipped(word string) bool {
	switch word {
	case "colortbl", "stylesheet", "info", "pict", "mhtmltag", "generator", "listtable", "listoverridetable", "rsidtbl", "revtbl",
		"header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "fldinst", "objdata", "objclass",
		"nonshppict", "themedata", "colorschememapping", "datastore", "latentstyles", "xmlnstbl", "filetbl", "bkmkstart", "bkmkend":
		return true
	}
	return false
}
