package tsp

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"
)

// TestMarker is in the organisation of every certificate of the test authority
// (package tsa).
const TestMarker = "TEST AUTHORITY - PROVES NOTHING"

// TestPolicy is the policy of its tokens, in the arc for examples (2.999).
func TestPolicy() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 999, 3161, 1} }

// IsTest reports whether a token of this policy, signed with this certificate
// (may be nil), comes from the test authority: it then proves nothing.
func IsTest(policy asn1.ObjectIdentifier, signer *x509.Certificate) bool {
	return policy.Equal(TestPolicy()) || signer != nil && strings.Contains(strings.Join(signer.Subject.Organization, " "), TestMarker)
}
