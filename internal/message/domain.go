package message

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// maxDomain is the length of the longest domain, in bytes (RFC 1035 §2.3.4).
const maxDomain = 253

// NormalizeDomain writes a mail domain as people type it the way NormalizeAddress
// writes that of an address: in lower case and Unicode, without a dot at its end.
// ok is false if it is none, such as a mail or IP address or a single word.
func NormalizeDomain(s string) (domain string, ok bool) {
	s = strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), "."), "@")
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil || len(ascii) > maxDomain || !strings.Contains(ascii, ".") || strings.Contains("."+ascii+".", "..") || strings.ContainsAny(ascii, "@ []:/") {
		return "", false
	}
	labels := strings.Split(ascii, ".")
	if slices.ContainsFunc(labels, func(l string) bool { return len(l) > maxLabel }) || !strings.ContainsFunc(labels[len(labels)-1], notDigit) {
		return "", false
	}
	domain, err = idna.ToUnicode(ascii)
	return domain, err == nil
}

// maxLabel bounds a label (RFC 1035 §2.3.4), in bytes.
const maxLabel = 63

// notDigit: the last label of a domain has one of these, so that nothing is taken for a
// domain that is an IPv4 address (RFC 3696 §2).
func notDigit(r rune) bool { return r < '0' || r > '9' }

// DomainOf returns the domain of a normalised address as NormalizeDomain writes it,
// or nothing.
func DomainOf(address string) string {
	domain := address[strings.LastIndexByte(address, '@')+1:]
	if len(domain) == len(address) {
		return ""
	}
	for i := range len(domain) {
		if domain[i] >= 0x80 {
			if d, ok := NormalizeDomain(domain); ok {
				return d
			}
			break
		}
	}
	return domain
}
