// Package directory describes user repositories, here called directories: where
// a tenant's users come from besides those that the archive keeps itself. It has
// their settings, what is read from them, what a test finds, and the plan of what a
// synchronisation would change. It is a leaf that talks to nobody; the packages
// below it do: ldap, oidc and imap.
//
//	settings.go  what can be set      problem.go  what can go wrong, in plain words
//	person.go    what is read         plan.go     what would change
package directory

// Kinds of directories.
const (
	KindLDAP = "ldap" // LDAP or Active Directory: users are read, passwords are asked there
	KindOIDC = "oidc" // OpenID Connect: log-in happens there
	KindIMAP = "imap" // a mail server checks the password
)
