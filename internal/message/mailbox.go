package message

import "strings"

// maxAddress bounds what is taken for one address, in bytes; mail can be sent
// to addresses of 254 (RFC 5321 §4.5.3.1.3).
const maxAddress = 1000

// span is a piece of an item between two commas.
type span struct{ start, end int }

// parseItem reads what stands between two commas: a mailbox (RFC 5322 §3.4), or
// several where the commas are missing. decode lets it look into encoded words,
// where no address belongs but some programs put it.
func parseItem(s, charset string, decode bool) []Party {
	var out []Party
	add := func(p Party, ok bool) {
		if ok {
			out = append(out, p)
		}
	}
	rest, found := s, angles(s)
	for _, a := range found {
		before, inner := strings.TrimRight(s[len(s)-len(rest):a.start], "< \t"), s[a.start+1:a.end]
		rest = s[min(len(s), a.end+1):]
		list, comment := addresses(inner)
		if len(list) == 0 {
			if outside := before + " " + inner + " " + rest; strings.Contains(outside, "@") {
				return append(out, parsePlain(outside, charset, decode)...) // "a@b.example <Ann>"
			}
			list = []string{joined(inner)}
		}
		name := displayName(before, charset)
		if name == "" {
			name = displayName(comment, charset)
		}
		for _, address := range list {
			add(party(name, address))
			name = ""
		}
	}
	switch {
	case len(found) == 0:
		return parsePlain(s, charset, decode)
	case len(out) == 0: // "<>"
	case strings.Contains(rest, "@"):
		return append(out, parsePlain(rest, charset, decode)...)
	case out[len(out)-1].Name == "":
		out[len(out)-1].Name = displayName(rest, charset) // "<a@b.example> Ann"
	}
	return out
}

// parsePlain reads a mailbox without angle brackets.
func parsePlain(s, charset string, decode bool) []Party {
	words, comment := lex(s)
	var out []Party
	name := []string{}
	for _, w := range words {
		if !isAddress(w) {
			name = append(name, w)
			continue
		}
		if p, ok := party(displayName(strings.Join(name, " "), charset), bare(w)); ok {
			out, name = append(out, p), name[:0]
		}
	}
	if n := len(out); n > 0 {
		for _, text := range []string{strings.Join(name, " "), comment} {
			if out[n-1].Name == "" {
				out[n-1].Name = displayName(text, charset)
			}
		}
		if out[n-1].Name == out[n-1].Address {
			out[n-1].Name = ""
		}
		return out
	}
	return parseOdd(s, words, comment, charset, decode)
}

// parseOdd finds an address where none should be: hidden by pipermail, in
// quotes, in an encoded word. Else there is only a name.
func parseOdd(s string, words []string, comment, charset string, decode bool) []Party {
	if len(words) == 3 && words[1] == "at" && strings.Contains(words[2], ".") { // "user at example.com (Name)"
		p, _ := party(displayName(comment, charset), words[0]+"@"+words[2])
		return []Party{p}
	}
	name := displayName(s, charset)
	if decode && name != strings.TrimSpace(s) && strings.Contains(name, "@") {
		var out []Party
		for _, item := range splitAddresses(name) {
			out = append(out, parseItem(item, "", false)...)
		}
		return out
	}
	p, ok := party(name, "")
	if strings.Contains(name, "@") { // no good one, but all there is
		p, ok = party(displayName(comment, charset), strings.Join(words, ""))
	}
	if !ok {
		return nil
	}
	return []Party{p}
}

// angles finds the parts in angle brackets, outside of quotes and comments, that
// are addresses: those with an at sign, or else the last one.
func angles(s string) []span {
	found, closed := brackets(s, true)
	if !closed {
		found, _ = brackets(s, false)
	}
	var out []span
	for _, a := range found {
		if strings.Contains(s[a.start:a.end], "@") {
			out = append(out, a)
		}
	}
	if len(out) == 0 && len(found) > 0 {
		out = found[len(found)-1:]
	}
	return out
}

// brackets finds the innermost parts in angle brackets. A last one need not be
// closed. closed is false if a quote or a comment is not; heed tells whether
// quotes and comments count at all.
func brackets(s string, heed bool) (out []span, closed bool) {
	quoted, depth, open := false, 0, -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && heed:
			i++
		case c == '"' && depth == 0 && heed:
			quoted = !quoted
		case quoted:
		case c == '(' && heed:
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == '<':
			open = i
		case c == '>' && open >= 0:
			out, open = append(out, span{open, i}), -1
		}
	}
	if open >= 0 {
		out = append(out, span{open, len(s)})
	}
	return out, !quoted && depth == 0
}

// addresses reads what stands in angle brackets.
func addresses(inner string) (list []string, comment string) {
	if t := strings.TrimSpace(inner); strings.HasPrefix(t, "@") { // a source route (RFC 5322 §4.4)
		if i := strings.LastIndexByte(t, ':'); i >= 0 {
			inner = t[i+1:]
		}
	}
	words, comment := lex(inner)
	n := 0
	for _, w := range words {
		if isAddress(w) {
			n++
		}
	}
	if n == 1 { // spaces inside are part of the mistake
		return []string{bare(strings.Join(words, ""))}, comment
	}
	for _, w := range words {
		if isAddress(w) {
			list = append(list, bare(w))
		}
	}
	return list, comment
}

// joined takes comments and spaces out of s.
func joined(s string) string {
	words, _ := lex(s)
	return strings.Join(words, "")
}

// lex cuts s into words at spaces that are not inside quotes, and takes the
// comments out (RFC 5322 §3.2.2). Spaces and comments around an at sign or
// before a dot are obsolete (RFC 5322 §4.4): they do not cut.
func lex(s string) (words []string, comment string) {
	var word, remarks strings.Builder
	glue, quoted := false, false // glue: the next word belongs to the one before
	end := func() {
		w := word.String()
		word.Reset()
		if w == "" {
			return
		}
		n := len(words)
		if n > 0 && len(words[n-1])+len(w) <= maxAddress && (glue || w[0] == '@' || w[0] == '.' && strings.Contains(words[n-1]+w, "@")) {
			words[n-1] += w
		} else {
			words = append(words, w)
		}
		glue = w[len(w)-1] == '@'
	}
	closed := strings.Count(s, `"`)%2 == 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			word.WriteString(s[i : i+2])
			i++
		case c == '"' && closed:
			quoted = !quoted
			word.WriteByte(c)
		case quoted:
			word.WriteByte(c)
		case c == '(':
			end()
			n := commentEnd(s[i:])
			if remarks.Len() > 0 {
				remarks.WriteByte(' ')
			}
			remarks.WriteString(strings.TrimSuffix(s[i+1:i+n], ")"))
			i += n - 1
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			end()
		default:
			word.WriteByte(c)
		}
	}
	end()
	return words, remarks.String()
}

// commentEnd returns the length of the comment with which s begins.
func commentEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// isAddress reports whether a word has an at sign with something on both sides,
// outside of quotes.
func isAddress(w string) bool {
	i := strings.LastIndexByte(w, '@')
	return i > 0 && i < len(w)-1 && strings.Count(w[i:], `"`)%2 == 0
}

// bare takes from an address what people and programs put around it: quotes,
// brackets, a scheme. A domain has none of these but as an address literal.
func bare(w string) string {
	w = strings.TrimLeft(w, "<")
	if len(w) > len("mailto:") && strings.EqualFold(w[:len("mailto:")], "mailto:") {
		w = w[len("mailto:"):]
	}
	if at := strings.LastIndexByte(w, '@'); at >= 0 {
		domain, _, _ := strings.Cut(w[at:], "?")
		w = w[:at] + domain
	}
	literal := strings.Contains(w, "@[")
	for len(w) > 2 {
		switch first, last := w[0], w[len(w)-1]; {
		case first == '\'' && last == '\'' || first == '[' && last == ']' || first == '"' && last == '"' || first == '{' && last == '}':
			w = w[1 : len(w)-1]
		case last == '>' || last == '\'' || last == ')' || last == '"' || last == ']' && !literal:
			w = w[:len(w)-1]
		default:
			return w
		}
	}
	return w
}
