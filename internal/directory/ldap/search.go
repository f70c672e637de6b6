package ldap

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
)

// inChain is Active Directory's matching rule that follows nested groups.
const inChain = "1.2.840.113556.1.4.1941"

// equals makes a filter for one value, of which no byte can mean anything else
// (RFC 4515 §3).
func equals(attribute, value string) string {
	return "(" + attribute + "=" + ldap.EscapeFilter(value) + ")"
}

// equalsBytes is equals for a value that is no text.
func equalsBytes(attribute string, value []byte) string {
	var b strings.Builder
	for _, c := range value {
		b.WriteByte('\\')
		b.WriteString(hex.EncodeToString([]byte{c}))
	}
	return "(" + attribute + "=" + b.String() + ")"
}

// both makes a filter of filters that all have to fit. Empty ones are left out.
func both(filters ...string) string {
	all := strings.Join(filters, "")
	return "(&" + all + ")"
}

// query is a search.
type query struct {
	base   string
	single bool // only the entry at base
	filter string
	want   []string // attributes
	most   int      // entries; more are an error
}

// search reads everything that fits, page by page, and calls do for each entry.
// References to other servers are noted and not followed.
func (s *session) search(q query, do func(*ldap.Entry) error) error {
	if _, err := ldap.CompileFilter(q.filter); err != nil {
		return directory.Fail(directory.CodeFilter, err)
	}
	scope := ldap.ScopeWholeSubtree
	if q.single {
		scope = ldap.ScopeBaseObject
	}
	paging, count := ldap.NewControlPaging(pageSize), 0
	for range maxPages {
		controls := []ldap.Control{paging}
		if q.single {
			controls = nil
		}
		s.wire.request()
		found, err := s.conn.Search(ldap.NewSearchRequest(q.base, scope, ldap.NeverDerefAliases, 0, 0, false, q.filter, q.want, controls))
		if err != nil {
			return s.explain(err)
		}
		if n := s.wire.seen(); n > 0 {
			what := ""
			if len(found.Referrals) > 0 {
				what = directory.Clean(found.Referrals[0], "", nil)
			}
			s.notes.Note(directory.NoteReferral, what)
		}
		for _, e := range found.Entries {
			if count++; count > q.most {
				return directory.Fail(directory.CodeTooLarge, fmt.Errorf("more than %d entries", q.most))
			}
			if err := do(e); err != nil {
				return err
			}
		}
		next, ok := ldap.FindControl(found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return nil
		}
		paging.SetCookie(next.Cookie)
	}
	return directory.Fail(remote.CodeProtocol, fmt.Errorf("the server sends more than %d pages", maxPages))
}
