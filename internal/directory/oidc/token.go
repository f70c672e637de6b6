package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/muniment/muniment/internal/directory"
)

// claims are the members of a token.
type claims map[string]any

func (c claims) text(name string) string {
	s, _ := c[name].(string) // what is no text is none
	return s
}

// time returns a claim in seconds since 1970; ok is false if it is there and is none.
func (c claims) time(name string) (t time.Time, there, ok bool) {
	v, there := c[name]
	n, isNumber := v.(json.Number)
	if !there {
		return t, false, true
	}
	f, err := n.Float64()
	if !isNumber || err != nil || f < 0 || f > 1e11 {
		return t, true, false
	}
	return time.Unix(int64(f), 0), true, true
}

// list returns a claim that is a text or a list of texts.
func list(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// verify checks an identity token (OpenID Connect Core 1.0 §3.1.3.7): its signature by a
// key of the provider, for whom and by whom it is, its time and its nonce.
func (c *Client) verify(ctx context.Context, set directory.OIDC, p *oidc.Provider, raw, nonce string) (claims, error) {
	// The library checks the signature; the rest is below, each with its own code.
	v := p.VerifierContext(ctx, &oidc.Config{SkipClientIDCheck: true, SkipExpiryCheck: true, SkipIssuerCheck: true,
		SupportedSigningAlgs: []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}})
	token, err := v.Verify(ctx, raw)
	if err != nil {
		return nil, directory.Fail(directory.CodeToken, err)
	}
	var body json.RawMessage
	if err := token.Claims(&body); err != nil {
		return nil, directory.Fail(directory.CodeToken, err)
	}
	m := claims{}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, directory.Fail(directory.CodeToken, err)
	}
	return m, c.check(set, m, nonce)
}

// check looks at everything but the signature.
func (c *Client) check(set directory.OIDC, m claims, nonce string) error {
	audience := list(m["aud"])
	azp, hasAzp := m["azp"]
	switch {
	case m.text("iss") != set.Issuer:
		return directory.Fail(directory.CodeIssuer, fmt.Errorf("the token is of %.200q", m.text("iss")))
	case !slices.Contains(audience, set.ClientID), hasAzp && azp != set.ClientID, len(audience) > 1 && !hasAzp:
		return directory.Fail(directory.CodeAudience, fmt.Errorf("the token is for %.200q", audience))
	case m.text("sub") == "" || len(m.text("sub")) > 255: // §2
		return directory.Fail(directory.CodeToken, errors.New("the token names nobody"))
	case nonce == "" || subtle.ConstantTimeCompare([]byte(m.text("nonce")), []byte(nonce)) != 1:
		return directory.Fail(directory.CodeNonce, errors.New("the nonce is another one"))
	}
	now := c.now()
	exp, hasExp, ok1 := m.time("exp")
	iat, hasIat, ok2 := m.time("iat")
	nbf, hasNbf, ok3 := m.time("nbf")
	switch {
	case !ok1 || !ok2 || !ok3 || !hasExp || !hasIat:
		return directory.Fail(directory.CodeToken, errors.New("the token has no time, or one that is none"))
	case now.After(exp.Add(skew)):
		return directory.Fail(directory.CodeExpired, fmt.Errorf("the token was valid until %s", exp.UTC().Format(time.RFC3339)))
	case iat.After(now.Add(skew)), hasNbf && nbf.After(now.Add(skew)):
		return directory.Fail(directory.CodeExpired, fmt.Errorf("the token is valid from %s on", iat.UTC().Format(time.RFC3339)))
	}
	return nil
}

// identity reads who it is.
func identity(set directory.OIDC, m claims) (*directory.Identity, error) {
	if set.Hosted != "" && !strings.EqualFold(m.text("hd"), set.Hosted) {
		return nil, directory.Fail(directory.CodeHosted, fmt.Errorf("the account is of %.100q", m.text("hd")))
	}
	id := &directory.Identity{Issuer: set.Issuer, Subject: m.text("sub"), Email: strings.ToLower(strings.TrimSpace(m.text("email"))), Name: m.text("name"), First: m.text("given_name"), Last: m.text("family_name"),
		Verified: m["email_verified"] == true || m["email_verified"] == "true"}
	if set.TrustEmail {
		// An address that the provider itself calls unverified stays so.
		id.Verified = id.Verified || m["email_verified"] == nil
		if name := m.text("preferred_username"); id.Email == "" && strings.Contains(name, "@") {
			id.Email = strings.ToLower(strings.TrimSpace(name))
		}
	}
	claim := set.GroupClaim
	if claim == "" {
		claim = "groups"
	}
	id.Groups = list(m.path(claim))
	// Entra ID sends no groups if there are more than 200.
	elsewhere, _ := m["_claim_names"].(map[string]any) // what is no object has no members
	_, left := elsewhere["groups"]
	id.Overage = id.Groups == nil && (left || m["hasgroups"] == true || m["hasgroups"] == "true")
	return id, nil
}

// path returns a claim by its name, or by the names of objects that it is in, with dots
// between: Keycloak's realm_access.roles.
func (c claims) path(name string) any {
	if v, ok := c[name]; ok {
		return v
	}
	var v any = map[string]any(c)
	for part := range strings.SplitSeq(name, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[part]
	}
	return v
}
