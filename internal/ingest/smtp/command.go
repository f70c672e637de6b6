package smtp

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxCommand is the longest command line taken. RFC 5321 §4.5.3.1.4 says
	// 512 octets, to which extensions add a few hundred each.
	maxCommand = 4096
	// maxAuthLine is the longest line of an AUTH exchange (RFC 4954 §4).
	maxAuthLine = 12288
	// maxPath is the longest address taken; RFC 5321 §4.5.3.1.3 says 256.
	maxPath = 1024
	// maxParameters is how many parameters a MAIL or RCPT command may have.
	maxParameters = 20
)

// splitCommand returns the verb in upper case and the rest of the line without
// surrounding blanks.
func splitCommand(line string) (verb, arg string) {
	verb, arg, _ = strings.Cut(strings.TrimRight(line, " \t"), " ")
	return strings.ToUpper(verb), strings.Trim(arg, " \t")
}

// path is the argument of MAIL or RCPT.
type path struct {
	address string            // without angle brackets and source route; empty for <>
	params  map[string]string // ESMTP parameters, names in upper case
}

// parsePath reads `FROM:<address> NAME=value …` (RFC 5321 §4.1.1.2), with the
// prefix given. It is generous: brackets may be missing, blanks may follow the
// colon, and the address is not taken apart, because none of that decides
// whether a message is kept.
func parsePath(arg, prefix string) (path, bool) {
	if len(arg) < len(prefix) || !strings.EqualFold(arg[:len(prefix)], prefix) {
		return path{}, false
	}
	arg = strings.TrimLeft(arg[len(prefix):], " \t")
	var p path
	var ok bool
	if strings.HasPrefix(arg, "<") {
		p.address, arg, ok = cutBracketed(arg)
	} else {
		i := strings.IndexAny(arg, " \t")
		if i < 0 {
			i = len(arg)
		}
		p.address, arg, ok = arg[:i], arg[i:], i > 0
	}
	if !ok || len(p.address) > maxPath || !printable(p.address) {
		return path{}, false
	}
	// A source route "@a,@b:" is to be ignored (RFC 5321 appendix C).
	if strings.HasPrefix(p.address, "@") {
		_, p.address, ok = strings.Cut(p.address, ":")
		if !ok {
			return path{}, false
		}
	}
	p.params, ok = parseParameters(arg)
	return p, ok
}

// cutBracketed splits "<address> rest" at the bracket that closes it; a quoted
// local part may hold brackets too.
func cutBracketed(s string) (address, rest string, ok bool) {
	quoted := false
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == '>':
			rest = s[i+1:]
			return s[1:i], rest, rest == "" || rest[0] == ' ' || rest[0] == '\t'
		}
	}
	return "", "", false
}

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return true
}

// parseParameters reads " NAME=value NAME …"; a name may come once.
func parseParameters(s string) (map[string]string, bool) {
	fields := strings.Fields(s)
	if len(fields) > maxParameters {
		return nil, false
	}
	params := make(map[string]string, len(fields))
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		name = strings.ToUpper(name)
		if _, twice := params[name]; twice || name == "" {
			return nil, false
		}
		params[name] = value
	}
	return params, true
}

// parseChunk reads the argument of BDAT: a size, and perhaps LAST.
func parseChunk(arg string) (size int64, last, ok bool) {
	f := strings.Fields(arg)
	if len(f) < 1 || len(f) > 2 {
		return 0, false, false
	}
	if len(f) == 2 {
		if last = strings.EqualFold(f[1], "LAST"); !last {
			return 0, false, false
		}
	}
	n, err := strconv.ParseUint(f[0], 10, 62)
	return int64(n), last, err == nil
}
