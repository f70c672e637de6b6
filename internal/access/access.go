// Package access holds the rules of who may do and see what. It is a leaf: it
// decides on values it is given and reads nothing by itself.
package access

import (
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/uid"
)

// ErrForbidden is returned (wrapped) when the actor's role does not allow an
// act. What an actor may not even know of is "not found" instead.
var ErrForbidden = errors.New("not allowed")

// Role is what a user may do.
type Role string

// Roles.
const (
	// RoleOperator runs the installation and sees no tenant's data.
	RoleOperator Role = "operator"
	// RoleReseller administers the tenants of one reseller and sees none of their mail.
	RoleReseller Role = "reseller"
	// RoleTenantAdmin administers one tenant. Like everybody else, it reads
	// only the mail of its own addresses.
	RoleTenantAdmin Role = "tenant-admin"
	// RoleAuditor (Revisor) reads other people's mail within what somebody with
	// another role has approved, and the mail of its own addresses.
	RoleAuditor Role = "auditor"
	// RoleDPO is the data-protection officer, who agrees to access to other people's
	// mail and sees what was read in it.
	RoleDPO Role = "dpo"
	// RoleUser finds and reads the mail of its own addresses.
	RoleUser Role = "user"
)

// Roles lists all roles.
func Roles() []Role {
	return []Role{RoleOperator, RoleReseller, RoleTenantAdmin, RoleAuditor, RoleDPO, RoleUser}
}

// ParseRole checks the name of a role.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", fmt.Errorf("role %q: want operator, reseller, tenant-admin, auditor, dpo or user", s)
}

// Right is an act that a role may or may not do.
type Right string

// Rights.
const (
	// SearchOwn finds and reads messages of the actor's own addresses.
	SearchOwn Right = "search-own"
	// UploadDocuments archives files that the actor's own addresses may see.
	UploadDocuments Right = "upload-documents"
	// ImportMail archives mail of the tenant's from files.
	ImportMail Right = "import-mail"
	// SeeStatistics sees the tenant's figures.
	SeeStatistics Right = "see-statistics"
	// ManageSources creates and changes sources of the tenant, and sees how they
	// fare.
	ManageSources Right = "manage-sources"
	// ManageDomains says which mail is the tenant's: domains and selected addresses.
	ManageDomains Right = "manage-domains"
	// ManageQuarantine sees what is in quarantine, but not what it says, and decides
	// on it.
	ManageQuarantine Right = "manage-quarantine"
	// ManageUsers creates and changes users of the tenant.
	ManageUsers Right = "manage-users"
	// ManageTenants creates and changes tenants.
	ManageTenants Right = "manage-tenants"
	// ManageLogins says what log-ins must have: of the tenant's users, or of those who
	// belong to no tenant.
	ManageLogins Right = "manage-logins"
	// ManageMail sets how mail of the installation leaves, and sees what waits to
	// be sent, but not what is in it.
	ManageMail Right = "manage-mail"
)

// Allowed reports whether role has right. It is the whole table of rights.
func Allowed(role Role, right Right) bool {
	switch right {
	case SearchOwn, UploadDocuments:
		return role.OfTenant()
	case SeeStatistics, ManageUsers, ManageSources, ManageDomains, ManageQuarantine, ImportMail:
		return role == RoleTenantAdmin
	case ManageTenants:
		return role == RoleOperator || role == RoleReseller
	case ManageLogins:
		return role == RoleTenantAdmin || role == RoleOperator
	case ManageMail:
		return role == RoleOperator
	}
	return false
}

// OfTenant reports whether those with the role belong to a tenant. The others belong
// to the installation, or to a reseller.
func (r Role) OfTenant() bool { return r != RoleOperator && r != RoleReseller }

// Actor is somebody who acts on one tenant, or an operator, who acts on the
// installation, or a reseller, who acts on its tenants from outside of them.
type Actor struct {
	Tenant    uid.ID // zero: an operator or a reseller
	Reseller  uid.ID // of a reseller's staff only
	User      uid.ID
	Role      Role
	Addresses []string // normalised
	Peer      string   // where the request came from, for the event log
}

// Check returns ErrForbidden, wrapped, unless the actor has right.
func (a Actor) Check(right Right) error {
	if a.Tenant.IsZero() == a.Role.OfTenant() || a.Reseller.IsZero() == (a.Role == RoleReseller) || !Allowed(a.Role, right) {
		return fmt.Errorf("%s needs another role than %s: %w", right, a.Role, ErrForbidden)
	}
	return nil
}

// Party is an address on a message with its role.
type Party struct {
	Role    string
	Address string // normalised
}

// Why returns the actor's addresses that are parties of the message, each once
// and in the actor's order. The actor may see the message if there is one.
func (a Actor) Why(parties []Party) []string {
	var why []string
	for _, own := range a.Addresses {
		if slices.ContainsFunc(parties, func(p Party) bool { return p.Address == own }) {
			why = append(why, own)
		}
	}
	return why
}

// MaySeeBcc reports whether the actor may know the blind copies of a message:
// its sender may, and each blind recipient may know of itself (and so of the
// field). Others must not learn of them (GDP-12).
func (a Actor) MaySeeBcc(parties []Party) bool {
	return slices.ContainsFunc(parties, func(p Party) bool {
		return KnowsBcc(p.Role) && slices.Contains(a.Addresses, p.Address)
	})
}

// KnowsBcc reports whether a party with role may know all the blind copies.
func KnowsBcc(role string) bool {
	return role == "from" || role == "sender" || role == "envelope-from" || role == "journal-sender"
}
