package message

import (
	"strings"

	"golang.org/x/net/idna"
)

// maxDomain is the length of the longest domain, in bytes (RFC 1035 §2.3.4).
const maxDomain = 253

// NormalizeDomain writes a mail domain as people type it the way NormalizeAddress
// writes that of an address: in lower case and Unicode, without a dot at its end.
// ok is false if it is none, such as an address or a single word.
func NormalizeDomain(s string) (domain string, ok bool) {
	s = strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), "."), "@")
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil || len(ascii) > maxDomain || !strings.Contains(ascii, ".") || strings.Contains("."+ascii+".", "..") || strings.ContainsAny(ascii, "@ []:/") {
		return "", false
	}
	domain, err = idna.ToUnicode(ascii)
	return domain, err == nil
}

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
