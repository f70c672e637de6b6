package ldap

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
)

// firstPeople is how many people a finding shows.
const firstPeople = 5

// Test tries settings and tells what it finds. Nothing is stored.
func (c *Client) Test(ctx context.Context, set directory.Settings, secret []byte) directory.Finding {
	ctx, cancel := context.WithTimeout(ctx, c.timings.read)
	defer cancel()
	f := directory.Finding{Steps: []directory.Step{}}
	step := func(what, text string) {
		f.Steps = append(f.Steps, directory.Step{What: what, OK: true, Text: directory.Clean(text, set.LDAP.BindDN, secret)})
	}
	s, err := c.open(ctx, *set.LDAP, secret, step)
	f.Certificate = s.cert
	if err == nil {
		defer s.close()
		var snap *directory.Snapshot
		if snap, err = s.read(set); err == nil {
			f.People, f.Shared, f.First, f.Notes = len(snap.People), len(snap.Shared), snap.People[:min(firstPeople, len(snap.People))], snap.Notes
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", context.DeadlineExceeded, err)
		}
		f.Problem = directory.Explain(err, set.LDAP.BindDN, secret)
		f.Steps = append(f.Steps, directory.Step{What: failed(f.Steps, f.Problem.Code), Text: f.Problem.Detail})
	}
	f.OK = f.Problem == nil
	return f
}

// failed names the step that comes after those that worked.
func failed(done []directory.Step, code string) string {
	last := ""
	if len(done) > 0 {
		last = done[len(done)-1].What
	}
	switch code {
	case remote.CodeCertificate:
		return "certificate"
	case directory.CodeGroup:
		return "groups"
	}
	next := map[string]string{"": "connect", "resolve": "connect", "connect": "tls", "tls": "bind", "bind": "base", "base": "people", "people": "people", "groups": "groups"}
	if code == remote.CodeDNS {
		return "resolve"
	}
	return next[last]
}
