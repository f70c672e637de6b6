package inspect

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
)

func (b *builder) stamps() Section {
	w := b.w
	s := Section{Heading: w.Stamps, Text: []string{w.QualifiedWhat}}
	for i := range b.f.Report.Stamps {
		x := &b.f.Report.Stamps[i]
		if i == 0 {
			s.sub(fmt.Sprintf(w.Stamp, i+1))
		} else {
			s.sub(fmt.Sprintf(w.Renews, i+1))
		}
		b.stamp(&s, x, i)
	}
	for _, a := range b.f.Anchors {
		s.row(w.Trusted, clean(a.Subject))
		s.mono(w.Fingerprint, clean(a.SHA256))
	}
	return s
}

func (b *builder) stamp(s *Section, x *ers.StampReport, i int) {
	w := b.w
	s.row(w.Time, b.l.moment(x.Time))
	s.row(w.Accuracy, clean(x.Accuracy))
	s.row(w.Authority, clean(x.Signer))
	s.row(w.IssuedBy, clean(x.Issuer))
	q := fmt.Sprintf("%s (%s)", w.qualification(x.Qualified), w.reason(x.Why))
	if i < len(b.f.Found) {
		q = fmt.Sprintf("%s (%s), %s", w.qualification(b.f.Found[i].Qualified), w.reason(b.f.Found[i].Why), w.FoundThen)
	}
	s.row(w.Qualified, q)
	s.row(w.Hash, clean(x.Hash))
	s.row(w.Signature, clean(x.Signature))
	if !x.Revocation.IsZero() {
		s.row(w.Revocation, b.l.moment(x.Revocation))
	}
	s.mono(w.Policy, clean(x.Policy))
	s.mono(w.Serial, clean(x.Serial))
	for i, c := range x.Path {
		s.row(fmt.Sprintf("%s %d", w.Chain, i+1), b.certificate(c, i == len(x.Path)-1))
		sum := sha256.Sum256(c.Raw)
		s.mono(w.Fingerprint, hex.EncodeToString(sum[:]))
	}
}

func (b *builder) certificate(c *x509.Certificate, anchor bool) string {
	t := fmt.Sprintf("%s; %s", clean(c.Subject.String()), fmt.Sprintf(b.w.ValidFromTo, b.l.day(c.NotBefore), b.l.day(c.NotAfter)))
	if anchor {
		t += "; " + b.w.Anchor
	}
	return t
}

// algorithms tells until when the last time stamp holds, which is what all the others
// rest on, and when it has to be renewed.
func (b *builder) algorithms() Section {
	w, r := b.w, b.f.Report
	c := algo.Shipped()
	source, _, _ := strings.Cut(strings.TrimPrefix(c.Source, "after "), ";")
	s := Section{Heading: w.Algorithms, Text: []string{fmt.Sprintf(w.AlgorithmsWhat, c.Issued, source)}}
	if len(r.Stamps) == 0 {
		return s
	}
	last := r.Stamps[len(r.Stamps)-1]
	if h, err := algo.HashByName(last.Hash); err == nil {
		end := w.NoEnd
		if t := c.Hash(h); !t.Until.IsZero() {
			end = b.l.day(t.Until)
		}
		s.row(fmt.Sprintf(w.HashUntil, h), end)
	}
	end := w.NoEnd
	if !last.TrustUntil.IsZero() {
		end = b.l.day(last.TrustUntil)
	}
	s.row(w.SignatureUntil, fmt.Sprintf("%s; %s", clean(last.Signature), end))
	if !last.NotAfter.IsZero() {
		s.row(w.CertificateUntil, b.l.day(last.NotAfter))
	}
	if !r.Until.IsZero() {
		s.row(w.RenewBefore, b.l.moment(r.Until))
	}
	if n := len(r.Stamps) - 1; n > 0 {
		s.row(w.Renewals, fmt.Sprintf(w.Renewed, n))
	} else {
		s.row(w.Renewals, w.NotRenewed)
	}
	return s
}
