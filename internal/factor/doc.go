// Package factor holds the rules of what proves somebody to be a user besides a
// password: codes of an authenticator application (TOTP, RFC 6238), passkeys (Web
// Authentication, Level 2) and recovery codes. It is a leaf: it decides on values it is given,
// stores nothing and keeps no secret.
//
//	totp.go  recovery.go  passkey.go
package factor
