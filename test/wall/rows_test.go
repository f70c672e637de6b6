package wall

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/archivetest"
)

func sessionRows() []row {
	return []row{
		{op: "getStatus", own: everybody, foreign: foreignAll, ok: 200},
		{op: "logIn", own: everybody, foreign: foreignAll, body: `{"login":"alpha-user","password":"` + archivetest.Password + `"}`, ok: 200},
		{op: "logOut", own: everybody, foreign: foreignAll, ok: 204},
		{op: "getAccount", own: insiders, foreign: foreignAll, ok: 200},
		{op: "changeAccount", own: insiders, foreign: foreignAll, ok: 200},

		{op: "listLogInOffers", own: everybody, foreign: foreignAll, ok: 200},
		{op: "finishLogIn", own: everybody, foreign: foreignAll, ok: 401},    // nobody has begun
		{op: "beginPasskey", own: everybody, foreign: foreignAll, ok: 409},   // there are none without TLS
		{op: "logInByPasskey", own: everybody, foreign: foreignAll, ok: 401}, // nobody has begun
		{op: "forgotPassword", own: everybody, foreign: foreignAll, ok: 202}, // whoever it is
		{op: "lookAtLink", own: everybody, foreign: foreignAll, ok: 410},     // it is none
		{op: "useLink", own: everybody, foreign: foreignAll, ok: 410},        // likewise
		{op: "found", own: everybody, foreign: foreignAll, ok: 409},          // it has an operator
		{op: "getLogo", own: everybody, foreign: foreignAll, ok: 200},        // of alpha's reseller
	}
}

func mailRows() []row {
	return []row{
		{op: "search", own: ofTenants, foreign: foreignOwn, query: "q=walnuss", ok: 200},
		{op: "getFacets", own: ofTenants, foreign: foreignOwn, ok: 200},
		{op: "suggest", own: ofTenants, foreign: foreignOwn, query: "q=from:", ok: 200},
		{op: "getMessage", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "checkMessage", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getMessageHtml", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getMessageRaw", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getAttachment", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getReport", own: "u f f n n n n", foreign: foreignNone, id: "message", ok: 200}, // it came in none
		{op: "getMessageEvidence", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getEvidenceRecord", own: "u f f n n n n", foreign: foreignNone, id: "message", ok: 200}, // nothing is sealed here
		{op: "getMessageXaip", own: ofTenants, foreign: foreignNone, id: "message", ok: 200},
		{op: "getEvidenceBundle", own: "u f f n n n n", foreign: foreignNone, id: "message", ok: 200}, // likewise
		{op: "getInspectionReport", own: "u f f n n n n", foreign: foreignNone, id: "message", ok: 200},
		{op: "getInspectionPage", own: "u f f n n n n", foreign: foreignNone, id: "message", ok: 200},
		{op: "getExport", own: ofTenants, foreign: foreignOwn, query: "q=walnuss", ok: 200},
	}
}

func uploadRows() []row {
	return []row{
		{op: "listUploads", own: ofTenants, foreign: foreignOwn, ok: 200},
		{op: "createUpload", own: ofTenants, foreign: foreignOwn, body: `{"kind":"document","name":"a.txt","size":1,"date":"2026-01-02"}`, ok: 201},
		{op: "getUpload", own: "u f f n n n +", foreign: foreignNone, id: "upload", ok: 200},
		{op: "writeUpload", own: "u f f n n n +", foreign: foreignNone, id: "upload", query: "offset=0", body: "w", ok: 200},
		{op: "getUploadCsv", own: "u f f n n n +", foreign: foreignNone, id: "upload", ok: 200},
		{op: "finishUpload", own: "u f f n n n +", foreign: foreignNone, id: "upload", ok: 200},
		{op: "cancelUpload", own: "u f f n n n +", foreign: foreignNone, id: "upload", ok: 204},
	}
}

// caretakers are an administrator, an auditor and a data-protection officer.
const caretakers = "u f f + + + f"

// soon is the body of a request that waits for an hour.
func soon(members string) string {
	return fmt.Sprintf(`{%s,"until":%q}`, members, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

func accessRows() []row {
	wanted := fmt.Sprintf(`{"kind":"mailbox","addresses":["x@alpha.example"],"reason":"Ermittlung wegen Betrugs","until":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	return []row{
		{op: "listAccessRequests", own: "u f f + + + f", foreign: "f + + + f", ok: 200},
		{op: "requestAccess", own: "u f f f + f f", foreign: "f f + f f", body: wanted, ok: 201},
		{op: "getAccessRequest", own: "u f f + + + f", foreign: "f n n n f", id: "waiting", ok: 200},
		{op: "decideAccess", own: "u f f + s + f", foreign: "f n n n f", id: "waiting", ok: 200},
		{op: "endAccess", own: "u f f + + + f", foreign: "f n n n f", id: "approved", ok: 200},
		{op: "requestDeletion", own: "u f f w w w f", foreign: "f w w w f", id: "message", ok: 201},
		{op: "getDeletion", own: "u f f + + + f", foreign: "f n n n f", id: "deletion", ok: 200},
		{op: "carryOutDeletion", own: "u f f n + + f", foreign: "f n n n f", id: "deletion", ok: 200},
		{op: "listTombstones", own: "u f f + + + f", foreign: "f + + + f", ok: 200},
		{op: "getTombstonesCsv", own: "u f f + + + f", foreign: "f + + + f", ok: 200},
		{op: "listAccessRecords", own: "u f f f f + f", foreign: "f f f + f", ok: 200},
		{op: "getAccessRecordsCsv", own: "u f f f f + f", foreign: "f f f + f", ok: 200},
		{op: "getAccessPolicy", own: "u f f f f + f", foreign: "f f f + f", ok: 200},
		{op: "changeAccessPolicy", own: "u f f f f + f", foreign: "f f f + f", ok: 200},
		{op: "listHolds", own: caretakers, foreign: "f + + + f", ok: 200},
		{op: "placeHold", own: caretakers, foreign: "f + + + f", body: `{"name":"Prüfung","reason":"Schreiben des Finanzamts","all":true}`, ok: 201},
		{op: "getHold", own: caretakers, foreign: "f n n n f", id: "hold", ok: 200},
		{op: "requestLift", own: caretakers, foreign: "f n n n f", id: "hold", body: soon(`"reason":"Die Prüfung ist vorbei"`), ok: 201},
		{op: "getRetention", own: caretakers, foreign: "f + + + f", ok: 200},
		{op: "setRetention", own: "u f f + f + f", foreign: "f + f + f", body: `{"years":12}`, ok: 200},
		{op: "requestShorter", own: caretakers, foreign: "f + + + f", body: soon(`"reason":"Nur Briefe kommen hier an","years":5`), ok: 201},
		{op: "listReaders", own: ofTenants, foreign: foreignOwn, ok: 200},
	}
}

func sourceRows() []row {
	const mailbox = `{"mailbox":{"protocol":"imap","host":"mail.example","tls":"auto","user":"x"},"password":"x"}`
	return []row{
		{op: "getStatistics", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "getCompleteness", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "getCompletenessCsv", own: admins, foreign: foreignAdmin, ok: 200},

		{op: "listSources", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "createSource", own: admins, foreign: foreignAdmin, body: `{"kind":"journal","name":"Neu"}`, ok: 201},
		{op: "getSource", own: admins, foreign: foreignAdmins, id: "source", ok: 200},
		{op: "changeSource", own: admins, foreign: foreignAdmins, id: "source", ok: 200},
		{op: "listLeft", own: admins, foreign: foreignAdmins, id: "source", ok: 200},
		{op: "fetchNow", own: admins, foreign: foreignAdmins, id: "source", ok: 503},                 // no fetcher runs here
		{op: "testMailbox", own: admins, foreign: foreignAdmin, body: mailbox, ok: 503},              // likewise
		{op: "beginMailboxLogIn", own: admins, foreign: foreignAdmin, ok: 422},                       // by no code
		{op: "getMailboxLogIn", own: "u f f n f f f", foreign: foreignAdmins, id: "source", ok: 200}, // nobody has begun
		{op: "cancelMailboxLogIn", own: "u f f n f f f", foreign: foreignAdmins, id: "source", ok: 204},
		{op: "startHistory", own: admins, foreign: foreignAdmins, id: "source", ok: 503},
		{op: "getHistory", own: admins, foreign: foreignAdmins, id: "source", ok: 503},
		{op: "cancelHistory", own: admins, foreign: foreignAdmins, id: "source", ok: 503},
	}
}

func routingRows() []row {
	return []row{
		{op: "listDomains", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "getSelection", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "changeSelection", own: admins, foreign: foreignAdmin, body: `{"enabled":false,"addresses":[]}`, ok: 200},
		{op: "proposeAddresses", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "listQuarantine", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "countQuarantine", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "decideQuarantine", own: admins, foreign: foreignAdmins, id: "quarantined", ok: 200},
		{op: "proveDomain", own: admins, foreign: foreignAdmins, id: "domain", ok: 200}, // the DNS knows nothing
		{op: "removeDomain", own: admins, foreign: foreignAdmins, id: "domain", ok: 204},
		{op: "addDomain", own: admins, foreign: foreignAdmin, ok: 422}, // a bad name
	}
}

// preservationRows: programs alone may, with a token; test/tresor asks as one.
func preservationRows() []row {
	var out []row
	bodies := preservationBodies()
	for _, op := range slices.Sorted(maps.Keys(bodies)) {
		out = append(out, row{op: op, own: "u f f f f f f", foreign: foreignF, body: bodies[op], ok: 200})
	}
	return out
}

func preservationBodies() map[string]string {
	const object = `{"aoid":"Wand"}`
	return map[string]string{"retrieveInfo": `{}`, "archiveSubmission": `{"xaip":"V2FuZA=="}`, "archiveUpdate": `{"dxaip":"V2FuZA=="}`, "archiveRetrieval": object,
		"archiveEvidence": object, "archiveData": `{"aoid":"Wand","locations":[{"type":"x","value":"y"}]}`, "archiveTrace": object, "archiveDeletion": object, "verifyPackage": `{"xaip":"V2FuZA=="}`}
}
