package smtp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
)

var errCancelled = errors.New("cancelled by the peer")

// Passwords returns an Authenticate for a fixed set of users with their
// passwords. It takes the same time for wrong users and wrong passwords.
func Passwords(users map[string]string) Authenticate {
	return func(_ context.Context, user, password string) (bool, error) {
		want, known := users[user]
		a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(password))
		return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && known, nil
	}
}

// mayAuth reports whether a password may be sent over this connection.
func (c *session) mayAuth() bool {
	return c.s.cfg.Authenticate != nil && (c.tls || !c.peer.IsValid() || c.peer.IsLoopback())
}

// auth is AUTH PLAIN (RFC 4616) or LOGIN.
func (c *session) auth(arg string) {
	mechanism, initial, _ := strings.Cut(arg, " ")
	mechanism = strings.ToUpper(mechanism)
	switch {
	case c.s.cfg.Authenticate == nil:
		c.complain("502 5.5.1 AUTH is not offered")
		return
	case !c.greeted || c.user != "" || c.tx != nil:
		c.complain("503 5.5.1 not now")
		return
	case !c.mayAuth():
		c.complain("538 5.7.11 say STARTTLS first")
		return
	case mechanism != "PLAIN" && mechanism != "LOGIN":
		c.complain("504 5.5.4 unknown mechanism")
		return
	}
	// The exchange is bound by the time for one command.
	c.phase(c.s.cfg.Limits.Command, c.s.cfg.Limits.Command, true)
	var user, password string
	var err error
	if mechanism == "PLAIN" {
		user, password, err = c.authPlain(strings.TrimSpace(initial))
	} else {
		user, password, err = c.authLogin(strings.TrimSpace(initial))
	}
	c.phase(c.s.cfg.Limits.DataIdle, c.s.cfg.Limits.Data, false)
	var malformed base64.CorruptInputError
	switch {
	case errors.Is(err, errCancelled), errors.Is(err, errLineTooLong), errors.As(err, &malformed):
		c.complain("501 5.5.2 authentication cancelled or not readable")
	case err != nil:
		c.closing = true
		c.readFailed(err)
	default:
		c.checkPassword(user, password)
	}
}

func (c *session) checkPassword(user, password string) {
	ctx, cancel := c.context()
	defer cancel()
	ok, err := c.s.cfg.Authenticate(ctx, user, password)
	switch {
	case err != nil:
		c.log.Error("smtp: authentication failed", "error", err)
		c.reply("454 4.7.0 cannot authenticate now, try again later")
	case !ok || user == "":
		c.s.stats.authFailed.Add(1)
		c.log.Warn("smtp: wrong user or password")
		c.complain("535 5.7.8 wrong user or password")
	default:
		c.user = user
		c.reply("235 2.7.0 welcome")
	}
}

// authPlain reads "authzid NUL user NUL password".
func (c *session) authPlain(initial string) (user, password string, err error) {
	raw, err := c.authResponse("", initial)
	if err != nil {
		return "", "", err
	}
	parts := bytes.Split(raw, []byte{0})
	if len(parts) != 3 {
		return "", "", errCancelled
	}
	return string(parts[1]), string(parts[2]), nil
}

func (c *session) authLogin(initial string) (user, password string, err error) {
	u, err := c.authResponse("Username:", initial)
	if err != nil {
		return "", "", err
	}
	p, err := c.authResponse("Password:", "")
	return string(u), string(p), err
}

// authResponse returns the initial response if there is one, else it asks.
func (c *session) authResponse(challenge, initial string) ([]byte, error) {
	if initial == "" {
		c.reply("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)))
		line, err := c.readLine(maxAuthLine)
		if err != nil {
			return nil, err
		}
		if line == "*" {
			return nil, errCancelled
		}
		initial = line
	}
	if initial == "=" { // an empty initial response (RFC 4954 §4)
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(initial)
}
