package access

import (
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// Kind is what a request for access asks for. More kinds are added as the acts
// exist that they allow; a kind that this table does not know is nobody's to ask for.
type Kind string

// Kinds of requests.
const (
	// ReadMailbox reads the mail of one other person.
	ReadMailbox Kind = "mailbox"
	// ReadSeveral reads the mail of several addresses: an auditor's session.
	ReadSeveral Kind = "session"
	// Export hands out the mail of several addresses, or of the whole tenant, as one
	// proof bundle: mass export.
	Export Kind = "export"
	// DeleteMessages deletes single messages for good, also before their time.
	DeleteMessages Kind = "deletion"
	// LiftHold lifts a hold.
	LiftHold Kind = "lift-hold"
	// ShortenRetention makes a retention shorter than it was.
	ShortenRetention Kind = "shorten-retention"
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{ReadMailbox, ReadSeveral, Export, DeleteMessages, LiftHold, ShortenRetention}
}

// Reads reports whether who asked may read other people's mail once a request of the
// kind is approved. The other kinds allow one act, and no reading.
func (k Kind) Reads() bool { return k == ReadMailbox || k == ReadSeveral || k == Export }

// caretakers are the roles that ask for acts which are no reading, and approve those
// that another one of them asks for.
func caretakers() []Role { return []Role{RoleTenantAdmin, RoleAuditor, RoleDPO} }

// Requesters returns the roles that may ask for a kind.
func Requesters(k Kind) []Role {
	switch k {
	case ReadMailbox, ReadSeveral, Export:
		return []Role{RoleAuditor}
	case DeleteMessages, LiftHold, ShortenRetention:
		return caretakers()
	}
	return nil
}

// Approvers returns the roles that may approve what somebody with the role requester
// asks for. The requester's own is never among them.
func Approvers(k Kind, requester Role) []Role {
	switch k {
	case ReadMailbox, ReadSeveral, Export:
		if requester == RoleAuditor {
			return []Role{RoleTenantAdmin, RoleDPO}
		}
	case DeleteMessages, LiftHold, ShortenRetention:
		if slices.Contains(caretakers(), requester) {
			return slices.DeleteFunc(caretakers(), func(r Role) bool { return r == requester })
		}
	}
	return nil
}

// Limits of a request.
const (
	MaxGrantAddresses = 100                 // of a session over several mailboxes
	MaxGrantTime      = 90 * 24 * time.Hour // from asking to the end
)

// Grant is access to other people's mail that one person has asked for and another
// one with another role has approved.
type Grant struct {
	Request uid.ID
	Kind    Kind
	// All says that it is about all messages of the tenant, whosever they are. Only an
	// Export is.
	All bool
	// From and To bound the date of messages, From <= date < To; zero is open.
	From, To time.Time
	Query    string // only what it finds; empty: everything
	Until    time.Time
}

// Covers reports whether a message of this date lies within the period.
func (g *Grant) Covers(date time.Time) bool {
	return (g.From.IsZero() || !date.Before(g.From)) && (g.To.IsZero() || date.Before(g.To))
}

// CheckExport returns ErrForbidden, wrapped, unless the actor may have many messages in
// one bundle: its own mail, or what an Export was approved for.
func (a Actor) CheckExport() error {
	if err := a.Check(SearchOwn); err != nil {
		return err
	}
	if a.Grant != nil && a.Grant.Kind != Export {
		return fmt.Errorf("mass export needs a request of its own: %w", ErrForbidden)
	}
	return nil
}

// SeesAll reports whether the actor sees all messages of the tenant, and all of whom
// they name.
func (a Actor) SeesAll() bool { return a.Grant != nil && a.Grant.All }

// SeesAllRequests reports whether the actor sees the requests of everybody in the
// tenant, and not only its own and those that it may decide on.
func (a Actor) SeesAllRequests() bool { return Allowed(a.Role, DecideAccess) }

// SeesRequest reports whether the actor sees a request for a kind that user has made.
func (a Actor) SeesRequest(k Kind, user uid.ID) bool {
	return a.User == user || a.SeesAllRequests() || !k.Reads() && Allowed(a.Role, DecideActs)
}

// CheckRequest returns ErrForbidden, wrapped, unless the actor may ask for a kind.
func (a Actor) CheckRequest(k Kind) error {
	right := RequestActs
	if k.Reads() {
		right = RequestAccess
	}
	if err := a.Check(right); err != nil {
		return err
	}
	if !slices.Contains(Requesters(k), a.Role) {
		return fmt.Errorf("a request for %q needs another role than %s: %w", k, a.Role, ErrForbidden)
	}
	return nil
}

// DecideRight is the right that deciding on a kind needs.
func DecideRight(k Kind) Right {
	if k.Reads() {
		return DecideAccess
	}
	return DecideActs
}

// CheckDecision returns ErrForbidden, wrapped, unless the actor may decide on what
// user, who had the role then, has asked for: never the same person, never somebody
// with the same role.
func (a Actor) CheckDecision(k Kind, user uid.ID, role Role) error {
	if err := a.Check(DecideRight(k)); err != nil {
		return err
	}
	if a.User == user || a.Role == role || !slices.Contains(Approvers(k, role), a.Role) {
		return fmt.Errorf("somebody else with another role decides on this request: %w", ErrForbidden)
	}
	return nil
}
