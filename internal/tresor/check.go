package tresor

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"
)

// submissionSkew is how far the time at which a version says that it was handed over
// may be from the time at which it is.
const submissionSkew = 24 * time.Hour

// Mistakes that Check finds, each wrapped in an error that says where.
var (
	// ErrExpired: the retention period of a version is over already.
	ErrExpired = errors.New("its retention period is over")
	// ErrSubmissionTime: submissionTime is too far from the clock.
	ErrSubmissionTime = errors.New("its submission time is too far from now")
	// ErrUnsupported: a part of the package cannot be taken over unchanged.
	ErrUnsupported = errors.New("is not supported")
)

// hashOf returns the hash function of a checkSumAlgorithm: a URI (RFC 9231), or the
// name alone, as BSI's own packages have it. Nil: it is not known.
func hashOf(uri string) func() hash.Hash {
	switch uri {
	case checkSumURI, "SHA-256":
		return sha256.New
	case "http://www.w3.org/2001/04/xmldsig-more#sha224", "SHA-224":
		return sha256.New224
	case "http://www.w3.org/2001/04/xmldsig-more#sha384", "SHA-384":
		return sha512.New384
	case "http://www.w3.org/2001/04/xmlenc#sha512", "SHA-512":
		return sha512.New
	}
	return nil
}

// checkSumURI is the algorithm of the check sums that are written.
const checkSumURI = "http://www.w3.org/2001/04/xmlenc#sha256"

// Check reports the first thing for which a package that is handed over at a time
// cannot be archived: check sums that do not fit, objects that belong to no version,
// periods that are over, and content that would not come back as it was. The order
// is that of the results of TR-ESOR: form, periods, then what is not supported.
// ErrFormat, ErrExpired, ErrSubmissionTime, ErrUnsupported.
func (p *Package) Check(now time.Time) error {
	if err := p.checkForm(); err != nil {
		return err
	}
	for i := range p.Versions {
		if err := p.Versions[i].checkTimes(now); err != nil {
			return err
		}
	}
	for _, o := range p.Objects {
		if o.XML {
			return fmt.Errorf("object %s: content that is XML or another kind of credential %w; give bytes: binaryData, binaryMetaData, Base64Signature or asn1EvidenceRecord", o.ID, ErrUnsupported)
		}
		if err := o.CheckSum(); err != nil {
			return err
		}
	}
	if len(p.Dropped) > 0 {
		return fmt.Errorf("%s %w: it could not be given back unchanged", p.Dropped[0], ErrUnsupported)
	}
	return nil
}

// checkForm looks at how versions and objects belong together.
func (p *Package) checkForm() error {
	if p.Update != nil && len(p.Versions) != 1 {
		return fmt.Errorf("%w: a DXAIP brings one version, not %d", ErrFormat, len(p.Versions))
	}
	belongs := map[string]bool{}
	for i := range p.Versions {
		v := &p.Versions[i]
		protected := v.Protected()
		unprotected := v.Unprotected()
		if n := len(protected) + len(unprotected); n > MaxVersionObjects {
			return fmt.Errorf("%w: version %s has %d objects; at most %d", ErrFormat, v.ID, n, MaxVersionObjects)
		}
		for _, id := range append(protected, unprotected...) {
			if p.Object(id) == nil && (p.Update == nil || !slices.Contains(p.Update.Kept, id)) {
				return fmt.Errorf("%w: version %s points to %s, which is no object", ErrFormat, v.ID, id)
			}
			belongs[id] = true
		}
		for _, id := range unprotected {
			if slices.Contains(protected, id) {
				return fmt.Errorf("%w: version %s says that %s is protected and that it is not", ErrFormat, v.ID, id)
			}
		}
	}
	for _, o := range p.Objects {
		if !belongs[o.ID] && p.Covers(o) == nil {
			return fmt.Errorf("%w: object %s belongs to no version", ErrFormat, o.ID)
		}
	}
	return nil
}

// Covers returns the version that an evidence record is about: the one that it names
// or is related to, or the first that points to it; nil: none, or it is no such record.
func (p *Package) Covers(o *Object) *Version {
	if o.Kind != KindEvidence {
		return nil
	}
	for _, id := range append([]string{o.VersionID}, o.Related...) {
		if v := p.Version(id); v != nil {
			return v
		}
	}
	if o.VersionID != "" {
		return nil // one that is not here
	}
	for i := range p.Versions {
		if v := &p.Versions[i]; slices.Contains(v.Protected(), o.ID) || slices.Contains(v.Unprotected(), o.ID) {
			return v
		}
	}
	return nil
}

func (v *Version) checkTimes(now time.Time) error {
	end, err := ParseDate(v.Retention)
	if err != nil {
		return fmt.Errorf("%w: version %s: %w", ErrFormat, v.ID, err)
	}
	if !end.After(now) {
		return fmt.Errorf("version %s: %w (%s)", v.ID, ErrExpired, v.Retention)
	}
	if v.Submission == nil || v.Submission.Time == "" {
		return nil
	}
	at, err := ParseTime(v.Submission.Time)
	if err != nil {
		return fmt.Errorf("%w: version %s: %w", ErrFormat, v.ID, err)
	}
	if at.Sub(now).Abs() > submissionSkew {
		return fmt.Errorf("version %s: %w: %s", v.ID, ErrSubmissionTime, v.Submission.Time)
	}
	return nil
}

// CheckSum compares an object with its check sum; without one it is as it should be.
// ErrFormat, ErrUnsupported.
func (o *Object) CheckSum() error {
	if o.Sum == nil {
		return nil
	}
	newHash := hashOf(o.Sum.Algorithm)
	if newHash == nil {
		return fmt.Errorf("object %s: the algorithm %.80q of its check sum %w", o.ID, o.Sum.Algorithm, ErrUnsupported)
	}
	h := newHash()
	h.Write(o.data)
	if !bytes.Equal(h.Sum(nil), o.Sum.Value) {
		return fmt.Errorf("%w: object %s is not what its check sum says", ErrFormat, o.ID)
	}
	return nil
}
