package tsp

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/der"
)

// Limits of a token. Real ones have 2 to 12 KB; a CRL inside can be large.
const (
	MaxToken = 16 << 20 // bytes
	maxCerts = 64       // certificates inside
	maxCRLs  = 64       // CRLs and OCSP responses inside
	maxAttrs = 64       // signed or unsigned attributes
)

// object identifiers.
func oidSignedData() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} }
func oidTSTInfo() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
}
func oidContentType() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3} }
func oidMessageDigest() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
}
func oidSigningCert() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
}
func oidSigningCertV2() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
}
func oidOCSPInside() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1} // id-pkix-ocsp-basic
}

// Token is a parsed time-stamp token. Nothing in it may be changed.
type Token struct {
	Raw  []byte // the ContentInfo, as it came
	Info Info   // what is signed

	Certificates [][]byte // X.509 certificates inside, DER
	CRLs         [][]byte // certificate revocation lists inside, DER
	OCSP         [][]byte // BasicOCSPResponses inside, DER

	version     int
	digests     int // entries of digestAlgorithms
	otherCerts  int // certificates inside that are not X.509
	otherRevs   [][]byte
	content     []byte // the TSTInfo, DER
	signer      signerInfo
	outer       outer
	contentType asn1.ObjectIdentifier
}

// outer keeps the parts of SignedData that Enrich writes again as they are.
type outer struct {
	digests, encap, signers []byte
	certs                   [][]byte // all elements of certificates
	crls                    [][]byte // all elements of crls
}

// signerInfo is the only SignerInfo (RFC 5652 §5.3).
type signerInfo struct {
	version    int
	issuer     []byte // DER of the name; nil if keyID is set
	serial     *big.Int
	keyID      []byte
	digest     algo.Hash
	sig        algo.Signature
	attrs      []attribute
	rawAttrs   []byte // with the tag SET OF: what is signed
	derAttrs   []byte // the same in the order of DER; nil if it is in that order
	value      []byte
	unsigned   int
	digestErr  error // an algorithm that is not supported
	sigErr     error
	sortedAttr bool
}

type attribute struct {
	oid    asn1.ObjectIdentifier
	values cryptobyte.String // contents of the SET
}

// ParseToken reads a token strictly: DER, SignedData over TSTInfo, exactly one
// signer. Errors are of the codes CodeMalformed, CodeTooLarge, CodeContentType
// and CodeSigners. Nothing is verified. The token keeps b.
func ParseToken(b []byte) (*Token, error) {
	if len(b) > MaxToken {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", CodeTooLarge, len(b), MaxToken)
	}
	if err := der.Check(b); err != nil {
		return nil, fmt.Errorf("%w: %w", CodeMalformed, err)
	}
	t := &Token{Raw: b}
	if err := t.parse(cryptobyte.String(b)); err != nil {
		if errors.Is(err, CodeContentType) || errors.Is(err, CodeSigners) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", CodeMalformed, err)
	}
	return t, nil
}

func contextTag(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

func (t *Token) parse(s cryptobyte.String) error {
	var ci, explicit, sd, set, encap cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&ci, cbasn1.SEQUENCE) || !ci.ReadASN1ObjectIdentifier(&oid) {
		return errors.New("no ContentInfo")
	}
	if !oid.Equal(oidSignedData()) {
		return fmt.Errorf("%w: ContentInfo holds %v, not signed data", CodeContentType, oid)
	}
	if !ci.ReadASN1(&explicit, contextTag(0)) || !ci.Empty() || !explicit.ReadASN1(&sd, cbasn1.SEQUENCE) || !explicit.Empty() {
		return errors.New("no SignedData")
	}
	if !sd.ReadASN1Integer(&t.version) || !sd.ReadASN1Element(&set, cbasn1.SET) || !sd.ReadASN1Element(&encap, cbasn1.SEQUENCE) {
		return errors.New("SignedData: version, digestAlgorithms or encapContentInfo")
	}
	if t.version < 3 || t.version > 5 { // 3 as the content is not id-data, more for what the sets hold
		return fmt.Errorf("SignedData: version %d, RFC 5652 §5.1 asks for 3, 4 or 5", t.version)
	}
	t.outer.digests, t.outer.encap = set, encap
	var err error
	if t.digests, err = count(set, cbasn1.SET); err != nil {
		return fmt.Errorf("digestAlgorithms: %w", err)
	}
	if err := t.parseContent(encap); err != nil {
		return err
	}
	if err := t.parseCertificates(&sd); err != nil {
		return err
	}
	if err := t.parseRevocation(&sd); err != nil {
		return err
	}
	if !sd.ReadASN1Element(&set, cbasn1.SET) || !sd.Empty() {
		return errors.New("SignedData: signerInfos")
	}
	t.outer.signers = set
	n, err := count(set, cbasn1.SET)
	if err != nil {
		return fmt.Errorf("signerInfos: %w", err)
	}
	if n != 1 {
		return fmt.Errorf("%w: %d signers, there must be one", CodeSigners, n)
	}
	var infos, info cryptobyte.String
	if !set.ReadASN1(&infos, cbasn1.SET) || !infos.ReadASN1(&info, cbasn1.SEQUENCE) {
		return errors.New("signerInfo")
	}
	return t.signer.parse(info)
}

// count returns how many elements the element s of the tag holds.
func count(s cryptobyte.String, tag cbasn1.Tag) (int, error) {
	var in, e cryptobyte.String
	if !s.ReadASN1(&in, tag) {
		return 0, errors.New("malformed")
	}
	n := 0
	for ; !in.Empty(); n++ {
		var any cbasn1.Tag
		if !in.ReadAnyASN1Element(&e, &any) {
			return 0, errors.New("malformed")
		}
	}
	return n, nil
}

func (t *Token) parseContent(encap cryptobyte.String) error {
	var in, explicit, octets cryptobyte.String
	if !encap.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1ObjectIdentifier(&t.contentType) {
		return errors.New("encapContentInfo")
	}
	if !t.contentType.Equal(oidTSTInfo()) {
		return fmt.Errorf("%w: %v, not TSTInfo", CodeContentType, t.contentType)
	}
	if !in.ReadASN1(&explicit, contextTag(0)) || !in.Empty() || !explicit.ReadASN1(&octets, cbasn1.OCTET_STRING) || !explicit.Empty() {
		return errors.New("encapContentInfo: no content")
	}
	t.content = octets
	if err := der.Check(octets); err != nil {
		return fmt.Errorf("TSTInfo: %w", err)
	}
	var err error
	t.Info, err = parseInfo(octets)
	return err
}

func (t *Token) parseCertificates(sd *cryptobyte.String) error {
	var in cryptobyte.String
	var has bool
	if !sd.ReadOptionalASN1(&in, &has, contextTag(0)) {
		return errors.New("certificates")
	}
	for !in.Empty() {
		var e cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1Element(&e, &tag) || len(t.outer.certs) == maxCerts {
			return fmt.Errorf("certificates: malformed, or more than %d", maxCerts)
		}
		t.outer.certs = append(t.outer.certs, e)
		if tag == cbasn1.SEQUENCE {
			t.Certificates = append(t.Certificates, e)
		} else {
			t.otherCerts++
		}
	}
	return nil
}

func (t *Token) parseRevocation(sd *cryptobyte.String) error {
	var in cryptobyte.String
	var has bool
	if !sd.ReadOptionalASN1(&in, &has, contextTag(1)) {
		return errors.New("crls")
	}
	for !in.Empty() {
		var e, other, value cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1Element(&e, &tag) || len(t.outer.crls) == maxCRLs {
			return fmt.Errorf("crls: malformed, or more than %d", maxCRLs)
		}
		t.outer.crls = append(t.outer.crls, e)
		if tag == cbasn1.SEQUENCE {
			t.CRLs = append(t.CRLs, e)
			continue
		}
		var oid asn1.ObjectIdentifier
		element := e
		if e.ReadASN1(&other, contextTag(1)) && other.ReadASN1ObjectIdentifier(&oid) && oid.Equal(oidOCSPInside()) &&
			other.ReadASN1Element(&value, cbasn1.SEQUENCE) && other.Empty() {
			t.OCSP = append(t.OCSP, value)
		} else {
			t.otherRevs = append(t.otherRevs, element)
		}
	}
	return nil
}

func (s *signerInfo) parse(in cryptobyte.String) error {
	if !in.ReadASN1Integer(&s.version) {
		return errors.New("signerInfo: version")
	}
	var sid, id, attrs, value cryptobyte.String
	if in.PeekASN1Tag(cbasn1.SEQUENCE) {
		var name cryptobyte.String
		s.serial = new(big.Int)
		if !in.ReadASN1(&sid, cbasn1.SEQUENCE) || !sid.ReadASN1Element(&name, cbasn1.SEQUENCE) || !sid.ReadASN1Integer(s.serial) || !sid.Empty() {
			return errors.New("signerInfo: issuer and serial number")
		}
		s.issuer = name
	} else if in.ReadASN1(&sid, cbasn1.Tag(0).ContextSpecific()) {
		s.keyID = sid
	} else {
		return errors.New("signerInfo: identifier of the signer")
	}
	if !in.ReadASN1(&id, cbasn1.SEQUENCE) {
		return errors.New("signerInfo: digestAlgorithm")
	}
	s.digest, s.digestErr = algo.ReadHashID(id)
	if in.PeekASN1Tag(contextTag(0)) {
		if !in.ReadASN1Element(&attrs, contextTag(0)) {
			return errors.New("signerInfo: signed attributes")
		}
		s.rawAttrs = append([]byte{0x31}, attrs[1:]...) // RFC 5652 §5.4: signed as a SET OF
		if err := s.parseAttrs(attrs); err != nil {
			return err
		}
	}
	if !in.ReadASN1(&id, cbasn1.SEQUENCE) || !in.ReadASN1(&value, cbasn1.OCTET_STRING) {
		return errors.New("signerInfo: signature")
	}
	s.sig, s.sigErr = algo.ReadSignatureID(id)
	s.value = value
	if in.PeekASN1Tag(contextTag(1)) {
		var unsigned cryptobyte.String
		var err error
		if !in.ReadASN1Element(&unsigned, contextTag(1)) {
			return errors.New("signerInfo: unsigned attributes")
		}
		if s.unsigned, err = count(unsigned, contextTag(1)); err != nil {
			return fmt.Errorf("unsigned attributes: %w", err)
		}
	}
	if !in.Empty() {
		return errors.New("signerInfo: more than there should be")
	}
	return nil
}

func (s *signerInfo) parseAttrs(element cryptobyte.String) error {
	var in, last cryptobyte.String
	if !element.ReadASN1(&in, contextTag(0)) {
		return errors.New("signed attributes")
	}
	s.sortedAttr = true
	head := s.rawAttrs[:len(s.rawAttrs)-len(in)]
	var all [][]byte
	for !in.Empty() {
		var whole, seq cryptobyte.String
		a := attribute{}
		if len(s.attrs) == maxAttrs || !in.ReadASN1Element(&whole, cbasn1.SEQUENCE) {
			return fmt.Errorf("signed attributes: malformed, or more than %d", maxAttrs)
		}
		s.sortedAttr = s.sortedAttr && bytes.Compare(last, whole) <= 0
		last, all = whole, append(all, whole)
		if !whole.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&a.oid) || !seq.ReadASN1(&a.values, cbasn1.SET) || !seq.Empty() {
			return errors.New("signed attributes")
		}
		s.attrs = append(s.attrs, a)
	}
	if !s.sortedAttr {
		slices.SortFunc(all, bytes.Compare)
		s.derAttrs = slices.Concat(append([][]byte{head}, all...)...)
	}
	return nil
}

// attr returns the only value of the only attribute with the object identifier;
// nil if there is none.
func (s *signerInfo) attr(oid asn1.ObjectIdentifier) (cryptobyte.String, error) {
	var found cryptobyte.String
	for _, a := range s.attrs {
		if !a.oid.Equal(oid) {
			continue
		}
		values := a.values
		var tag cbasn1.Tag
		if found != nil || !values.ReadAnyASN1Element(&found, &tag) || !values.Empty() {
			return nil, fmt.Errorf("attribute %v must be there once, with one value", oid)
		}
	}
	return found, nil
}

// certificates parses the certificates that can be; the others are counted.
func certificates(all ...[]byte) (certs []*x509.Certificate, unreadable int) {
	for _, b := range all {
		if c, err := brainpool.ParseCertificate(b); err == nil {
			certs = append(certs, c)
		} else {
			unreadable++
		}
	}
	return certs, unreadable
}
