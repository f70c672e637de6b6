package mapi

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// address is a person or list as MAPI names it: the address is one of the kind.
type address struct {
	name, kind, addr string
}

func (a address) empty() bool { return a.name == "" && a.addr == "" }

func (a address) same(b address) bool {
	return strings.EqualFold(a.addr, b.addr) && strings.EqualFold(a.kind, b.kind) && (a.addr != "" || a.name == b.name)
}

// String writes a mailbox (RFC 5322 §3.4). An address that is none of SMTP stays
// readable as a quoted local part at "its kind.invalid", a domain that cannot
// exist (RFC 2606 §2). A name without an address has empty brackets: none is
// invented.
func (a address) String() string {
	spec := a.spec()
	name := phrase(a.name)
	if name == "" || strings.EqualFold(strings.Trim(a.name, "'\" "), a.addr) {
		if spec == "" {
			return `"" <>`
		}
		return "<" + spec + ">"
	}
	return name + " <" + spec + ">"
}

func (a address) spec() string {
	s := oneLine(a.addr)
	if s == "" {
		return ""
	}
	i := strings.LastIndexByte(s, '@')
	if a.smtp() {
		local, domain := s[:i], s[i+1:]
		if strings.IndexFunc(local, func(r rune) bool { return !atom(r) && r != '.' && r < 0x80 }) >= 0 && !quoted(local) {
			local = quote(local)
		}
		return local + "@" + domain
	}
	kind := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(a.kind))
	if kind == "" || len(kind) > 20 {
		kind = "unknown"
	}
	return quote(s) + "@" + kind + ".invalid"
}

// smtp reports whether the address is one of the Internet, whatever its kind is
// called.
func (a address) smtp() bool {
	s := oneLine(a.addr)
	i := strings.LastIndexByte(s, '@')
	return i > 0 && i < len(s)-1 && !strings.ContainsAny(s[i+1:], " <>()\",;:\\/=") && !strings.EqualFold(a.kind, "EX")
}

func quoted(s string) bool {
	return len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' && !strings.ContainsAny(s[1:len(s)-1], `"\`)
}

// lookup puts an address together: an SMTP address from wherever one is, else
// what the sender's system used.
func lookup(name, kind, addr, smtp string, entry, key []byte) address {
	a := address{name: oneLine(name), kind: oneLine(kind), addr: oneLine(addr)}
	if s := (address{addr: smtp}); s.smtp() {
		a.kind, a.addr = "SMTP", oneLine(smtp)
		return a
	}
	if a.smtp() {
		return a
	}
	if one, ok := oneOff(entry); ok && (one.smtp() || a.addr == "") {
		a.kind, a.addr = one.kind, one.addr
		if a.name == "" {
			a.name = one.name
		}
	}
	if k, s, ok := strings.Cut(strings.TrimRight(string(key), "\x00"), ":"); ok && !a.smtp() && strings.EqualFold(k, "SMTP") {
		if s := (address{addr: strings.ToLower(s)}); s.smtp() {
			a.kind, a.addr = "SMTP", s.addr
		}
	}
	if n := (address{addr: a.name}); a.addr == "" && n.smtp() {
		a.kind, a.addr, a.name = "SMTP", n.addr, ""
	}
	return a
}

// sender returns who sent the message, perhaps for somebody else.
func (m *Message) sender() address {
	return lookup(m.Text(IDSenderName), m.Text(IDSenderType), m.Text(IDSenderAddress), m.Text(IDSenderSMTP), m.Bytes(IDSenderEntryID), m.Bytes(IDSenderKey))
}

// author returns in whose name the message was sent.
func (m *Message) author() address {
	return lookup(m.Text(IDSentRepresentingName), m.Text(IDSentRepresentingType), m.Text(IDSentRepresentingAddress), m.Text(IDSentRepresentingSMTP),
		m.Bytes(IDSentRepresentingEntryID), m.Bytes(IDSentRepresentingKey))
}

// recipients returns the recipients of a kind. Without a table there are only
// the names for display.
func (m *Message) recipients(kind int64, display uint16) []address {
	var out []address
	for _, r := range m.Recipients {
		if r.Int(IDRecipientType)&0xF != kind {
			continue
		}
		name := r.Text(IDRecipientDisplayName)
		for _, id := range []uint16{IDDisplayName, IDTransmittableName} {
			if name == "" {
				name = r.Text(id)
			}
		}
		a := lookup(name, r.Text(IDAddressType), r.Text(IDEmailAddress), r.Text(IDSMTPAddress), r.Bytes(IDEntryID), r.Bytes(IDSearchKey))
		if !a.empty() {
			out = append(out, a)
		}
	}
	if len(m.Recipients) == 0 {
		for name := range strings.SplitSeq(m.Text(display), ";") {
			if a := lookup(name, "", "", "", nil, nil); !a.empty() && len(out) < MaxRecipients {
				out = append(out, a)
			}
		}
	}
	return out
}

// replyTo returns to whom answers go: a list of entry identifiers, else names.
func (m *Message) replyTo() []address {
	var out []address
	for _, e := range flatEntries(m.Bytes(IDReplyEntries)) {
		if a, ok := oneOff(e); ok {
			out = append(out, a)
		}
	}
	if len(out) > 0 {
		return out
	}
	for name := range strings.SplitSeq(m.Text(IDReplyNames), ";") {
		if a := lookup(name, "", "", "", nil, nil); a.smtp() {
			out = append(out, a)
		}
	}
	return out
}

// oneOffProvider marks entry identifiers that hold an address themselves.
const oneOffProvider = "\x81\x2b\x1f\xa4\xbe\xa3\x10\x19\x9d\x6e\x00\xdd\x01\x0f\x54\x02"

// oneOff reads a one-off entry identifier [MS-OXCDATA] §2.2.5.1.
func oneOff(b []byte) (address, bool) {
	if len(b) < 24 || string(b[4:20]) != oneOffProvider {
		return address{}, false
	}
	unicode := binary.LittleEndian.Uint16(b[22:])&0x8000 != 0
	b = b[24:]
	var texts [3]string
	for i := range texts {
		if unicode {
			n := 0
			for n+1 < len(b) && (b[n] != 0 || b[n+1] != 0) {
				n += 2
			}
			texts[i] = oneLine(decodeUTF16(b[:n]))
			b = b[min(len(b), n+2):]
			continue
		}
		text, rest, _ := bytes.Cut(b, []byte{0})
		texts[i], b = oneLine(DecodeANSI(text, westernCP)), rest
	}
	return address{name: texts[0], kind: texts[1], addr: texts[2]}, texts[0] != "" || texts[2] != ""
}

// flatEntries takes a FlatEntryList [MS-OXCDATA] §2.3.3 apart.
func flatEntries(b []byte) [][]byte {
	var out [][]byte
	for b = b[min(len(b), 8):]; len(b) > 4 && len(out) < MaxRecipients; {
		n := int64(binary.LittleEndian.Uint32(b))
		if n > int64(len(b)-4) {
			break
		}
		out = append(out, b[4:4+n])
		b = b[min(int64(len(b)), (4+n+3)&^3):]
	}
	return out
}
