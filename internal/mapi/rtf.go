package mapi

import (
	"bytes"
	"strings"
)

// maxGroups bounds nested groups of RTF; what is deeper is read as if it were in
// the deepest.
const maxGroups = 10_000

// Kinds of RTF by what it was made from [MS-OXRTFEX] §2.1.3.1.1.
const (
	rtfPlain = iota // made as RTF
	rtfHTML         // holds HTML
	rtfText         // holds plain text
)

// rtfKind tells what RTF holds. The mark is among the first words.
func rtfKind(b []byte) int {
	head := b[:min(len(b), 1024)]
	switch {
	case bytes.Contains(head, []byte(`\fromhtml`)) && !bytes.Contains(head, []byte(`\fromhtml0`)):
		return rtfHTML
	case bytes.Contains(head, []byte(`\fromtext`)):
		return rtfText
	}
	return rtfPlain
}

// Destinations of text.
const (
	toBody  = iota
	toNone  // pictures, tables of styles, …
	toFonts // the font table
	toTag   // HTML as it was
)

// group is the state that a closing brace takes back.
type group struct {
	dest   int
	page   int  // code page of the font
	skip   int  // characters that stand for one \u
	hidden bool // between \htmlrtf and \htmlrtf0: RTF that is not of the HTML
	font   int  // in the font table: which one
}

// rtf is a reader of RTF that keeps the text of the body, and of HTML in it.
type rtf struct {
	in   []byte
	html bool
	group
	stack   []group
	over    int // groups beyond maxGroups
	star    bool
	passing int // characters still to pass after \u
	ansi    int // code page of the document
	fonts   map[int]int
	first   int // font of \plain
	pending []byte
	half    rune // first half of a surrogate pair
	out     strings.Builder
}

// readRTF returns the text of RTF, or the HTML that it holds. It never fails:
// what is no RTF comes out as text, more or less.
func readRTF(b []byte, html bool) string {
	r := &rtf{in: b, html: html, ansi: westernCP, fonts: map[int]int{}}
	r.group = group{page: westernCP, skip: 1}
	for len(r.in) > 0 {
		c := r.in[0]
		r.in = r.in[1:]
		switch c {
		case '{':
			r.open()
		case '}':
			r.close()
		case '\\':
			r.control()
		case '\r', '\n', 0:
		default:
			r.char(c)
		}
	}
	r.flush()
	return r.out.String()
}

func (r *rtf) open() {
	r.flush()
	r.star, r.passing = false, 0
	if len(r.stack) >= maxGroups {
		r.over++
		return
	}
	r.stack = append(r.stack, r.group)
}

func (r *rtf) close() {
	r.flush()
	r.star, r.passing = false, 0
	if r.over > 0 {
		r.over--
		return
	}
	if n := len(r.stack); n > 0 {
		r.group = r.stack[n-1]
		r.stack = r.stack[:n-1]
	}
}

// control reads what comes after a backslash.
func (r *rtf) control() {
	if len(r.in) == 0 {
		return
	}
	c := r.in[0]
	if letter(c) {
		word, n, ok := r.word()
		r.act(word, n, ok)
		return
	}
	r.in = r.in[1:]
	switch c {
	case '\'':
		if len(r.in) >= 2 {
			if v, ok := hex2(r.in[0], r.in[1]); ok {
				r.in = r.in[2:]
				r.char(v)
			}
		}
	case '\\', '{', '}':
		r.char(c)
	case '\r', '\n':
		if c == '\r' && len(r.in) > 0 && r.in[0] == '\n' {
			r.in = r.in[1:]
		}
		r.symbol("\r\n", "\r\n")
	case '~':
		r.symbol("\u00a0", "&nbsp;")
	case '_':
		r.symbol("\u2011", "&shy;")
	case '*':
		r.star = true
	}
}

// word reads a control word with its number.
func (r *rtf) word() (word string, n int, ok bool) {
	i := 0
	for i < len(r.in) && letter(r.in[i]) {
		i++
	}
	word = string(r.in[:min(i, 32)])
	j, minus := i, false
	if j < len(r.in) && r.in[j] == '-' {
		minus = true
		j++
	}
	for ; j < len(r.in) && r.in[j] >= '0' && r.in[j] <= '9'; j++ {
		if n < 1<<30 {
			n = n*10 + int(r.in[j]-'0')
		}
		ok = true
	}
	if !ok {
		j = i
	} else if minus {
		n = -n
	}
	if j < len(r.in) && r.in[j] == ' ' {
		j++
	}
	r.in = r.in[j:]
	return word, n, ok
}

// char takes a byte of text.
func (r *rtf) char(c byte) {
	if r.passing > 0 {
		r.passing--
		return
	}
	if r.visible() {
		if r.half != 0 {
			r.flush()
		}
		r.pending = append(r.pending, c)
	}
}

// visible reports whether text is kept here.
func (r *rtf) visible() bool {
	switch r.dest {
	case toBody:
		return !r.html || !r.hidden
	case toTag:
		return !r.hidden
	}
	return false
}

// flush decodes the bytes gathered: a character of several bytes may be written
// partly as \'hh, partly as it is.
func (r *rtf) flush() {
	if len(r.pending) > 0 {
		page := r.page
		if r.dest == toTag {
			page = r.ansi
		}
		r.out.WriteString(DecodeANSI(r.pending, page))
		r.pending = r.pending[:0]
	}
	if r.half != 0 {
		r.half = 0
		r.out.WriteRune('\uFFFD')
	}
}

// symbol takes a character that has a name.
func (r *rtf) symbol(text, html string) {
	if r.passing > 0 {
		r.passing--
		return
	}
	if !r.visible() {
		return
	}
	r.flush()
	if r.html {
		text = html
	}
	r.out.WriteString(text)
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func hex2(a, b byte) (byte, bool) {
	hi, ok1 := hex1(a)
	lo, ok2 := hex1(b)
	return hi<<4 | lo, ok1 && ok2
}

func hex1(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
