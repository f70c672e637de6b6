package oidc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/directory"
)

// FuzzClaims judges tokens whose signature is right and whose contents are anything:
// nothing panics, and whom it lets pass is of the issuer, for us and has a name.
func FuzzClaims(f *testing.F) {
	f.Add(`{"iss":"https://p.example","aud":"x","sub":"1","nonce":"n","exp":4000000000,"iat":1,"email":"a@b.example","email_verified":true,"groups":["a"]}`)
	f.Add(`{"_claim_names":7,"groups":{"a":1},"aud":[null,"x"],"exp":1e400,"realm_access":[]}`)
	f.Add(`{"aud":["x","y"],"azp":[],"exp":"1","email_verified":"true","hasgroups":true}`)
	c := New(nil, nil)
	f.Fuzz(func(t *testing.T, text string) {
		m := claims{}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&m) != nil {
			return
		}
		set := directory.OIDC{Issuer: "https://p.example", ClientID: "x", GroupClaim: "realm_access.roles", TrustEmail: true}
		err := c.check(set, m, "n")
		if err == nil && (m.text("iss") != set.Issuer || m.text("sub") == "" || m.text("nonce") != "n") {
			t.Fatalf("passes: %s", text)
		}
		who, err := identity(set, m)
		if err == nil && who.Verified && m["email_verified"] == false {
			t.Fatalf("verified: %s", text)
		}
	})
}
