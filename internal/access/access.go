// Package access holds the rules of who may do and see what. It is a leaf: it
// decides on values it is given and reads nothing by itself.
//
//	access.go  roles, rights, who sees which message
//	grant.go   access to other people's mail: who asks, who approves
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
	// OwnAccount sees and changes the actor's own account.
	OwnAccount Right = "own-account"
	// SearchOwn finds and reads messages of the actor's own addresses, and those of an
	// approved request for access.
	SearchOwn Right = "search-own"
	// UploadDocuments archives files that the actor's own addresses may see.
	UploadDocuments Right = "upload-documents"
	// ImportMail archives mail of the tenant's from files.
	ImportMail Right = "import-mail"
	// SeeStatistics sees the tenant's figures.
	SeeStatistics Right = "see-statistics"
	// SeeDashboard sees the figures and alarms of what the actor looks after: of the
	// tenant, of a reseller's tenants, or of the installation.
	SeeDashboard Right = "see-dashboard"
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
	// ManageDirectories says where the tenant's users come from, and has them read.
	ManageDirectories Right = "manage-directories"
	// ManageTenants creates and changes tenants, of a reseller its own, and sees what
	// they use.
	ManageTenants Right = "manage-tenants"
	// ManageLogins says what log-ins must have: of the tenant's users, or of those who
	// belong to no tenant.
	ManageLogins Right = "manage-logins"
	// DeleteTenants deletes tenants that have ended, for good.
	DeleteTenants Right = "delete-tenants"
	// ManageResellers creates and changes resellers and their staff.
	ManageResellers Right = "manage-resellers"
	// ManageStaff disables, ends and restores the log-ins of operators and of the staff of
	// resellers.
	ManageStaff Right = "manage-staff"
	// ManageBranding says how the archive looks to a reseller's customers.
	ManageBranding Right = "manage-branding"
	// ManageTokens makes and revokes tokens for programs that act with the rights of
	// whom they belong to.
	ManageTokens Right = "manage-tokens"
	// ManageWebhooks says which other programs are told of events: of the tenant, of a
	// reseller's tenants, or of the installation.
	ManageWebhooks Right = "manage-webhooks"
	// ManageMail sets how mail of the installation leaves, and sees what waits to
	// be sent, but not what is in it.
	ManageMail Right = "manage-mail"
	// ManageSite sets by which name and certificate the installation is reached.
	ManageSite Right = "manage-site"
	// SeeLog sees the event log of the tenant, or of the installation, proves what is
	// in it and gets its receipts.
	SeeLog Right = "see-log"
	// ManageReceipts says who gets the receipts of the event log, and when.
	ManageReceipts Right = "manage-receipts"
	// ManageEvidence sets which authorities give time stamps, and how often.
	ManageEvidence Right = "manage-evidence"
	// SeeEvidence sees how far the tenant's objects are proven: batches, time stamps,
	// authorities, but no message.
	SeeEvidence Right = "see-evidence"
	// RequestAccess asks for access to other people's mail, and reads it once somebody
	// with another role has approved.
	RequestAccess Right = "request-access"
	// SeeAccessRequests sees requests for access to other people's mail and for acts: an
	// auditor the actor's own and those for acts, the others all of the tenant.
	SeeAccessRequests Right = "see-access-requests"
	// DecideAccess approves or refuses requests of others for access to other people's
	// mail.
	DecideAccess Right = "decide-access"
	// RequestActs asks for acts that need four eyes and are no reading: deleting messages,
	// lifting a hold, shortening a retention.
	RequestActs Right = "request-acts"
	// DecideActs approves and refuses requests for acts that are no reading, of somebody
	// with another role.
	DecideActs Right = "decide-acts"
	// PlaceHolds places holds, which keep messages from being deleted.
	PlaceHolds Right = "place-holds"
	// SeeHolds sees the holds of the tenant, their names and reasons.
	SeeHolds Right = "see-holds"
	// SeeRetention sees how long the tenant keeps its mail, and what was set before.
	SeeRetention Right = "see-retention"
	// ManageRetention makes a retention longer. To make it shorter, RequestActs and
	// somebody else with DecideActs are needed.
	ManageRetention Right = "manage-retention"
	// SeeTombstones sees what was deleted, when, by whom and why, and that it was.
	SeeTombstones Right = "see-tombstones"
	// SeeAccessRecords sees what was read under approved requests, and says whether the
	// people concerned are told.
	SeeAccessRecords Right = "see-access-records"
	// Preserve archives objects for a program and gets them back, by the functions of BSI
	// TR-03125. No role has it: only programs do, by a token of a tenant, and it reaches
	// nothing but such objects.
	Preserve Right = "preserve"
	// SeeReaders learns who has read mail of the actor's own addresses, when and why.
	SeeReaders Right = "see-readers"
)

// Allowed reports whether role has right. It is the whole table of rights.
func Allowed(role Role, right Right) bool {
	switch right {
	case OwnAccount:
		return true
	case SearchOwn, UploadDocuments, SeeReaders:
		return role.OfTenant()
	case SeeStatistics, ManageUsers, ManageDirectories, ManageSources, ManageDomains, ManageQuarantine, ImportMail:
		return role == RoleTenantAdmin
	case ManageTenants, DeleteTenants, ManageBranding:
		return role == RoleOperator || role == RoleReseller
	case SeeEvidence:
		return role == RoleTenantAdmin || role == RoleAuditor || role == RoleDPO
	case ManageLogins:
		return role == RoleTenantAdmin || role == RoleOperator
	case ManageStaff, ManageMail, ManageSite, ManageEvidence, ManageResellers:
		return role == RoleOperator
	case ManageTokens, ManageWebhooks, SeeDashboard:
		return role == RoleOperator || role == RoleReseller || role == RoleTenantAdmin
	case SeeLog:
		return role == RoleTenantAdmin || role == RoleAuditor || role == RoleDPO || role == RoleOperator
	case ManageReceipts:
		return role == RoleTenantAdmin || role == RoleOperator
	case RequestAccess:
		return role == RoleAuditor
	case SeeAccessRequests:
		return role == RoleAuditor || role == RoleTenantAdmin || role == RoleDPO
	case RequestActs, DecideActs, SeeTombstones, PlaceHolds, SeeHolds, SeeRetention:
		return slices.Contains(caretakers(), role)
	case DecideAccess, ManageRetention:
		return role == RoleTenantAdmin || role == RoleDPO
	case SeeAccessRecords:
		return role == RoleDPO
	}
	return false
}

// ForPrograms reports whether no role has the right: only programs have it, by a token of
// a tenant with the scope for it.
func (r Right) ForPrograms() bool { return r == Preserve }

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
	Program   bool     // it acts by a token
	// Grant, if not nil, is the access under which the actor reads other people's mail:
	// Addresses are then those of the grant, and nothing but reading is allowed.
	Grant *Grant
}

// Check returns ErrForbidden, wrapped, unless the actor has right.
func (a Actor) Check(right Right) error {
	if a.Grant != nil && right != SearchOwn {
		return fmt.Errorf("%s while reading other people's mail: %w", right, ErrForbidden)
	}
	if right.ForPrograms() && a.Program && a.Role == RoleTenantAdmin && !a.Tenant.IsZero() {
		return nil
	}
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
	return a.SeesAll() || slices.ContainsFunc(parties, func(p Party) bool {
		return KnowsBcc(p.Role) && slices.Contains(a.Addresses, p.Address)
	})
}

// KnowsBcc reports whether a party with role may know all the blind copies.
func KnowsBcc(role string) bool {
	return role == "from" || role == "sender" || role == "envelope-from" || role == "journal-sender"
}
