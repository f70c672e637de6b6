// Package message reads anything that claims to be mail. It never refuses and
// never decides whether a message is kept: what it finds are facts for searching
// and showing, and what it cannot read it passes over with a warning.
//
// One pass of our own over the bytes (scan.go) finds the header fields and the
// parts with their places, in bounded memory whatever the size of the message.
// Only texts of readable size are then decoded: transfer encoding, character
// set, HTML. Parts are decoded from their place when somebody asks (part.go).
//
// The package is a leaf: no server, no storage, no network.
//
//	message.go  types, Parse          charset.go   character sets, UTF-7
//	scan.go     structure and places  htmltext.go  HTML to text
//	garbage.go  lines that are no fields
//	field.go    header fields         safehtml.go  HTML for a sandboxed frame
//	words.go    RFC 2047, RFC 2231    part.go      transfer encodings
//	address.go  lists of addresses    guess.go     character sets nobody declared
//	mailbox.go  single addresses
//	text.go     the text for search   source.go    what only the source has
//	refs.go     what HTML refers to
package message

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// Version is the version of this parser: it is raised when the same bytes give
// other facts.
const Version = 4

// Limits of parsing. What lies beyond them is kept in the archive all the same,
// it is only not found or not shown.
const (
	maxText     = 4 << 20   // bytes of Facts.Text
	maxHeader   = 1 << 20   // bytes of header of one part that are read
	maxEnvelope = 8 << 20   // bytes of header of the message itself
	maxFields   = 2000      // header fields of one entity
	maxField    = 256 << 10 // bytes of one field's value
	maxPeople   = 4 << 20   // bytes of the value of a field that lists addresses
	maxDepth    = 40        // nested entities
	maxParts    = 1000      // parts of one message
	maxReplyTo  = 1000      // addresses to reply to of one message
	maxWarnings = 20
)

// MaxParties is how many senders and recipients of one message are read, all
// roles but RoleReplyTo. Warnings tell if there are more.
const MaxParties = 20_000

// timeLimit ends the decoding of bodies; what is decoded by then is used.
const timeLimit = 3 * time.Second

// Raw gives the bytes of a message. ReadAt may be called concurrently.
type Raw interface {
	io.ReaderAt
	Size() int64
}

// Role says what an address has to do with a message.
type Role string

// Roles of addresses in a header (RFC 5322 §3.6).
const (
	RoleFrom    Role = "from"
	RoleSender  Role = "sender"
	RoleTo      Role = "to"
	RoleCc      Role = "cc"
	RoleBcc     Role = "bcc"
	RoleReplyTo Role = "reply-to"
)

// Party is an address in the header.
type Party struct {
	Role    Role
	Name    string // decoded, may be empty
	Address string // as NormalizeAddress writes it; may be empty if only a name is there
}

// Header is one header field.
type Header struct {
	Name  string // as written
	Value string // unfolded and decoded
}

// Part is a leaf of the MIME structure, or an attached message.
type Part struct {
	No          int    // 0, 1, 2 … in the order of the bytes
	Path        string // as in IMAP (RFC 9051 §6.4.5), e.g. "1.2"
	Type        string // media type, lower case
	Charset     string
	Name        string // file name, decoded; may be empty
	ContentID   string // without angle brackets
	Disposition string // "attachment", "inline" or empty
	Encoding    string // transfer encoding, lower case
	Location    string // Content-Location (RFC 2557 §4.2); may be empty
	Attachment  bool   // what people call an attachment
	Inline      bool   // a picture that the HTML body refers to; never an Attachment as well
	Offset      int64  // of the encoded body within the message
	Length      int64  // of the encoded body, bytes
	Size        int64  // decoded, an estimate for encoded parts
}

// Facts is what was found in a message.
type Facts struct {
	Version    int
	MessageID  string // without angle brackets
	InReplyTo  []string
	References []string
	Subject    string
	Date       time.Time // of the Date field, UTC; zero if there is none that can be read
	Parties    []Party
	Text       string // readable text: plain texts, HTML without its markup, after a warning also the source
	HTML       bool   // there is an HTML body
	Parts      []Part
	Warnings   []string
	Truncated  bool // Text or Parts are not complete
	Encrypted  bool // S/MIME or OpenPGP: the content is not in Text
	Signed     bool
	Blind      int64 // bytes of the fields that name blind recipients, without continuations beyond the limits

	root *entity // whose fields Headers decodes
}

// Attachments lists the parts that people call attachments.
func (f *Facts) Attachments() []Part {
	var out []Part
	for _, p := range f.Parts {
		if p.Attachment {
			out = append(out, p)
		}
	}
	return out
}

// Files lists the attachments and, after them, the pictures inside the text:
// all parts that can be saved one by one.
func (f *Facts) Files() []Part {
	out := f.Attachments()
	for _, p := range f.Parts {
		if p.Inline {
			out = append(out, p)
		}
	}
	return out
}

// Headers lists the fields of the outermost header, decoded, in their order. It
// decodes them at each call: who archives a message does not look at most of them.
func (f *Facts) Headers() []Header {
	if f.root == nil {
		return nil
	}
	charset := f.root.params["charset"]
	list := make([]Header, 0, len(f.root.fields))
	for _, fd := range f.root.fields {
		h := Header{Name: clean(latin(fd.name)), Value: decodeField(fd.value, charset)}
		if len(fd.value) > maxField {
			h.Value += " …"
		}
		list = append(list, h)
	}
	return list
}

func (f *Facts) warn(format string, args ...any) {
	if len(f.Warnings) < maxWarnings {
		f.Warnings = append(f.Warnings, clean(fmt.Sprintf(format, args...)))
	}
}

// Parse finds the facts of a message. It never fails: what cannot be read is
// missing and told of in Warnings. All strings are valid UTF-8 without control
// characters but newline and tab. It takes memory for the texts only.
func Parse(ctx context.Context, raw Raw) (f *Facts) {
	f = &Facts{Version: Version}
	defer func() {
		if r := recover(); r != nil {
			// A bug of ours or of a library must not keep a message from being
			// archived; the fuzz tests turn it into a failure.
			f.warn("parser failed: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	s := scan(raw)
	f.Warnings, f.Truncated = s.warnings, s.truncated
	f.root = s.root
	f.header(s.root)
	f.parts(s)
	f.attachments(f.texts(ctx, raw, s))
	return f
}

// header takes the facts from the fields of the outermost header.
func (f *Facts) header(e *entity) {
	charset := e.params["charset"]
	people := &gathering{facts: f, seen: map[Party]struct{}{}}
	for _, fd := range e.fields {
		if fd.key == "bcc" || fd.key == "resent-bcc" {
			f.Blind += int64(fd.size)
		}
		switch fd.key {
		case "subject":
			if f.Subject == "" {
				f.Subject = strings.TrimSpace(oneLine(decodeField(fd.value, charset)))
			}
		case "message-id":
			if f.MessageID == "" {
				f.MessageID = firstID(fd.value)
			}
		case "in-reply-to":
			f.InReplyTo = append(f.InReplyTo, ids(fd.value)...)
		case "references":
			f.References = append(f.References, ids(fd.value)...)
		case "date":
			if f.Date.IsZero() {
				if t, ok := parseDate(fd.value); ok {
					f.Date = t
				} else {
					f.warn("date cannot be read")
				}
			}
		case "from", "sender", "to", "cc", "bcc", "reply-to":
			people.add(Role(fd.key), fd.value, charset)
		case "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc":
			people.add(Role(strings.TrimPrefix(fd.key, "resent-")), fd.value, charset)
		case "apparently-to":
			people.add(RoleTo, fd.value, charset)
		}
	}
}

// gathering collects the parties of a header, each once.
type gathering struct {
	facts *Facts
	seen  map[Party]struct{} // with their names only if they have no address
	reply int                // how many of them are to be replied to
	cut   bool               // there are more
}

func (g *gathering) add(role Role, value, charset string) {
	left := MaxParties - (len(g.facts.Parties) - g.reply)
	if role == RoleReplyTo {
		left = maxReplyTo - g.reply
	}
	list, more := parseAddresses(value, charset, MaxParties)
	for _, p := range list {
		p.Role = role
		key := p
		if p.Address != "" {
			key.Name = ""
		}
		if _, dup := g.seen[key]; dup {
			continue
		}
		if left == 0 {
			more = true
			break
		}
		g.seen[key] = struct{}{}
		g.facts.Parties = append(g.facts.Parties, p)
		left--
		if role == RoleReplyTo {
			g.reply++
		}
	}
	if more && !g.cut {
		g.cut, g.facts.Truncated = true, true
		g.facts.warn("the header names too many people; only the first are used")
	}
}

// parts turns the leaves of the structure into parts.
func (f *Facts) parts(s *scanner) {
	for i, e := range s.leaves {
		p := Part{
			No: i, Path: e.path, Type: e.mediaType, Charset: e.params["charset"], Encoding: e.encoding, Disposition: e.disposition,
			ContentID: strings.Trim(strings.TrimSpace(clean(e.value("content-id"))), "<>"), Location: strings.TrimSpace(clean(e.value("content-location"))),
			Name: e.fileName(), Offset: e.start, Length: max(e.end-e.start, 0),
		}
		p.Size = decodedSize(p)
		f.Parts = append(f.Parts, p)
		switch p.Type {
		case "application/pkcs7-mime", "application/x-pkcs7-mime":
			f.Encrypted = !strings.Contains(e.params["smime-type"], "signed")
			f.Signed = f.Signed || !f.Encrypted
		case "application/pgp-encrypted":
			f.Encrypted = true
		case "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature":
			f.Signed = true
		}
	}
}

// attachments decides which parts are attachments: everything with a content of
// its own but the texts, and but the pictures that the HTML body refers to. A
// Content-ID alone says nothing: phones give one to every photo.
func (f *Facts) attachments(refs references) {
	for i := range f.Parts {
		p := &f.Parts[i]
		body := strings.HasPrefix(p.Type, "text/") && p.Type != "text/calendar" && p.Type != "text/vcard"
		p.Inline = p.Disposition != "attachment" && strings.HasPrefix(p.Type, "image/") && refs.to(*p)
		p.Attachment = !p.Inline && (p.Disposition == "attachment" || p.Name != "" || !body && !structural(p.Type))
	}
}

// structural lists types that carry no content of their own for people.
func structural(t string) bool {
	switch t {
	case "message/delivery-status", "message/disposition-notification", "text/rfc822-headers", "application/pgp-encrypted", "":
		return true
	}
	return strings.HasPrefix(t, "multipart/")
}
