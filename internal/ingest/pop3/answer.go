package pop3

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown is how much of what a server says is shown to people, in bytes.
const maxShown = 200

var (
	plus  = []byte("+OK")
	minus = []byte("-ERR")
)

// line reads one line of an answer without its CR LF. The slice is valid until
// the next read. Lines must end with CR LF: who ends them otherwise would also
// end messages otherwise, and where those end must not be guessed.
func (c *Client) line() ([]byte, error) { return readLine(c.in) }

func readLine(in *bufio.Reader) ([]byte, error) {
	l, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(l) > maxLine {
		return nil, fault(ErrProtocol, "the mail server sends a line that is longer than any answer should be")
	}
	if err != nil {
		return nil, err
	}
	l, ok := bytes.CutSuffix(l, []byte("\r\n"))
	if !ok {
		return nil, &Error{Class: ErrProtocol, Text: "the mail server ends its lines with LF alone instead of CR LF", Answer: printable(l)}
	}
	return l, nil
}

// status reads the line that answers a command and returns what follows "+OK ".
// A negative answer is an *Error that leaves the conversation alive; without a
// response code it has no class yet, see meaning.
func (c *Client) status() (string, error) {
	l, err := c.line()
	if err != nil {
		return "", err
	}
	if rest, ok := cutWord(l, plus); ok {
		return string(rest), nil
	}
	if rest, ok := cutWord(l, minus); ok {
		return "", c.negative(string(rest))
	}
	return "", &Error{Class: ErrProtocol, Text: "the answer of the mail server is neither yes (+OK) nor no (-ERR)", Answer: c.shown(string(l))}
}

// cutWord takes the word from the start of l, in any case as some servers send
// it, and one blank after it.
func cutWord(l, word []byte) ([]byte, bool) {
	if len(l) < len(word) || !bytes.EqualFold(l[:len(word)], word) {
		return nil, false
	}
	rest := l[len(word):]
	if len(rest) > 0 && rest[0] != ' ' && rest[0] != '\t' {
		return nil, false
	}
	return bytes.TrimLeft(rest, " \t"), true
}

// negative makes the error for what follows "-ERR ". Response codes count
// whether or not the server has announced them (RFC 2449 §8).
func (c *Client) negative(text string) *Error {
	e := &Error{Text: "the mail server refuses", alive: true}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if code, rest, ok := strings.Cut(inner, "]"); ok && len(code) <= 40 {
			e.Code = strings.ToUpper(printable([]byte(code)))
			text = strings.TrimSpace(rest)
		}
	}
	e.Answer = c.shown(text)
	for _, known := range codes {
		if e.Code == known.code || strings.HasPrefix(e.Code, known.code+"/") {
			e.Class, e.Text = known.class, known.text
			return e
		}
	}
	return e
}

// codes are the response codes of RFC 2449 §8.1 and RFC 3206. A code may be
// refined after a slash.
var codes = []struct {
	code  string
	class error
	text  string
}{
	{"LOGIN-DELAY", ErrTemporary, "the mail server wants more time between two logins; it will be tried again later"},
	{"IN-USE", ErrTemporary, "the mailbox is in use by another program; it will be tried again later"},
	{"SYS/TEMP", ErrTemporary, "the mail server has trouble that should pass; it will be tried again later"},
	{"SYS/PERM", ErrPermanent, "the mail server has trouble that somebody has to look after"},
	{"AUTH", ErrAuth, "the mail server does not accept the user name with this password or token"},
}

// passing are words by which servers without response codes say that something
// will pass by itself.
var passing = []string{"already locked", "to lock", "get lock", "obtain lock", "in use", "busy", "try again", "try later", "temporar", "too many", "later", "unavailable", "overload"}

// soundsTemporary reads the text of a refusal that has no response code.
func soundsTemporary(err error) bool {
	var e *Error
	if !errors.As(err, &e) || !e.alive || e.Class != nil {
		return false
	}
	text := strings.ToLower(e.Answer)
	for _, p := range passing {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// shown returns what the server said for people to read, without the secrets it
// may have repeated.
func (c *Client) shown(s string) string {
	for _, secret := range c.secret {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return printable([]byte(s))
}

// printable shortens b and replaces what is not text.
func printable(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if out.Len()+n > maxShown {
			out.WriteString("…")
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		out.WriteRune(r)
		b = b[n:]
	}
	return strings.TrimSpace(out.String())
}

// each reads the lines of a multi-line answer up to the dot that ends it, at most
// most of them, without the dots that were doubled (RFC 1939 §3).
func (c *Client) each(most int, take func(line []byte) error) error {
	for n := 0; ; n++ {
		l, err := c.line()
		if err != nil {
			return err
		}
		if len(l) > 0 && l[0] == '.' {
			if len(l) == 1 {
				return nil
			}
			l = l[1:]
		}
		if n == most {
			return fault(ErrProtocol, "the answer of the mail server has no end")
		}
		if err := take(l); err != nil {
			return err
		}
	}
}
