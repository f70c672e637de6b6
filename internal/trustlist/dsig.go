package trustlist

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash
	_ "crypto/sha512" // as above
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/muniment/muniment/internal/evidence/brainpool"
)

// Names of XML signatures (W3C XML Signature, RFC 9231).
const (
	dsig       = "http://www.w3.org/2000/09/xmldsig#"
	exclusive  = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped  = dsig + "enveloped-signature"
	more       = "http://www.w3.org/2001/04/xmldsig-more#"
	pss        = "http://www.w3.org/2007/05/xmldsig-more#"
	encryption = "http://www.w3.org/2001/04/xmlenc#"
)

// Errors of signatures. All but ErrUnsigned say that the list must not be believed;
// so does ErrUnsigned.
var (
	// ErrUnsigned is returned for a list without a signature.
	ErrUnsigned = errors.New("the list is not signed")
	// ErrSignature is returned (wrapped) for a signature that does not hold or is not
	// of the one form that is understood.
	ErrSignature = errors.New("the list's signature does not hold")
	// ErrSigner is returned (wrapped) for a signature that holds, by somebody who is
	// not pinned.
	ErrSigner = errors.New("the list is signed by somebody else")
)

// maxReferences bounds what one signature covers.
const maxReferences = 8

// verifySignature checks the enveloped signature of a document: exactly one in the
// whole document, a child of the root; it covers the whole root but itself; whatever
// else it covers is within itself; no identifier occurs twice. The signer's
// certificate must be one of pinned, to the byte; its own validity is not looked at,
// for whoever pins it has chosen it.
func verifySignature(root *node, pinned []*x509.Certificate) (*x509.Certificate, error) {
	sig, err := onlySignature(root)
	if err != nil {
		return nil, err
	}
	ids, err := identifiers(root)
	if err != nil {
		return nil, err
	}
	info := sig.path(dsig, "SignedInfo")
	if info == nil || len(sig.all(dsig, "SignedInfo")) != 1 {
		return nil, fmt.Errorf("%w: not one SignedInfo", ErrSignature)
	}
	refs := info.all(dsig, "Reference")
	if len(refs) == 0 || len(refs) > maxReferences {
		return nil, fmt.Errorf("%w: %d references", ErrSignature, len(refs))
	}
	covered := 0
	for _, r := range refs {
		whole, err := reference(r, root, sig, ids)
		if err != nil {
			return nil, err
		}
		if whole {
			covered++
		}
	}
	if covered != 1 {
		return nil, fmt.Errorf("%w: it does not cover the list once", ErrSignature)
	}
	return signer(sig, info, pinned)
}

func onlySignature(root *node) (*node, error) {
	var found []*node
	root.walk(func(n *node) {
		if n.is(dsig, "Signature") {
			found = append(found, n)
		}
	})
	switch {
	case len(found) == 0:
		return nil, ErrUnsigned
	case len(found) > 1:
		return nil, fmt.Errorf("%w: %d signatures", ErrSignature, len(found))
	case found[0].parent != root:
		return nil, fmt.Errorf("%w: it is not a child of the root", ErrSignature)
	}
	return found[0], nil
}

// identifiers returns the elements by identifier.
func identifiers(root *node) (map[string]*node, error) {
	ids := map[string]*node{}
	var err error
	root.walk(func(n *node) {
		for _, a := range n.attrs {
			if a.space == xmlSpace && a.local == "id" || a.space == "" && strings.EqualFold(a.local, "id") {
				if ids[a.value] != nil {
					err = fmt.Errorf("%w: identifier %.60q twice", ErrSignature, a.value)
				}
				ids[a.value] = n
			}
		}
	})
	return ids, err
}

// reference checks the digest of what a reference names. covers: it is the list.
func reference(r, root, sig *node, ids map[string]*node) (covers bool, err error) {
	target := root
	if uri := r.attr("", "URI"); uri != "" {
		target = ids[strings.TrimPrefix(uri, "#")]
		if !strings.HasPrefix(uri, "#") || target == nil {
			return false, fmt.Errorf("%w: reference %.60q", ErrSignature, uri)
		}
	}
	covers = target == root
	if !covers && !within(target, sig) {
		return false, fmt.Errorf("%w: it covers something else than the list", ErrSignature)
	}
	var without *node
	var inclusive []string
	canonicalised := false
	if t := r.path(dsig, "Transforms"); t != nil {
		for _, x := range t.all(dsig, "Transform") {
			switch x.attr("", "Algorithm") {
			case enveloped:
				without = sig
			case exclusive:
				canonicalised, inclusive = true, prefixes(x)
			default:
				return false, fmt.Errorf("%w: transform %.100q", ErrSignature, x.attr("", "Algorithm"))
			}
		}
	}
	form := func() []byte { return canonical(target, without, inclusive) }
	if !canonicalised && without == nil && !covers {
		form = func() []byte { return whole(target) }
	} else if !canonicalised || covers != (without != nil) {
		return false, fmt.Errorf("%w: the transforms are not those of an enveloped signature", ErrSignature)
	}
	h, err := digestMethod(r.path(dsig, "DigestMethod"))
	if err != nil {
		return false, err
	}
	want, err := decode(r.path(dsig, "DigestValue").content())
	if err != nil || !bytes.Equal(sum(h, form()), want) {
		return false, fmt.Errorf("%w: what it covers was changed", ErrSignature)
	}
	return covers, nil
}

func within(n, of *node) bool {
	for ; n != nil; n = n.parent {
		if n == of {
			return true
		}
	}
	return false
}

func prefixes(n *node) []string {
	list := n.path(exclusive, "InclusiveNamespaces")
	if list == nil {
		return nil
	}
	return strings.Fields(list.attr("", "PrefixList"))
}

func sum(h crypto.Hash, b []byte) []byte {
	x := h.New()
	x.Write(b)
	return x.Sum(nil)
}

func decode(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
}

func digestMethod(n *node) (crypto.Hash, error) {
	name := ""
	if n != nil {
		name = n.attr("", "Algorithm")
	}
	switch name {
	case encryption + "sha256":
		return crypto.SHA256, nil
	case more + "sha384":
		return crypto.SHA384, nil
	case encryption + "sha512":
		return crypto.SHA512, nil
	}
	return 0, fmt.Errorf("%w: digest method %.100q is weak or unknown", ErrSignature, name)
}

// signer verifies the signature by the pinned certificate that it names.
func signer(sig, info *node, pinned []*x509.Certificate) (*x509.Certificate, error) {
	method := info.path(dsig, "CanonicalizationMethod")
	if method == nil || method.attr("", "Algorithm") != exclusive {
		return nil, fmt.Errorf("%w: it is not in exclusive canonical form", ErrSignature)
	}
	value, err := decode(sig.path(dsig, "SignatureValue").content())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	raw, err := decode(sig.path(dsig, "KeyInfo", "X509Data", "X509Certificate").content())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	cert, err := brainpool.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: signer's certificate: %w", ErrSignature, err)
	}
	algorithm := ""
	if m := info.path(dsig, "SignatureMethod"); m != nil {
		algorithm = m.attr("", "Algorithm")
	}
	if err := verifyValue(cert, algorithm, canonical(info, nil, prefixes(method)), value); err != nil {
		return nil, err
	}
	for _, p := range pinned {
		if p.Equal(cert) {
			return cert, nil
		}
	}
	return cert, fmt.Errorf("%w: %.200s", ErrSigner, cert.Subject)
}

// verifyValue checks a signature by the key of a certificate.
func verifyValue(cert *x509.Certificate, algorithm string, signed, value []byte) error {
	hashes := map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}
	family, name := "", ""
	switch {
	case strings.HasPrefix(algorithm, more+"rsa-"):
		family, name = "rsa", strings.TrimPrefix(algorithm, more+"rsa-")
	case strings.HasPrefix(algorithm, more+"ecdsa-"):
		family, name = "ecdsa", strings.TrimPrefix(algorithm, more+"ecdsa-")
	case strings.HasPrefix(algorithm, pss) && strings.HasSuffix(algorithm, "-rsa-MGF1"):
		family, name = "pss", strings.TrimSuffix(strings.TrimPrefix(algorithm, pss), "-rsa-MGF1")
	}
	h, ok := hashes[name]
	if !ok {
		return fmt.Errorf("%w: signature method %.100q is weak or unknown", ErrSignature, algorithm)
	}
	holds := false
	switch k := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		holds = family == "rsa" && rsa.VerifyPKCS1v15(k, h, sum(h, signed), value) == nil ||
			family == "pss" && rsa.VerifyPSS(k, h, sum(h, signed), value, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}) == nil
	case *ecdsa.PublicKey:
		if r, s, ok := numbers(value); ok && family == "ecdsa" {
			holds = ecdsa.Verify(k, sum(h, signed), r, s)
		}
	case *brainpool.PublicKey:
		if r, s, ok := numbers(value); ok && family == "ecdsa" {
			holds = k.Verify(sum(h, signed), r, s)
		}
	}
	if !holds {
		return fmt.Errorf("%w: the value is not that of the signer", ErrSignature)
	}
	return nil
}

// numbers takes the value of an ECDSA signature apart (RFC 4050 §3.3): r and s, of equal
// length.
func numbers(value []byte) (r, s *big.Int, ok bool) {
	n := len(value) / 2
	return new(big.Int).SetBytes(value[:n]), new(big.Int).SetBytes(value[n:]), len(value)%2 == 0
}
