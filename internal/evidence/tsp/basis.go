package tsp

import (
	"github.com/muniment/muniment/internal/evidence"
)

// Basis checks a token against the profile Basis-ERS of BSI TR-ESOR (annex
// ERS, as BSI's own verifier checks A3.4), which asks for more than RFC 3161.
func (t *Token) Basis() evidence.Findings {
	var all evidence.Findings
	want := func(ok bool, c evidence.Code, detail string) {
		if !ok {
			all = append(all, evidence.Finding{Code: c, Verdict: evidence.Invalid, Chain: -1, Stamp: -1, Detail: detail})
		}
	}
	s := &t.signer
	want(t.version == 3 || t.version == 5 && len(t.OCSP)+len(t.otherRevs) > 0, CodeBasisVersion, "CMS version must be 3, or 5 with OCSP responses inside")
	want(t.digests > 0, CodeBasisDigests, "digestAlgorithms is empty")
	want(len(t.Certificates) > 0 && t.otherCerts == 0, CodeBasisCerts, "certificates must be X.509 and at least one")
	want(len(t.outer.crls) > 0, CodeBasisCRLs, "crls is empty")
	want(len(t.otherRevs) == 0, CodeBasisOCSP, "revocation information that is neither a CRL nor a BasicOCSPResponse")
	for _, b := range t.OCSP {
		r, err := parseBasicOCSP(b)
		want(err == nil && r.byName != nil && len(r.certs) > 0, CodeBasisOCSP, "an OCSP response must hold certificates and name its responder by name")
	}
	want(s.version == 1 && s.issuer != nil, CodeBasisSigner, "SignerInfo must be version 1 and name issuer and serial number")
	v1, err1 := s.attr(oidSigningCert())
	v2, err2 := s.attr(oidSigningCertV2())
	want(v1 == nil && err1 == nil, CodeBasisAttributes, "the attribute signingCertificate (version 1) is forbidden")
	want(v2 != nil && err2 == nil, CodeBasisAttributes, "the attribute signingCertificateV2 is missing")
	want(s.sortedAttr, CodeBasisAttributes, "the signed attributes are not in the order of DER")
	want(s.unsigned == 0, CodeBasisUnsigned, "unsigned attributes are forbidden")
	return all
}
