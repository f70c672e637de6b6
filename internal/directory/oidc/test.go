package oidc

import (
	"context"
	"errors"

	"golang.org/x/oauth2"

	"github.com/muniment/muniment/internal/directory"
)

// Test tries settings as far as that goes without somebody who logs in: discovery, and
// whether the provider knows the client.
func (c *Client) Test(ctx context.Context, set directory.Settings, secret []byte) directory.Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f := directory.Finding{Steps: []directory.Step{}}
	fail := func(what string, err error) directory.Finding {
		f.Problem = directory.Explain(err, set.OIDC.ClientID, secret)
		f.Steps = append(f.Steps, directory.Step{What: what, Text: f.Problem.Detail})
		return f
	}
	ctx, p, err := c.discover(ctx, *set.OIDC)
	if err != nil {
		return fail("discovery", err)
	}
	f.Steps = append(f.Steps, directory.Step{What: "discovery", OK: true, Text: p.Endpoint().AuthURL})
	// A code that nobody has given out is refused either way; for what, tells whether the
	// secret is right. Some providers look at the code first: then nothing is known.
	_, err = c.config(*set.OIDC, secret, p).Exchange(ctx, "a test", oauth2.VerifierOption(oauth2.GenerateVerifier()))
	var known *directory.Error
	if err = exchange(err); errors.As(err, &known) && known.Code != directory.CodeProvider {
		return fail("client", err)
	}
	f.Steps = append(f.Steps, directory.Step{What: "client", OK: true, Text: set.OIDC.ClientID})
	f.OK = true
	return f
}
