// Package journaltest makes journal reports for tests, after the grammar of
// MS-XJRNL and the older form of Exchange 2003. It knows nothing of the package
// that reads them.
package journaltest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// The markers: header fields by which a report is recognised.
const (
	Exchange2003    = "Content-Identifier: ExJournalReport"
	Exchange2003Old = "Content-Identifer: exjournalreport" //nolint:misspell // by Exchange itself
	Exchange2007    = "X-MS-Journal-Report:"
	Organization    = "X-MS-Exchange-Organization-Journal-Report:"
	M365            = "X-MS-PublicTrafficType: Email\nx-ms-journal-report:"
	Piler           = "X-WM-Journal-Report: journal"
)

// Recipient is a line of the record.
type Recipient struct {
	Key                string // To, Cc, Bcc or Recipient
	Address            string
	Redirection        string // "", Expanded or Forwarded
	RedirectionAddress string
}

// Options says what a report is like. The zero value is a report of Microsoft
// 365 about a short invented message.
type Options struct {
	Marker string // field lines; M365 if empty
	Header string // more lines of the header, each with "\n"

	Sender, OnBehalfOf, Subject, MessageID, Label, Mailbox string
	SentUtc, ReceivedUtc                                   time.Time
	Recipients                                             []Recipient

	// Lines changes the lines of the record, for instance their order.
	Lines func(lines []string) []string
	// List writes the recipients as Exchange 2003 does: as a list, with the
	// prefix SMTP:.
	List bool
	// Alternative puts the record beside the same as HTML, as Exchange 2003 does.
	Alternative bool

	Charset  string // of the record; us-ascii or utf-8 if empty
	Encoding string // transfer encoding of the record; 7bit or 8bit if empty
	EOL      string // of everything but the messages; CR LF if empty
	HeadEOL  string // of the header; EOL if empty

	Inner         [][]byte // the messages; one if nil
	InnerEncoding string   // transfer encoding of the messages
	InnerType     string   // message/rfc822 if empty

	Boundary   string   // made from the content if empty
	Preamble   string   // before the first boundary; lines end with "\n"
	ExtraParts []string // parts after the messages, header and body, lines end with "\n"
	Epilogue   string   // after the closing boundary
	Unclosed   bool     // no closing boundary: cut off
	NDR        int      // in how many non-delivery reports it is
}

// Message is the message that reports are about unless told otherwise.
const Message = "From: Anna <anna@a.example>\r\nTo: Ben <ben@b.example>\r\nSubject: Offer\r\nMessage-ID: <1@a.example>\r\n\r\nHello Ben\r\n"

// Build makes a report.
func Build(o Options) []byte {
	o.defaults()
	b := &writer{eol: o.HeadEOL}
	b.text("Received: from mx.example by archive.example; Thu, 12 Jul 2018 12:56:24 +0000\n")
	b.text("From: Anna <anna@a.example>\nSubject: Offer\nMIME-Version: 1.0\n")
	b.text("Message-ID: <0de2b673@journal.report.generator>\n" + o.Marker + "\nAuto-Submitted: auto-generated\n" + o.Header)
	b.text("Content-Type: multipart/mixed;\n\tboundary=\"" + o.Boundary + "\"\n")
	b.eol = o.EOL
	b.text("\n" + o.Preamble + "--" + o.Boundary + "\n")
	o.record(b)
	for _, m := range o.Inner {
		b.text("\n--" + o.Boundary + "\nContent-Type: " + o.InnerType + "\n")
		if o.InnerEncoding != "" {
			b.text("Content-Transfer-Encoding: " + o.InnerEncoding + "\n")
		}
		b.text("\n")
		b.raw(encode(m, o.InnerEncoding, o.EOL, true))
	}
	for _, p := range o.ExtraParts {
		b.text("\n--" + o.Boundary + "\n" + p)
	}
	if !o.Unclosed {
		b.text("\n--" + o.Boundary + "--\n" + o.Epilogue)
	}
	out := b.buf.Bytes()
	for i := range o.NDR {
		out = bounce(out, fmt.Sprintf("ndr%d-%x", i, sha256.Sum256(out)), o.EOL)
	}
	return out
}

func (o *Options) defaults() {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&o.Marker, M365)
	set(&o.EOL, "\r\n")
	set(&o.HeadEOL, o.EOL)
	set(&o.InnerType, "message/rfc822")
	set(&o.Sender, "anna@a.example")
	set(&o.Subject, "Offer")
	set(&o.MessageID, "<1@a.example>")
	if o.Inner == nil {
		o.Inner = [][]byte{[]byte(Message)}
	}
	if o.Recipients == nil {
		o.Recipients = []Recipient{{Key: "Recipient", Address: "ben@b.example"}}
	}
	for i := 0; o.Boundary == ""; i++ {
		sum := sha256.Sum256(append(bytes.Join(o.Inner, nil), byte(i)))
		try := fmt.Sprintf("_%x-%x_", sum[:4], sum[4:10])
		if !slices.ContainsFunc(o.Inner, func(m []byte) bool { return bytes.Contains(m, []byte(try)) }) {
			o.Boundary = try
		}
	}
}

// lines are those of the record.
func (o *Options) lines() []string {
	lines := []string{"Sender: " + o.Sender}
	add := func(key, value string) {
		if value != "" {
			lines = append(lines, key+": "+value)
		}
	}
	add("On-Behalf-Of", o.OnBehalfOf)
	if !o.List {
		lines = append(lines, strings.TrimSpace("Subject: "+o.Subject))
	}
	lines = append(lines, "Message-ID: "+o.MessageID)
	add("Label", o.Label)
	add("Mailbox", o.Mailbox)
	if !o.SentUtc.IsZero() {
		add("SentUtc", o.SentUtc.UTC().Format("2006-01-02 15:04:05Z"))
	}
	if !o.ReceivedUtc.IsZero() {
		add("ReceivedUtc", o.ReceivedUtc.UTC().Format("01/02/2006 15:04:05"))
	}
	if o.List {
		lines = append(lines, "Recipients:")
	}
	for i, r := range o.Recipients {
		line := r.Key + ": " + r.Address
		if r.Redirection != "" {
			line += ", " + r.Redirection + ": " + r.RedirectionAddress
		}
		if o.List {
			line = "\"Name\" <SMTP:" + r.Address + ">"
			if i < len(o.Recipients)-1 {
				line += ","
			}
		}
		lines = append(lines, line)
	}
	if o.Lines != nil {
		lines = o.Lines(lines)
	}
	return lines
}

// record writes the part of the record, without the line break at its end.
func (o *Options) record(b *writer) {
	text := strings.Join(o.lines(), o.EOL) + o.EOL
	ascii := strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0
	charset, enc := o.Charset, o.Encoding
	if charset == "" {
		charset = map[bool]string{true: "us-ascii", false: "utf-8"}[ascii]
	}
	if enc == "" {
		enc = map[bool]string{true: "7bit", false: "8bit"}[ascii]
	}
	body := []byte(text)
	if charset != "us-ascii" && charset != "utf-8" {
		e, err := htmlindex.Get(charset)
		if err != nil {
			panic(err)
		}
		if body, err = e.NewEncoder().Bytes(body); err != nil {
			panic(err)
		}
	}
	inner := "alt-" + o.Boundary
	if o.Alternative {
		b.text("Content-Type: multipart/alternative; boundary=\"" + inner + "\"\n\n--" + inner + "\n")
	}
	b.text("Content-Type: text/plain; charset=\"" + charset + "\"\nContent-Transfer-Encoding: " + enc + "\n\n")
	b.raw(encode(body, enc, o.EOL, false))
	if o.Alternative {
		b.text("\n--" + inner + "\nContent-Type: text/html\n\n<p>the same</p>\n\n--" + inner + "--\n")
	}
}

// bounce puts a message into a non-delivery report (RFC 3462).
func bounce(m []byte, boundary, eol string) []byte {
	b := &writer{eol: eol}
	b.text("From: postmaster@a.example\nSubject: Undeliverable\nMIME-Version: 1.0\n")
	b.text("Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"" + boundary + "\"\n\n")
	b.text("--" + boundary + "\nContent-Type: multipart/alternative; boundary=\"a" + boundary + "\"\n\n")
	b.text("--a" + boundary + "\nContent-Type: text/plain\n\nDelivery has failed.\n--a" + boundary + "--\n")
	b.text("\n--" + boundary + "\nContent-Type: message/delivery-status\n\nReporting-MTA: dns;mx.example\n")
	b.text("\n--" + boundary + "\nContent-Type: message/rfc822\n\n")
	b.raw(m)
	b.text("\n--" + boundary + "--\n")
	return b.buf.Bytes()
}

// encode applies a transfer encoding. Line ends are those of eol, but for a
// binary content, whose own are data.
func encode(b []byte, enc, eol string, binary bool) []byte {
	switch enc {
	case "base64":
		var out []byte
		for s := base64.StdEncoding.EncodeToString(b); s != ""; {
			n := min(76, len(s))
			out = append(append(out, s[:n]...), eol...)
			s = s[n:]
		}
		return out
	case "quoted-printable":
		var out bytes.Buffer
		w := quotedprintable.NewWriter(&out)
		w.Binary = binary
		if _, err := w.Write(b); err != nil {
			panic(err)
		}
		if err := w.Close(); err != nil {
			panic(err)
		}
		return bytes.ReplaceAll(out.Bytes(), []byte("\r\n"), []byte(eol))
	default:
		return b
	}
}

// writer writes lines with its line end.
type writer struct {
	buf bytes.Buffer
	eol string
}

func (w *writer) text(s string) { w.buf.WriteString(strings.ReplaceAll(s, "\n", w.eol)) }
func (w *writer) raw(b []byte)  { w.buf.Write(b) }
