package tsp

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// checkName checks that the name of the authority that the token tells, if it does, is one
// of the names of the signer's certificate (RFC 3161 §2.4.2). Who signed is told by the
// signing certificate attribute; this is what the token says to people.
func (t *Token) checkName(c *x509.Certificate) error {
	if t.Info.Name == nil {
		return nil
	}
	names := cryptobyte.String(nil)
	for _, e := range c.Extensions {
		if s := cryptobyte.String(e.Value); e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) && !s.ReadASN1(&names, cbasn1.SEQUENCE) {
			names = nil // an alternative name that cannot be read is none
		}
	}
	told, directory := directoryName(t.Info.Name)
	if directory && sameName(told, c.RawSubject) {
		return nil
	}
	for !names.Empty() {
		var name cryptobyte.String
		var tag cbasn1.Tag
		if !names.ReadAnyASN1Element(&name, &tag) {
			break
		}
		other, also := directoryName(name)
		if bytes.Equal(name, t.Info.Name) || directory && also && sameName(told, other) {
			return nil
		}
	}
	return fmt.Errorf("%w: the token names an authority that the certificate of %q does not", CodeName, c.Subject)
}

// directoryName returns the Name in a GeneralName; false if it is one of another kind.
func directoryName(general cryptobyte.String) (name cryptobyte.String, ok bool) {
	var in cryptobyte.String
	ok = general.ReadASN1(&in, contextTag(4)) && general.Empty() && in.ReadASN1Element(&name, cbasn1.SEQUENCE) && in.Empty()
	return name, ok
}

// sameName compares two names: the same attributes with the same values, whatever the kind
// of their strings, their case, their spaces (RFC 5280 §7.1) and, as some authorities turn
// it round, their order.
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, y := attributes(a), attributes(b)
	return len(x) > 0 && slices.Equal(x, y)
}

// attributes returns the attributes of a Name, each as one text, sorted; nil if it cannot
// be read.
func attributes(name []byte) []string {
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(name, &sequence); err != nil || len(rest) > 0 {
		return nil
	}
	var all []string
	for _, set := range sequence {
		for _, a := range set {
			all = append(all, a.Type.String()+"="+strings.ToLower(strings.Join(strings.Fields(fmt.Sprint(a.Value)), " ")))
		}
	}
	slices.Sort(all)
	return all
}
