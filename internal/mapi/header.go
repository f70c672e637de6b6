package mapi

import (
	"slices"
	"strings"
	"time"
)

// classField names the field that keeps the message class.
const classField = "X-Mapi-Message-Class"

// header writes the header of the message but for the fields of MIME.
func (m *Message) header() *fields {
	f := &fields{}
	have := m.transport(f)
	add := func(name, value string) {
		if value != "" && !have[strings.ToLower(name)] {
			f.add(name, value)
		}
	}
	addresses := func(name string, list []address) {
		texts := make([]string, len(list))
		for i, a := range list {
			texts[i] = a.String()
		}
		add(name, strings.Join(texts, ", "))
	}
	from, sender := m.author(), m.sender()
	if from.empty() {
		from = sender
	}
	if first := m.recipients(RecipientFrom, 0); from.empty() && len(first) > 0 {
		from = first[0]
	}
	if !from.empty() {
		addresses("From", []address{from})
	}
	sent := len(have) == 0
	if sent && !sender.empty() && !sender.same(from) {
		addresses("Sender", []address{sender})
	}
	if sent {
		addresses("Reply-To", m.replyTo())
	}
	addresses("To", m.recipients(RecipientTo, IDDisplayTo))
	addresses("Cc", m.recipients(RecipientCc, IDDisplayCc))
	addresses("Bcc", m.recipients(RecipientBcc, IDDisplayBcc))
	add("Subject", encodeText(m.Subject()))
	add("Date", date(m.date()))
	add("Message-ID", ids(m.Text(IDInternetMessageID)))
	add("In-Reply-To", ids(m.Text(IDInReplyTo)))
	add("References", ids(m.Text(IDInternetReferences)))
	if sent {
		m.flags(add)
	}
	return f
}

// flags writes what is left of the properties that have a field of their own.
func (m *Message) flags(add func(name, value string)) {
	if v, ok := m.Get(IDImportance).(int64); ok && v != 1 {
		add("Importance", map[int64]string{0: "low", 2: "high"}[v])
	}
	add("Sensitivity", map[int64]string{1: "Personal", 2: "Private", 3: "Company-Confidential"}[m.Int(IDSensitivity)])
	var words []string
	for _, w := range m.texts(m.NamedText(SetPublicStrings(), "Keywords")) {
		if w = phrase(w); w != "" {
			words = append(words, w)
		}
	}
	add("Keywords", strings.Join(words, ", "))
}

// texts returns the texts of a property with several.
func (p *Properties) texts(v any) []string {
	var out []string
	switch v := v.(type) {
	case []string:
		return v
	case []ANSI:
		for _, a := range v {
			out = append(out, p.asText(a))
		}
	case string, ANSI:
		out = append(out, p.asText(v))
	}
	return out
}

// date returns the time of the message: when it was sent, else when it came or
// was made.
func (m *Message) date() time.Time {
	for _, id := range []uint16{IDClientSubmitTime, IDDeliveryTime, IDCreationTime, IDModificationTime} {
		if t := m.Time(id); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// date writes a time (RFC 5322 §3.3); "" for none or what has no four-digit year.
func date(t time.Time) string {
	if t.IsZero() || t.Year() < 1601 || t.Year() > 9999 {
		return ""
	}
	return t.UTC().Format("Mon, 2 Jan 2006 15:04:05 +0000")
}

// ids writes message identifiers, in angle brackets and without what breaks a
// line.
func ids(s string) string {
	var out []string
	for _, w := range strings.Fields(oneLine(s)) {
		if !strings.HasPrefix(w, "<") && strings.Contains(w, "@") {
			w = "<" + w + ">"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// transport writes the fields of the message as it came by SMTP, as they are but
// for those that describe its MIME structure, which is lost, and returns which
// fields there are.
func (m *Message) transport(f *fields) map[string]bool {
	have := map[string]bool{}
	keep := false
	text := strings.ReplaceAll(strings.ToValidUTF8(m.Text(IDTransportHeaders), "\uFFFD"), "\x00", "")
	text = strings.TrimLeft(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			break // the headers of body parts may follow
		}
		if line[0] == ' ' || line[0] == '\t' {
			if keep && strings.TrimSpace(line) != "" {
				f.buf.WriteString(line + "\r\n")
			}
			continue
		}
		name, _, ok := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimRight(name, " \t"))
		if keep = ok && fieldName(name); !keep {
			if !strings.HasPrefix(line, "Microsoft Mail Internet Headers") {
				m.Warn("transport headers: %.60q is no header field", line)
			}
			continue
		}
		if keep = !structural(name); keep {
			have[name] = true
			f.buf.WriteString(line + "\r\n")
		}
	}
	return have
}

func fieldName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// structural reports whether a field speaks of the MIME structure that is gone.
func structural(name string) bool {
	return slices.Contains([]string{
		"mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id", "content-description",
		"content-length", "content-md5", "content-location", "content-base", "lines", strings.ToLower(classField),
	}, name)
}
