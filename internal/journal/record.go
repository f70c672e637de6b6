package journal

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"
)

// maxWraps is how many lines Exchange 2003 may break an entry into.
const maxWraps = 8

// record reads the lines of the record, whose part has the header h and ends at
// end.
func (s *source) record(rep *Report, h *header, end int64) error {
	enc := h.encoding()
	if !identity(enc) && enc != base64Encoding && enc != quotedPrintable {
		return incomplete("its record is encoded as %.40q", enc)
	}
	if end-h.body > maxRecord {
		return incomplete("its record has more than %d bytes", maxRecord)
	}
	r := transferDecoder(io.NewSectionReader(s, h.body, end-h.body), enc)
	lines := bufio.NewScanner(charsetDecoder(r, h.contentType().param("charset")))
	lines.Buffer(make([]byte, 0, 4<<10), maxLine)
	p := recordParser{rep: rep, wraps: rep.Form == Exchange2003}
	for first := true; lines.Scan(); first = false {
		text := line(lines.Bytes())
		if first {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if err := p.line(text); err != nil {
			if broken := s.decoded(lines.Err()); broken != nil {
				return broken // and text is only the beginning of a line
			}
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return incomplete("a line of its record is longer than %d bytes", maxLine)
	}
	if err := s.decoded(lines.Err()); err != nil {
		return err
	}
	return p.finish()
}

// recordParser puts physical lines together and their values into the report.
type recordParser struct {
	rep   *Report
	seen  map[string]bool
	wraps bool // lines may be broken without a sign, and recipients stand in a list

	open  bool // there is a line that may go on
	key   string
	value []byte
	lines int  // physical lines of it
	list  bool // in the list of recipients; key is ""
}

// line takes a physical line without its end.
func (p *recordParser) line(text string) error {
	blank := strings.TrimSpace(text) == ""
	key, value, known := cutKey(text)
	switch {
	case blank:
		err := p.flush()
		p.list = false
		return err
	case known || key != "" && !p.list && !p.unfinished():
		if err := p.flush(); err != nil {
			return err
		}
		p.list = p.wraps && key == "recipients"
		p.open, p.key, p.value, p.lines = true, key, append(p.value[:0], value...), 1
		if p.list {
			p.open, p.key = value != "", ""
			return p.entry()
		}
		return nil
	case p.list:
		if !p.open {
			p.open, p.value, p.lines = true, p.value[:0], 0
		}
		p.value = append(p.value, strings.TrimLeft(text, " \t")...)
		p.lines++
		return p.entry()
	case p.unfinished():
		p.value = append(p.value, text...)
		p.lines++
	case p.open && (text[0] == ' ' || text[0] == '\t'):
		p.value = append(append(p.value, ' '), strings.TrimSpace(text)...)
	default:
		return incomplete("its record has a line that does not belong there: %.60q", text)
	}
	if len(p.value) > maxLine {
		return incomplete("a line of its record is longer than %d bytes", maxLine)
	}
	return nil
}

// known are the keys of the record in lower case.
func known(key string) bool {
	switch key {
	case "sender", "on-behalf-of", "subject", "message-id", "label", "mailbox", "sentutc", "sent", "receivedutc", "received",
		"to", "cc", "bcc", "recipient", "recipients":
		return true
	}
	return false
}

// cutKey divides a line that begins with `Key:`; the key is "" if it does not.
// A key that is not known must be followed by a blank.
func cutKey(text string) (key, value string, isKnown bool) {
	name, value, ok := strings.Cut(text, ":")
	if !ok || len(name) > 64 {
		return "", "", false
	}
	for i := range len(name) {
		if c := name[i] | 0x20; (c < 'a' || c > 'z') && (i == 0 || name[i] != '-' && (name[i] < '0' || name[i] > '9')) {
			return "", "", false
		}
	}
	lower := strings.ToLower(name)
	switch {
	case known(lower):
		return lower, strings.TrimSpace(value), true
	case name == "" || value != "" && value[0] != ' ' && value[0] != '\t':
		return "", "", false
	}
	return name, strings.TrimSpace(value), false
}

// unfinished reports whether Exchange 2003 must have broken the line that is
// being read, because its value is not complete.
func (p *recordParser) unfinished() bool {
	if !p.wraps || !p.open || p.lines >= maxWraps {
		return false
	}
	switch p.key {
	case "sender":
		_, ok := parseAddress(string(p.value))
		return !ok
	case "message-id":
		return !bytes.HasSuffix(bytes.TrimSpace(p.value), []byte(">"))
	}
	return false
}

// entry takes the entry of the list of recipients that is being read, if it is
// complete.
func (p *recordParser) entry() error {
	if !p.open {
		return nil
	}
	value := string(p.value)
	r, ok := parseRecipient(strings.TrimRight(value, ", \t"))
	if !ok {
		if p.lines >= maxWraps || len(p.value) > maxLine {
			return p.noAddress("recipients")
		}
		return nil
	}
	p.open = false
	return p.recipient("recipient", value, r)
}

// flush takes the line that is being read.
func (p *recordParser) flush() error {
	if !p.open {
		return nil
	}
	p.open = false
	if p.list {
		return p.noAddress("recipients")
	}
	key, value := p.key, string(bytes.TrimSpace(p.value))
	switch key {
	case "to", "cc", "bcc", "recipient":
		r, ok := parseRecipient(value)
		if !ok {
			return p.noAddress(key)
		}
		return p.recipient(key, value, r)
	case "sent", "received": // another spelling (MS-XJRNL §2.1.9), or something else
		key += "utc"
		if _, ok := parseTime(value); !ok || p.seen[key] {
			return p.unknown(p.key, value)
		}
	case "recipients":
		return p.unknown(p.key, value)
	case "sender", "message-id": // what was joined must have been one thing
		if _, ok := parseAddress(value); p.lines > 1 && !ok && (key == "sender" || strings.ContainsAny(value, " \t")) {
			return incomplete("a line %s of its record goes on with something else: %.60q", key, value)
		}
	}
	if !known(key) {
		return p.unknown(key, value)
	}
	if p.seen[key] {
		return incomplete("its record has several lines %s", key)
	}
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[key] = true
	return p.single(key, clean(value))
}

func (p *recordParser) noAddress(key string) error {
	return incomplete("a line %s of its record has no single address: %.60q", key, string(bytes.TrimSpace(p.value)))
}

// recipient adds one. The null address is nobody: Exchange writes it at times.
func (p *recordParser) recipient(key, value string, r Recipient) error {
	if r.Address == "" && r.Via == Direct {
		return p.unknown(key, strings.TrimSpace(value))
	}
	if r.Address == "" {
		return p.noAddress(key)
	}
	if len(p.rep.Recipients) == MaxRecipients {
		return incomplete("its record has more than %d recipients", MaxRecipients)
	}
	r.Role = Role(key)
	p.rep.Recipients = append(p.rep.Recipients, r)
	return nil
}

func (p *recordParser) unknown(key, value string) error {
	if len(p.rep.Unknown) == maxUnknown {
		return incomplete("its record has more than %d lines that nobody knows", maxUnknown)
	}
	p.rep.Unknown = append(p.rep.Unknown, Line{key, clean(value)})
	return nil
}

// single sets what is there at most once.
func (p *recordParser) single(key, value string) error {
	rep := p.rep
	switch key {
	case "sender":
		rep.Sender = anyAddress(value)
	case "on-behalf-of":
		rep.OnBehalfOf = anyAddress(value)
	case "subject":
		rep.Subject = value
	case "message-id":
		if rep.MessageID = value; strings.EqualFold(value, "Unknown Message-ID") {
			rep.MessageID = ""
		}
	case "label":
		rep.Label = value
	case "mailbox":
		rep.Mailbox = anyAddress(value)
	case "sentutc", "receivedutc":
		t, ok := parseTime(value)
		switch {
		case !ok:
			return p.unknown(key, value)
		case key == "sentutc":
			rep.SentAt = t
		default:
			rep.ReceivedAt = t
		}
	}
	return nil
}

// anyAddress reads what Exchange has taken from a header field and which need be
// no address. "Unspecified Address" is its word for none.
func anyAddress(value string) string {
	if addr, ok := parseAddress(value); ok {
		return addr
	}
	if strings.EqualFold(value, "Unspecified Address") {
		return ""
	}
	return value
}

// finish looks whether everything is there.
func (p *recordParser) finish() error {
	if err := p.flush(); err != nil {
		return err
	}
	need := []string{"sender", "message-id"}
	if p.rep.Form == Exchange2007 || p.rep.Form == M365 {
		need = append(need, "subject")
	}
	for _, key := range need {
		if !p.seen[key] {
			return incomplete("its record has no line %s", key)
		}
	}
	if len(p.rep.Recipients) == 0 {
		return incomplete("its record names no recipient")
	}
	return nil
}

// clean replaces control characters, which an encoded word of the message can
// bring into the record.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// parseTime reads a time in UTC. Its format is left to the writer (MS-XJRNL
// §2.1.9): those of .NET are tried, and those of mail. Without a zone it is UTC.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z", "2006-01-02 15:04:05",
		"01/02/2006 15:04:05", "1/2/2006 3:04:05 PM", time.RFC1123Z, "Mon, _2 Jan 2006 15:04:05 -0700", time.RFC1123,
	} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1970 && t.Year() < 9999 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
