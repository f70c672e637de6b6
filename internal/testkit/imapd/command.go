package imapd

import (
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
)

// maxCommand bounds a command with its literals.
const maxCommand = 64 << 10

// command is one command of a client.
type command struct {
	tag, name string   // name in upper case, with "UID " before it where that was said
	args      []string // strings decoded; lists as they are, with their parentheses
}

// read returns the next command.
func (c *session) read() (*command, error) {
	var raw strings.Builder
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		raw.WriteString(line)
		if raw.Len() > maxCommand {
			return nil, fmt.Errorf("command of %d bytes", raw.Len())
		}
		size, sync, ok := clientLiteral(line)
		if !ok {
			return parse(raw.String()), nil
		}
		if sync {
			c.sayf("+ go on")
			c.flush()
		}
		if _, err := io.CopyN(&raw, c.in, size); err != nil {
			return nil, err
		}
	}
}

func clientLiteral(line string) (size int64, sync, ok bool) {
	line, ok = strings.CutSuffix(strings.TrimRight(line, "\r\n"), "}")
	at := strings.LastIndexByte(line, '{')
	if !ok || at < 0 {
		return 0, false, false
	}
	digits, nonSync := strings.CutSuffix(line[at+1:], "+")
	size, err := strconv.ParseInt(digits, 10, 32)
	return size, !nonSync, err == nil && size >= 0 && size <= maxCommand
}

// parse takes a command apart. What cannot be taken apart becomes one word.
func parse(raw string) *command {
	raw = strings.TrimRight(raw, "\r\n")
	var words []string
	for raw = strings.TrimLeft(raw, " "); raw != ""; raw = strings.TrimLeft(raw, " ") {
		var w string
		w, raw = nextWord(raw)
		words = append(words, w)
	}
	cmd := &command{}
	if len(words) > 0 {
		cmd.tag, words = words[0], words[1:]
	}
	if len(words) > 0 {
		cmd.name, words = strings.ToUpper(words[0]), words[1:]
	}
	if cmd.name == "UID" && len(words) > 0 {
		cmd.name, words = "UID "+strings.ToUpper(words[0]), words[1:]
	}
	cmd.args = words
	return cmd
}

func nextWord(s string) (word, rest string) {
	switch s[0] {
	case '"':
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch {
			case s[i] == '"':
				return b.String(), s[i+1:]
			case s[i] == '\\' && i+1 < len(s):
				i++
			}
			b.WriteByte(s[i])
		}
		return b.String(), ""
	case '{':
		head, tail, ok := strings.Cut(s, "\n")
		if size, _, is := clientLiteral(head); ok && is && int(size) <= len(tail) {
			return tail[:size], tail[size:]
		}
	case '(':
		depth := 0
		for i := range len(s) {
			switch s[i] {
			case '(':
				depth++
			case ')':
				if depth--; depth == 0 {
					return s[:i+1], s[i+1:]
				}
			}
		}
	}
	word, rest, _ = strings.Cut(s, " ")
	return word, rest
}

func (cmd *command) arg(i int) string {
	if i < len(cmd.args) {
		return cmd.args[i]
	}
	return ""
}

// words are for the record.
func (cmd *command) words() string {
	switch cmd.name {
	case "LOGIN", "AUTHENTICATE":
		return cmd.name + " " + cmd.arg(0)
	}
	return strings.TrimSpace(cmd.name + " " + strings.Join(cmd.args, " "))
}

// span is a range of UIDs.
type span struct{ low, high uint32 }

// parseSet reads a set of UIDs (RFC 9051 §9, sequence-set); last is what "*"
// means.
func parseSet(s string, last uint32) (out []span) {
	number := func(s string) uint32 {
		if s == "*" {
			return last
		}
		n, _ := strconv.ParseUint(s, 10, 32) // zero is in no folder
		return uint32(n)
	}
	for part := range strings.SplitSeq(s, ",") {
		a, b, ok := strings.Cut(part, ":")
		if !ok {
			b = a
		}
		low, high := number(a), number(b)
		out = append(out, span{min(low, high), max(low, high)})
	}
	return out
}

func contains(set []span, uid uint32) bool {
	for _, r := range set {
		if r.low <= uid && uid <= r.high {
			return true
		}
	}
	return false
}

// encodeName writes a folder's name in modified UTF-7 (RFC 3501 §5.1.3).
func encodeName(name string) string {
	var out strings.Builder
	var pending []rune
	flush := func() {
		if len(pending) == 0 {
			return
		}
		var raw []byte
		for _, u := range utf16.Encode(pending) {
			raw = append(raw, byte(u>>8), byte(u))
		}
		out.WriteString("&" + strings.ReplaceAll(base64.RawStdEncoding.EncodeToString(raw), "/", ",") + "-")
		pending = nil
	}
	for _, r := range name {
		if r < ' ' || r > '~' {
			pending = append(pending, r)
			continue
		}
		flush()
		out.WriteRune(r)
		if r == '&' {
			out.WriteByte('-')
		}
	}
	flush()
	return out.String()
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
