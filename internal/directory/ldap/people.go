package ldap

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/directory"
)

// Attributes.
const (
	attrGUID      = "objectGUID" // Active Directory: 16 bytes
	attrUUID      = "entryUUID"  // RFC 4530
	attrNsID      = "nsUniqueId" // 389 Directory Server
	attrControl   = "userAccountControl"
	attrNsLock    = "nsAccountLock"        // 389 Directory Server
	attrPwdLock   = "pwdAccountLockedTime" // OpenLDAP's password policy
	lockedForEver = "000001010000Z"
)

// accountDisabled is ADS_UF_ACCOUNTDISABLE of userAccountControl.
const accountDisabled = 0x2

// idAttribute names an entry for ever.
func idAttribute(set directory.LDAP) string {
	if set.Flavour == directory.FlavourAD {
		return attrGUID
	}
	return attrUUID
}

// idOf returns the entry's lasting id; empty if it has none.
func idOf(set directory.LDAP, e *ldap.Entry) string {
	if set.Flavour == directory.FlavourAD {
		if b := e.GetEqualFoldRawAttributeValue(attrGUID); len(b) == 16 {
			return hex.EncodeToString(b)
		}
		return ""
	}
	if v := e.GetEqualFoldAttributeValue(attrUUID); v != "" {
		return strings.ToLower(v)
	}
	return strings.ToLower(e.GetEqualFoldAttributeValue(attrNsID))
}

// byID makes the filter that finds an entry by idOf.
func byID(set directory.LDAP, id string) (string, error) {
	if set.Flavour == directory.FlavourAD {
		b, err := hex.DecodeString(id)
		if err != nil || len(b) != 16 {
			return "", fmt.Errorf("%.40q is no objectGUID", id)
		}
		return equalsBytes(attrGUID, b), nil
	}
	if strings.Count(id, "-") == 4 && len(id) == 36 {
		return equals(attrUUID, id), nil
	}
	return equals(attrNsID, id), nil
}

func loginAttribute(set directory.LDAP) string {
	switch {
	case set.Login != "":
		return set.Login
	case set.Flavour == directory.FlavourAD:
		return "sAMAccountName"
	}
	return "uid"
}

func addressAttributes(set directory.LDAP) []string {
	if len(set.Addresses) > 0 {
		return set.Addresses
	}
	return []string{"mail", "proxyAddresses", "mailAlternateAddress"}
}

func personAttributes(set directory.LDAP) []string {
	return append([]string{idAttribute(set), attrNsID, loginAttribute(set), "uid", "cn", "displayName", "givenName", "sn", attrControl, attrNsLock, attrPwdLock},
		addressAttributes(set)...)
}

// personFilter finds those who may be users.
func personFilter(set directory.LDAP) string {
	f := "(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=person))"
	if set.Flavour == directory.FlavourAD {
		f = "(&(objectCategory=person)(objectClass=user))"
	}
	if set.Filter != "" {
		f = both(f, set.Filter)
	}
	return f
}

// addressesOf returns the mail addresses of an entry, the main one first: that of
// proxyAddresses in capitals (SMTP:), or else the first of the first attribute.
// Values of other kinds, such as X500: and sip:, are no mail addresses.
func addressesOf(set directory.LDAP, e *ldap.Entry) []string {
	var main, rest []string
	for _, name := range addressAttributes(set) {
		for _, v := range e.GetEqualFoldAttributeValues(name) {
			kind, address, typed := strings.Cut(v, ":")
			switch {
			case !typed:
				rest = append(rest, v)
			case kind == "SMTP":
				main = append(main, address)
			case strings.EqualFold(kind, "smtp"):
				rest = append(rest, address)
			}
		}
	}
	var out []string
	for _, a := range append(main, rest...) {
		a = strings.ToLower(strings.TrimSpace(a))
		if strings.Contains(a, "@") && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// disabled reports whether the entry says that nobody may log in as it. A lock that
// ends by itself is none: the server itself refuses the log-in as long as it lasts.
func disabled(e *ldap.Entry) bool {
	if n, err := strconv.ParseInt(e.GetEqualFoldAttributeValue(attrControl), 10, 64); err == nil && n&accountDisabled != 0 {
		return true
	}
	return strings.EqualFold(e.GetEqualFoldAttributeValue(attrNsLock), "true") || e.GetEqualFoldAttributeValue(attrPwdLock) == lockedForEver
}

// person reads an entry.
func person(set directory.LDAP, e *ldap.Entry) directory.Person {
	p := directory.Person{ID: idOf(set, e), Login: first(e, loginAttribute(set)), First: first(e, "givenName"), Last: first(e, "sn"),
		Addresses: addressesOf(set, e), Disabled: disabled(e)}
	p.Name = first(e, "displayName")
	if p.Name == "" {
		p.Name = first(e, "cn")
	}
	return p
}

func first(e *ldap.Entry, attribute string) string {
	return strings.TrimSpace(strings.ToValidUTF8(e.GetEqualFoldAttributeValue(attribute), ""))
}

// dnKey makes equal of distinguished names that differ in case and spaces only.
func dnKey(dn string) string {
	d, err := ldap.ParseDN(dn)
	if err != nil {
		return strings.ToLower(strings.TrimSpace(dn))
	}
	var b strings.Builder
	for _, rdn := range d.RDNs {
		var parts []string
		for _, a := range rdn.Attributes {
			parts = append(parts, strings.ToLower(a.Type)+"="+strconv.Quote(strings.ToLower(a.Value)))
		}
		slices.Sort(parts)
		b.WriteString(strings.Join(parts, "+"))
		b.WriteByte(',')
	}
	return b.String()
}
