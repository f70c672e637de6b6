package archive

import (
	"fmt"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
)

// checkOrder judges an order and writes it in its normal form.
func (a *Archive) checkOrder(o *Order) error {
	o.Name, o.Slug = strings.TrimSpace(o.Name), strings.ToLower(strings.TrimSpace(o.Slug))
	if len(o.Reference) > maxReference || strings.ContainsFunc(o.Reference, func(r rune) bool { return r < ' ' || r == 0xfffd }) {
		return wrongField("reference", "want at most %d bytes of text in one line", maxReference)
	}
	if o.Name == "" {
		return wrongField("name", "is missing")
	}
	if err := checkName(o.Name); err != nil {
		return inField("name", err)
	}
	if o.Slug != "" && !slugForm.MatchString(o.Slug) {
		return wrongField("slug", "want 1 to 63 of a-z, 0-9 and -, not at the ends")
	}
	if o.Zone != "" {
		if err := checkZone(o.Zone); err != nil {
			return wrongField("zone", "is no IANA time zone such as Europe/Berlin")
		}
	}
	if err := checkName(o.Journal); err != nil {
		return inField("journal", err)
	}
	if err := checkTenantLimits(o.Limits); err != nil {
		return err
	}
	if len(o.Users) > maxOrderUsers || len(o.Shared) > maxShared {
		return wrongField("users", "at most %d users and %d shared addresses in one order", maxOrderUsers, maxShared)
	}
	var err error
	if o.Shared, err = Addresses(o.Shared); err != nil {
		return inField("shared", err)
	}
	if err := checkOrderDomains(o.Domains); err != nil {
		return err
	}
	return a.checkOrderUsers(o)
}

func checkOrderDomains(list []OrderDomain) error {
	if len(list) > maxDomains {
		return wrongField("domains", "at most %d", maxDomains)
	}
	size := 0
	mains, seen := map[string]bool{}, map[string]bool{}
	for i := range list {
		name, ok := message.NormalizeDomain(list[i].Name)
		if !ok {
			return wrongField(fmt.Sprintf("domains[%d].name", i), "want one such as example.com")
		}
		if seen[name] {
			return wrongField(fmt.Sprintf("domains[%d].name", i), "%s is there twice", name)
		}
		seen[name] = true
		list[i].Name = name
		mains[name] = list[i].AliasOf == ""
		size += len(name) + len(list[i].AliasOf)
	}
	if size > maxDomainBytes {
		return wrongField("domains", "are too long together")
	}
	for i := range list {
		if list[i].AliasOf == "" {
			continue
		}
		main, ok := message.NormalizeDomain(list[i].AliasOf)
		if !ok || !mains[main] {
			return wrongField(fmt.Sprintf("domains[%d].alias_of", i), "want another one of the domains, which is no alias itself")
		}
		list[i].AliasOf = main
	}
	return nil
}

// mainAddress is an address as that in the main domain of an alias of the order.
func (o *Order) mainAddress(address string) string {
	i := strings.LastIndexByte(address, '@') + 1
	for _, d := range o.Domains {
		if d.AliasOf != "" && d.Name == message.DomainOf(address) {
			return address[:i] + d.AliasOf
		}
	}
	return address
}

func (a *Archive) checkOrderUsers(o *Order) error {
	seen := map[string]bool{}
	owners := map[string]string{} // of addresses, by main address
	for i, u := range orderUsers(o) {
		field := "admin"
		if o.Admin == nil || i > 0 {
			field = fmt.Sprintf("users[%d]", i-min(1, len(orderUsers(o))-len(o.Users)))
		}
		u.Login, u.Name = normalLogin(u.Login), strings.TrimSpace(u.Name)
		if !loginForm.MatchString(u.Login) {
			return wrongField(field+".login", "want up to 128 letters, digits and . _ @ + -, starting with a letter or digit")
		}
		if seen[u.Login] {
			return wrongField(field+".login", "%s is there twice", u.Login)
		}
		seen[u.Login] = true
		if err := checkName(u.Name); err != nil {
			return inField(field+".name", err)
		}
		if u.Language != "" && u.Language != "de" && u.Language != "en" {
			return wrongField(field+".language", "want de, en or nothing")
		}
		if u.Password != "" {
			who := &catalog.User{Login: u.Login, Name: u.Name, Addresses: u.Addresses}
			if err := a.checkPassword(who, &catalog.Tenant{Slug: o.Slug, Name: o.Name}, u.Password); err != nil {
				return inField(field+".password", err)
			}
		}
		var err error
		if u.Addresses, err = Addresses(u.Addresses); err != nil {
			return inField(field+".addresses", err)
		}
		if len(u.Addresses) > maxAddresses {
			return wrongField(field+".addresses", "at most %d", maxAddresses)
		}
		u.Addresses = once(u.Addresses)
		for _, x := range u.Addresses {
			if len(o.Domains) > 0 && !slices.ContainsFunc(o.Domains, func(d OrderDomain) bool { return d.Name == message.DomainOf(x) }) {
				return wrongField(field+".addresses", "%s is in none of the domains", x)
			}
			main := o.mainAddress(x)
			if other, taken := owners[main]; taken && other != u.Login && !slices.ContainsFunc(o.Shared, func(s string) bool { return o.mainAddress(s) == main }) {
				return wrongField(field+".addresses", "%s belongs to user %s of the order as well; name it in shared if both are to see its mail", x, other)
			}
			owners[main] = u.Login
		}
	}
	return nil
}

// once leaves out what is there before, and keeps the order.
func once(list []string) []string {
	out := list[:0]
	for _, x := range list {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}
