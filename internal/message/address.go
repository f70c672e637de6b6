package message

import (
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// NormalizeAddress writes a mail address as Muniment compares it: without angle
// brackets and spaces, in lower case and form NFC (an accent and its letter are one
// character where there is one), its domain in Unicode. What is no address comes back
// in lower case.
func NormalizeAddress(s string) string {
	s = norm.NFC.String(strings.ToLower(strings.TrimSpace(clean(latin(s)))))
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">"))
	s = strings.TrimPrefix(s, "mailto:")
	if strings.HasPrefix(s, "@") { // a source route (RFC 5322 §4.4)
		if _, rest, ok := strings.Cut(s, ":"); ok {
			s = rest
		}
	}
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return s
	}
	local, domain := strings.TrimSpace(s[:i]), strings.TrimSuffix(strings.TrimSpace(s[i+1:]), ".")
	if strings.Contains(domain, "xn--") {
		if u, err := idna.ToUnicode(domain); err == nil {
			domain = u
		}
	}
	if n := len(local); n > 1 && local[0] == '"' && local[n-1] == '"' && !strings.ContainsAny(local[1:n-1], " \t@,;:\\\"<>()") {
		local = local[1 : n-1] // quotes that quote nothing
	}
	return local + "@" + domain
}

// parseAddresses reads a list of addresses (RFC 5322 §3.4): groups, comments,
// folding, quoted and encoded names, and the broken forms of the world. Whoever
// is not understood here does not see his mail. Names are decoded. At most n
// addresses are read; more tells that there are more.
func parseAddresses(s, charset string, n int) (out []Party, more bool) {
	for _, item := range splitAddresses(s) {
		if strings.TrimSpace(item) == "" {
			continue
		}
		if len(out) >= n {
			return out, true
		}
		out = append(out, parseItem(item, charset, true)...)
	}
	if len(out) > n {
		return out[:n], true
	}
	return out, false
}

// splitAddresses cuts at commas and semicolons that are not inside quotes,
// comments or angle brackets; group names are dropped.
func splitAddresses(s string) []string {
	var out []string
	start, depth := 0, 0
	quoted, angle := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ':' && !angle && !strings.Contains(s[start:i], "@"):
			start = i + 1 // "group name:"
		case (c == ',' || c == ';') && !angle:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	if quoted || angle || depth > 0 { // something was not closed: cut at every comma
		return append(out, strings.FieldsFunc(s[min(start, len(s)):], func(r rune) bool { return r == ',' || r == ';' })...)
	}
	return append(out, s[min(start, len(s)):])
}

func party(name, address string) (Party, bool) {
	if strings.TrimSpace(address) != "" {
		address = NormalizeAddress(address)
		if strings.ContainsAny(address, "\n\t") {
			address = strings.Join(strings.Fields(address), "")
		}
	} else {
		address = ""
	}
	if name == address || name == "'"+address+"'" {
		name = ""
	}
	return Party{Name: name, Address: address}, name != "" || address != ""
}

// displayName decodes a name: quotes and their escapes go, encoded words are
// decoded also inside quotes, where they do not belong but are.
func displayName(s, charset string) string {
	s = strings.TrimSpace(s)
	if n := len(s); n >= 2 && s[0] == '"' && s[n-1] == '"' {
		s = s[1 : n-1]
	}
	if strings.IndexByte(s, '\\') >= 0 || strings.IndexByte(s, '"') >= 0 {
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '\\' && i+1 < len(s):
				i++
				b.WriteByte(s[i])
			case s[i] == '"':
			default:
				b.WriteByte(s[i])
			}
		}
		s = b.String()
	}
	return strings.TrimSpace(oneLine(decodeField(s, charset)))
}
