package api

import "net/http"

// EndedMay lists what those of a tenant that has ended may still do, besides reading,
// by operation, and why. Everything else that changes something is refused with
// CodeEnded until the hand-over: what is not here cannot be done.
func EndedMay() map[string]string {
	const logIn, person, look, stop, given = "to be able to log in", "to say who may still log in", "changes nothing", "ends what is under way", "mail is handed over under four eyes"
	return map[string]string{
		"changeAccount": logIn, "confirmPassword": logIn, "changePassword": logIn, "beginTotp": logIn, "confirmTotp": logIn, "removeFactor": logIn, "newRecoveryCodes": logIn,
		"beginAddPasskey": logIn, "addPasskey": logIn, "renamePasskey": logIn, "endSession": logIn, "endOtherSessions": logIn,

		"changeUser": person, "setUserPassword": person, "welcomeUser": person, "resetFactors": person, "endUserSession": person, "endUserSessions": person, "revokeToken": person,

		"requestAccess": given, "decideAccess": given, "endAccess": given,

		"checkMessage": look, "compareReceipts": look, "startAudit": look, "previewUsers": look, "previewDirectory": look,
		"retrieveInfo": look, "archiveRetrieval": look, "archiveEvidence": look, "archiveData": look, "archiveTrace": look, "verifyPackage": look,

		"cancelHistory": stop, "cancelUpload": stop, "cancelUserImport": stop, "cancelMailboxLogIn": stop,
	}
}

// changes reports whether the operation is one that those of a tenant that has ended
// may not do.
func (d op) changes() bool {
	if d.method == http.MethodGet || d.method == http.MethodHead || d.public {
		return false
	}
	_, may := EndedMay()[d.id]
	return !may
}
