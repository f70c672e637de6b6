package slapd

import (
	"fmt"
	"strings"
)

// Where a company's people and groups are.
const (
	People = "ou=people," + Suffix
	Groups = "ou=groups," + Suffix
)

// Company is the LDIF of n people, u0 to u(n-1), and of groups:
//
//   - admins holds the group chiefs, which holds u1 and, as a loop, admins;
//   - sales holds u2 and u3 and has the address vertrieb@firma.example;
//   - everybody holds sales and chiefs, with the address alle@firma.example;
//   - unix names u4 by its uid, as posixGroup does;
//   - the public folder Faxe has the address faxe@firma.example.
//
// Everybody has the password of UserPassword and two addresses. u5, u6 and u7 are
// disabled, each in its own way. u8 has a name full of what filters and DNs are made of.
func Company(n int) string {
	var b strings.Builder
	for _, ou := range []string{"people", "groups"} {
		fmt.Fprintf(&b, "dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n\n", ou, Suffix, ou)
	}
	for i := range n {
		fmt.Fprintf(&b, "dn: uid=u%d,%s\nobjectClass: inetOrgPerson\nobjectClass: mailThing\nuid: u%d\ncn: Person %d\ngivenName: Person\nsn: %d\n", i, People, i, i, i)
		if i == 8 {
			b.WriteString("displayName: Ann (Tina) * \\ O'Neil, \"Boss\"\n")
		}
		fmt.Fprintf(&b, "mail: u%d@firma.example\nproxyAddresses: smtp:alias%d@firma.example\nproxyAddresses: SMTP:person.%d@firma.example\nproxyAddresses: X500:/o=Firma/cn=%d\nuserPassword: %s\n",
			i, i, i, i, UserPassword(i))
		b.WriteString(map[int]string{5: "userAccountControl: 514\n", 6: "nsAccountLock: TRUE\n", 7: "pwdAccountLockedTime: 000001010000Z\n"}[i] + "\n")
	}
	group := func(name, more string, members ...string) {
		fmt.Fprintf(&b, "dn: cn=%s,%s\nobjectClass: groupOfNames\nobjectClass: mailThing\ncn: %s\n%s", name, Groups, name, more)
		for _, m := range members {
			fmt.Fprintf(&b, "member: %s\n", m)
		}
		b.WriteString("\n")
	}
	person := func(i int) string { return fmt.Sprintf("UID=u%d, ou=People,%s", i, Suffix) }
	group("chiefs", "", person(1), "cn=admins,"+Groups)
	group("admins", "", "cn=chiefs,"+Groups)
	group("sales", "mail: Vertrieb@firma.example\n", person(2), person(3))
	group("everybody", "mail: alle@firma.example\n", "cn=sales,"+Groups, "cn=chiefs,"+Groups)
	fmt.Fprintf(&b, "dn: cn=unix,%s\nobjectClass: posixGroup\ncn: unix\ngidNumber: 100\nmemberUid: u4\n\n", Groups)
	fmt.Fprintf(&b, "dn: cn=Faxe,%s\nobjectClass: publicFolder\ncn: Faxe\nmail: faxe@firma.example\n\n", Groups)
	return b.String()
}

// UserPassword is the password of the ith of a company.
func UserPassword(i int) string { return fmt.Sprintf("secret of %d", i) }
