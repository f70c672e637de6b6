package catalog

import (
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// Stages of a session. Only that of StageFull has any rights.
const (
	StageFull   = ""
	StageSecond = "second" // the password was right, a second factor is to follow
	StageSetup  = "setup"  // a second factor is required and has to be set up first
)

// Session is a log-in, or the beginning of one.
type Session struct {
	TokenHash [32]byte // SHA-256 of the token in the cookie
	ID        uid.ID   // names it where the token must not be seen
	User      uid.ID
	Tenant    uid.ID
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	// ConfirmedAt is when somebody last proved to be the user.
	ConfirmedAt time.Time
	Peer        string
	UserAgent   string
	Stage       string
	Method      string // what the user proved it with
	Tries       int    // of the second step
	Challenge   []byte // JSON, what a passkey is to sign
}

// Link is a one-time link, with which somebody sets the user's password.
type Link struct {
	TokenHash [32]byte // SHA-256 of the token in the link
	User      uid.ID
	Tenant    uid.ID // zero: the user is an operator
	Purpose   string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Purposes of links.
const (
	LinkWelcome = "welcome"
	LinkReset   = "reset"
)

// Factor is something that proves who somebody is, besides the password.
type Factor struct {
	ID     uid.ID
	User   uid.ID
	Tenant uid.ID
	Kind   string
	Name   string
	// Secret is sealed by whoever stores it; of a recovery code it is the hash.
	Secret    []byte
	Counter   int64 // of a FactorTOTP: the step whose code was used last
	Confirmed bool  // false: it is being set up and proves nothing
	CreatedAt time.Time
	UsedAt    time.Time // zero: never
}

// Kinds of factors.
const (
	FactorTOTP     = "totp"
	FactorPasskey  = "passkey"
	FactorRecovery = "recovery"
)

// FactorChange is what becomes of a user's factors, in one transaction.
type FactorChange struct {
	Remove []uid.ID
	Put    []*Factor // new ones, and known ones as they are now
	Events []*Event
	// EndSessions ends all sessions of the user.
	EndSessions bool
}

// LoginPolicy is what a tenant, or the installation, asks of log-ins.
type LoginPolicy struct {
	Tenant   uid.ID // zero: the installation, for those who belong to no tenant
	Settings []byte // JSON
}
