package tsp

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
)

// crlReason values after which time stamps made before the revocation stay
// good (RFC 3161 §4 (1)).
const (
	reasonUnspecified = 0
	reasonAffiliation = 3
	reasonSuperseded  = 4
	reasonCessation   = 5
	reasonNotTold     = -1
)

// revocationData is everything known about revocations.
type revocationData struct {
	crls  []*x509.RevocationList
	ocsp  []*ocspResponse
	certs []*x509.Certificate // for responders
	// trusted reports whether the algorithms of a signature by ca are; what is
	// signed with others is as if it were not there.
	trusted func(ca *x509.Certificate, signed []byte) bool
}

func (v *verification) revocationData(crls, ocsp [][]byte, certs []*x509.Certificate) *revocationData {
	d := &revocationData{certs: certs, trusted: func(ca *x509.Certificate, signed []byte) bool {
		return signatureTrust(ca, signed, v.o.Catalogue).At(v.o.At)
	}}
	for _, b := range crls {
		if l, err := x509.ParseRevocationList(b); err == nil {
			d.crls = append(d.crls, l)
		}
	}
	for _, b := range ocsp {
		if r, err := parseBasicOCSP(b); err == nil {
			d.ocsp = append(d.ocsp, r)
		}
	}
	return d
}

// status is what is known about one certificate.
type status struct {
	revoked bool
	at      time.Time // of the revocation
	reason  int
	known   bool      // somebody says it was not revoked, or it is revoked
	asOf    time.Time // newest date on which it is known not to be revoked
}

// of returns what the data say about c. Not revoked counts only as of dates
// within the certificate's life, for revoked certificates leave a CRL when they
// expire, and only if the data can tell about genTime: made after it, or still
// good then.
func (d *revocationData) of(c, issuer *x509.Certificate, genTime time.Time) status {
	s := status{reason: reasonNotTold}
	good := func(this, next time.Time) {
		if this.After(c.NotAfter) || this.Before(genTime) && next.Before(genTime) {
			return
		}
		s.known = true
		if this.After(s.asOf) {
			s.asOf = this
		}
	}
	bad := func(at time.Time, reason int) {
		if !s.revoked || at.Before(s.at) {
			s.revoked, s.known, s.at, s.reason = true, true, at, reason
		}
	}
	for _, l := range d.crls {
		if !bytes.Equal(l.RawIssuer, c.RawIssuer) || !covers(l, c) || issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCRLSign == 0 ||
			!d.trusted(issuer, l.Raw) || algo.VerifySigned(issuer, l.Raw) != nil {
			continue
		}
		found := false
		for _, e := range l.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(c.SerialNumber) == 0 {
				found = true
				bad(e.RevocationTime, entryReason(e))
			}
		}
		if !found {
			good(l.ThisUpdate, l.NextUpdate)
		}
	}
	for _, r := range d.ocsp {
		for _, x := range r.singles {
			if x.status == 2 || !x.about(c, issuer) || !r.verified(issuer, d.certs) || !d.trusted(r.responder, r.raw) ||
				!r.responder.Equal(issuer) && !d.trusted(issuer, r.responder.Raw) {
				continue
			}
			if x.status == 1 {
				bad(x.revoked, x.reason)
			} else {
				good(x.this, x.next)
			}
		}
	}
	return s
}

func entryReason(e x509.RevocationListEntry) int {
	for _, x := range e.Extensions {
		if x.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 21}) {
			return e.ReasonCode
		}
	}
	return reasonNotTold
}

// covers reports whether the list is a full one for certificates such as c: no
// delta, not indirect, not for some reasons only (RFC 5280 §5.2.4, §5.2.5).
func covers(l *x509.RevocationList, c *x509.Certificate) bool {
	for _, x := range l.Extensions {
		switch {
		case x.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 28}):
			s := cryptobyte.String(x.Value)
			var in, part cryptobyte.String
			if !s.ReadASN1(&in, cbasn1.SEQUENCE) {
				return false
			}
			for !in.Empty() {
				var tag cbasn1.Tag
				if !in.ReadAnyASN1(&part, &tag) {
					return false
				}
				switch tag {
				case contextTag(0): // the name of the distribution point
				case cbasn1.Tag(1).ContextSpecific(): // only end entities
					if c.IsCA {
						return false
					}
				case cbasn1.Tag(2).ContextSpecific(): // only authorities
					if !c.IsCA {
						return false
					}
				default:
					return false
				}
			}
		case x.Critical:
			return false
		}
	}
	return true
}

// revocation judges every certificate of the path below the anchor.
func (v *verification) revocation(path []*x509.Certificate, data *revocationData) {
	genTime := v.token.Info.GenTime
	for i, c := range path[:len(path)-1] {
		s := data.of(c, path[i+1], genTime)
		switch {
		case s.revoked:
			v.revoked(c, s)
		case !s.known && v.o.Revocation == RequireRevocation:
			v.add(CodeNoRevocation, evidence.Indeterminate, fmt.Sprintf("nothing says whether %q was revoked", c.Subject))
		case !s.known:
			v.add(CodeNoRevocation, evidence.Valid, fmt.Sprintf("nothing says whether %q was revoked; not asked for", c.Subject))
		case s.asOf.Before(genTime):
			v.add(CodeOldRevocation, evidence.Valid, fmt.Sprintf("%q: revocation data of %s", c.Subject, s.asOf.Format(time.RFC3339)))
		}
		if i == 0 {
			v.result.RevocationAsOf = s.asOf
		}
	}
}

// revoked applies RFC 3161 §4: a revocation for a harmless reason leaves earlier
// time stamps good, any other only if they were secured before it.
func (v *verification) revoked(c *x509.Certificate, s status) {
	detail := fmt.Sprintf("%q was revoked at %s (reason %d)", c.Subject, s.at.UTC().Format(time.RFC3339), s.reason)
	harmless := s.reason == reasonUnspecified || s.reason == reasonAffiliation || s.reason == reasonSuperseded || s.reason == reasonCessation
	if s.at.After(v.token.Info.GenTime) && (harmless || s.at.After(v.o.At)) {
		v.add(CodeRevokedLater, evidence.Valid, detail)
		return
	}
	v.add(CodeRevoked, evidence.Invalid, detail)
}
