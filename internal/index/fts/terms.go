package fts

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/index/text"
)

// Terms that are no words begin with an underscore and a letter. A word never
// has an underscore, so they need no column filter to stay apart.
const (
	termAll       = "_z" // on every document
	termGap       = "_"  // between values, so that no phrase reaches across
	termAttached  = "_h"
	termDocument  = "_d" // on every document, not on mail
	markAccess    = "_a" // + hash of an address that may see the document
	markBccAccess = "_x" // + hash of an address that may know blind copies
	markFrom      = "_f" // + hash of an address
	markTo        = "_o"
	markCc        = "_p"
	markBcc       = "_q"
	markBccWord   = "_b" // + word of a blind recipient
	markCategory  = "_c" // + text.Key
	markClass     = "_k"
	markTag       = "_g"
	markSource    = "_s"
	markKind      = "_t" // + kind of file
	markMIME      = "_m" // + text.Key of a MIME type
)

// farGap keeps texts so far apart that no NEAR reaches across.
var farGap = strings.Repeat(termGap+" ", query.MaxDistance+1)

// columns are the terms of one document, in the order of the table.
type columns struct {
	subject, body, file, attach, sender, rcpt, cc, meta []byte
}

var hashText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// hashed returns the term of an address: 65 bits are enough that no two
// addresses of a tenant meet.
func hashed(mark, address string) string {
	sum := sha256.Sum256([]byte(address))
	return mark + hashText.EncodeToString(sum[:9])[:13]
}

// fill makes the terms of d, reusing the memory of c.
func (c *columns) fill(d *index.Doc, sc *text.Scanner) {
	c.subject = words(c.subject[:0], sc, d.Subject, "")
	c.body = words(c.body[:0], sc, d.Body, "")
	c.file, c.attach, c.meta = c.file[:0], c.attach[:0], c.meta[:0]
	for _, f := range d.Files {
		c.file = gap(words(c.file, sc, f.Name, ""))
		if f.Text != "" {
			c.attach = words(c.attach, sc, f.Text, "")
			c.attach = append(c.attach, farGap...)
		}
	}
	c.sender = c.people(c.sender[:0], sc, d.From)
	c.rcpt = c.people(c.rcpt[:0], sc, d.To)
	c.cc = c.people(c.cc[:0], sc, d.Cc)
	c.fillMeta(d, sc)
}

func (c *columns) people(b []byte, sc *text.Scanner, ps []index.Party) []byte {
	for _, p := range ps {
		b = gap(words(b, sc, p.Name, ""))
		b = gap(words(b, sc, p.Address, ""))
	}
	return b
}

func (c *columns) fillMeta(d *index.Doc, sc *text.Scanner) {
	seen := map[string]bool{}
	add := func(term string) {
		if !seen[term] {
			seen[term] = true
			c.meta = append(append(c.meta, term...), ' ')
		}
	}
	add(termAll)
	for _, a := range d.Access {
		add(hashed(markAccess, a))
	}
	for _, a := range d.BccAccess {
		add(hashed(markBccAccess, a))
	}
	for mark, ps := range map[string][]index.Party{markFrom: d.From, markTo: d.To, markCc: d.Cc, markBcc: d.Bcc} {
		for _, p := range ps {
			if p.Address != "" {
				add(hashed(mark, p.Address))
			}
		}
	}
	for mark, v := range map[string]string{markCategory: d.Category, markClass: d.Class, markSource: d.Source} {
		if k := text.Key(v); k != "" {
			add(mark + k)
		}
	}
	for _, v := range d.Tags {
		add(markTag + text.Key(v))
	}
	switch {
	case d.Document:
		add(termDocument)
	case len(d.Files) > 0:
		add(termAttached)
	}
	for _, f := range d.Files {
		for _, k := range query.KindsOf(f.Name, f.Type) {
			add(markKind + k)
		}
		add(markMIME + text.Key(f.Type))
	}
	for _, p := range d.Bcc {
		c.meta = gap(words(c.meta, sc, p.Name, markBccWord))
		c.meta = gap(words(c.meta, sc, p.Address, markBccWord))
	}
}

// words appends the tokens of s, each after mark and before a space.
func words(b []byte, sc *text.Scanner, s, mark string) []byte {
	sc.Reset(s)
	for n := 0; n < text.MaxTokens && sc.Next(); n++ {
		b = append(b, mark...)
		b = append(b, sc.Token()...)
		b = append(b, ' ')
	}
	return b
}

// gap ends a value.
func gap(b []byte) []byte {
	if len(b) == 0 || strings.HasSuffix(string(b[max(len(b)-3, 0):]), " "+termGap+" ") {
		return b
	}
	return append(b, termGap+" "...)
}
