package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/oauth2/jwt"

	"github.com/muniment/muniment/internal/remote"
)

// Token is an access token. Refresh is the renewed log-in, if there is one.
type Token struct {
	Access  string
	Expires time.Time
	Refresh string
}

// unknownLife is assumed of tokens that do not say when they expire.
const unknownLife = 10 * time.Minute

// ByClient asks for a token for the application itself. At Google, secret is the
// JSON file with the key of a service account.
func (c *Client) ByClient(ctx context.Context, a App, secret []byte) (Token, error) {
	if err := c.check(a); err != nil {
		return Token{}, err
	}
	_, token := a.urls()
	if a.Provider == remote.Google {
		key, err := serviceAccount(secret)
		if err != nil {
			return Token{}, &Error{Code: remote.CodeClientSecret, Detail: err.Error()}
		}
		conf := jwt.Config{Email: key.Email, PrivateKey: []byte(key.Key), PrivateKeyID: key.ID, Subject: a.Subject, Scopes: a.Scopes, TokenURL: token}
		t, err := conf.TokenSource(c.context(ctx)).Token()
		return c.take(t, err, key.Key)
	}
	conf := clientcredentials.Config{ClientID: a.ClientID, ClientSecret: string(secret), TokenURL: token, Scopes: a.Scopes, AuthStyle: oauth2.AuthStyleInParams}
	t, err := conf.Token(c.context(ctx))
	return c.take(t, err, string(secret))
}

// accountKey is a service account of Google's, as its console hands it out.
type accountKey struct {
	Email string `json:"client_email"`
	ID    string `json:"private_key_id"`
	Key   string `json:"private_key"`
}

func serviceAccount(secret []byte) (k accountKey, err error) {
	if json.Unmarshal(secret, &k) != nil || k.Email == "" || k.Key == "" {
		return k, errors.New("want the JSON file with the key of a service account, as Google's console hands it out")
	}
	return k, nil
}

// Renew asks for a token with a log-in of somebody. The answer may hold another
// one that takes its place.
func (c *Client) Renew(ctx context.Context, a App, g Grant) (Token, error) {
	if err := c.check(a); err != nil {
		return Token{}, err
	}
	t, err := c.config(a, g.ClientSecret).TokenSource(c.context(ctx), &oauth2.Token{RefreshToken: g.Refresh}).Token()
	return c.take(t, err, g.Refresh, g.ClientSecret)
}

func (c *Client) config(a App, clientSecret string) *oauth2.Config {
	device, token := a.urls()
	return &oauth2.Config{ClientID: a.ClientID, ClientSecret: clientSecret, Scopes: a.Scopes,
		Endpoint: oauth2.Endpoint{DeviceAuthURL: device, TokenURL: token, AuthStyle: oauth2.AuthStyleInParams}}
}

// check refuses what no server is asked.
func (c *Client) check(a App) error {
	_, token := a.urls()
	u, err := url.Parse(token)
	if err == nil {
		err = remote.CheckHost(u.Hostname(), !c.cfg.AllowPrivate)
	}
	if err == nil {
		err = remote.CheckAuthority(a.Authority)
	}
	if err != nil {
		return &Error{Code: remote.CodeAuthority, Detail: err.Error()}
	}
	return nil
}

// take judges what the library brings. Secrets are taken out of what goes on.
func (c *Client) take(t *oauth2.Token, err error, secrets ...string) (Token, error) {
	if err != nil {
		return Token{}, explain(err, c.cfg.Now(), secrets...)
	}
	out := Token{Access: t.AccessToken, Refresh: t.RefreshToken, Expires: t.Expiry}
	if out.Access == "" || len(out.Access)+len(out.Refresh) > maxToken || strings.ContainsAny(out.Access, "\x00\x01\r\n ") {
		return Token{}, &Error{Code: remote.CodeAuthority, Detail: "the answer holds no token that can be used"}
	}
	if out.Expires.IsZero() {
		out.Expires = c.cfg.Now().Add(unknownLife)
	}
	return out, nil
}
