package pop3

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	// maxInitial is the longest AUTH command that may carry the first response
	// (RFC 5034 §4); a longer one waits until it is asked for.
	maxInitial = 255
	// maxChallenges is how often a server may ask during one login.
	maxChallenges = 4
)

// Login logs in with a password, in the safest way that the server offers: AUTH
// PLAIN (RFC 5034), else USER and PASS. A refusal is ErrAuth where the server
// says that it is about the password, or says nothing else; another way is not
// tried then, as servers lock out those who fail too often.
//
// On an Unprotected connection the password can be read on the way; who has
// configured that has decided so.
func (c *Client) Login(ctx context.Context, user, password string) error {
	const doing = "log in"
	if strings.ContainsAny(user+password, "\r\n\x00") || user == "" {
		return &Error{Class: ErrAuth, Doing: doing, Text: "the user name is empty, or it or the password contains a line break"}
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	c.secret = secrets(password, plain)
	return c.do(ctx, doing, c.cfg.Command, func() error {
		if err := c.prepare(); err != nil {
			return err
		}
		switch {
		case c.caps.Has("SASL", "PLAIN"):
			return c.judge(c.auth("PLAIN", plain))
		case len(c.caps) == 0 || c.caps.Has("USER", ""):
			return c.judge(c.userPass(user, password))
		case !c.secure:
			return c.unsupported("the mail server takes no passwords on a connection that is not encrypted; choose encryption")
		}
		return c.unsupported("the mail server offers no login with a password; does it want a sign-in with a token (OAuth)?")
	})
}

// LoginXOAUTH2 logs in with an access token of OAuth 2.0, as Google and Microsoft
// take it. The connection must be encrypted: whoever sees the token can use it
// (RFC 6750 §5.3).
func (c *Client) LoginXOAUTH2(ctx context.Context, user, token string) error {
	const doing = "log in with a token"
	if strings.ContainsAny(user+token, "\r\n\x00\x01") || user == "" || token == "" {
		return &Error{Class: ErrAuth, Doing: doing, Text: "the user name or the token is empty, or contains a control character"}
	}
	if !c.secure {
		return &Error{Class: ErrTLS, Doing: doing, Text: "a token is sent on encrypted connections only; choose encryption"}
	}
	response := base64.StdEncoding.EncodeToString([]byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01"))
	c.secret = secrets(token, response)
	return c.do(ctx, doing, c.cfg.Command, func() error {
		if err := c.prepare(); err != nil {
			return err
		}
		if len(c.caps) > 0 && !c.caps.Has("SASL", "XOAUTH2") {
			return c.unsupported("the mail server offers no login with a token (XOAUTH2)")
		}
		return c.judge(c.auth("XOAUTH2", response))
	})
}

// secrets are what no error text may contain. Very short ones would make every
// text unreadable, and hide nothing.
func secrets(all ...string) (out []string) {
	for _, s := range all {
		if len(s) >= 4 {
			out = append(out, s)
		}
	}
	return out
}

func (c *Client) unsupported(text string) error {
	return &Error{Class: ErrUnsupported, Text: text, alive: true}
}

// prepare asks what is offered and, if that is, to be spared from rewritten
// messages (RFC 6856 §2: only before the login).
func (c *Client) prepare() error {
	if !c.known {
		if err := c.capabilities(); err != nil {
			return err
		}
	}
	if !c.caps.Has("UTF8", "") {
		return nil
	}
	if _, err := c.command("UTF8"); !refused(err) {
		return err
	}
	return nil // it was an offer only
}

// judge says what a refused login means.
func (c *Client) judge(err error) error {
	switch {
	case soundsTemporary(err):
		return meaning(err, ErrTemporary, "the mail server does not let us in now; it will be tried again later")
	case c.caps.Has("AUTH-RESP-CODE", ""):
		// The server would have said so if it were the password (RFC 3206 §6).
		return meaning(err, ErrPermanent, "the mail server does not let us in, and not because of the password")
	}
	return meaning(err, ErrAuth, "the mail server does not accept the user name with this password or token")
}

func (c *Client) userPass(user, password string) error {
	if _, err := c.command("USER " + user); err != nil {
		return err
	}
	_, err := c.command("PASS " + password)
	return err
}

// auth is AUTH with a mechanism that has one response (RFC 5034 §4).
func (c *Client) auth(mechanism, response string) error {
	line := "AUTH " + mechanism
	if inline := line + " " + response; len(inline)+len("\r\n") <= maxInitial {
		line, response = inline, ""
	}
	if err := c.send(line); err != nil {
		return err
	}
	problem := ""
	for range maxChallenges {
		l, err := c.line()
		if err != nil {
			return err
		}
		challenge, asked := cutWord(l, []byte("+"))
		if !asked {
			return blame(c.verdict(l), problem)
		}
		// The answer to a challenge that we have nothing for is empty: for
		// XOAUTH2 the challenge tells why the token is refused, and the refusal
		// follows.
		if response == "" {
			problem = tokenProblem(challenge)
		}
		if err := c.send(response); err != nil {
			return err
		}
		response = ""
	}
	return fault(ErrProtocol, "the mail server asks and asks during the login")
}

// verdict reads a line that has been read already as a status line.
func (c *Client) verdict(l []byte) error {
	if _, ok := cutWord(l, plus); ok {
		return nil
	}
	if rest, ok := cutWord(l, minus); ok {
		return c.negative(string(rest))
	}
	return &Error{Class: ErrProtocol, Text: "the answer of the mail server is neither yes (+OK) nor no (-ERR)", Answer: c.shown(string(l))}
}

// tokenProblem reads the challenge that says why a token is refused: JSON with a
// status, like that of HTTP. It returns "" if there is none.
func tokenProblem(challenge []byte) string {
	raw, err := base64.StdEncoding.DecodeString(string(challenge))
	if err != nil {
		return ""
	}
	var said struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(raw, &said) != nil || len(said.Status) > 10 || !utf8.ValidString(said.Status) {
		return ""
	}
	return said.Status
}

// blame makes a refusal that a token problem came before one of the token,
// unless the server has given a better reason.
func blame(err error, problem string) error {
	var e *Error
	if problem == "" || !errors.As(err, &e) || !e.alive || e.Class != nil {
		return err
	}
	if strings.HasPrefix(problem, "5") {
		return meaning(err, ErrTemporary, "the mail server cannot check the token now; it will be tried again later")
	}
	return meaning(err, ErrAuth, "the mail server does not accept the token: it has expired, was withdrawn, or is for something else")
}
