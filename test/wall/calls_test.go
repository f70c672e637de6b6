package wall

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
)

// operation is an endpoint of the OpenAPI document.
type operation struct{ id, method, path string }

func operations(t *testing.T) []operation {
	t.Helper()
	raw, err := api.Spec()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var out []operation
	for path, methods := range doc.Paths {
		for method, o := range methods {
			out = append(out, operation{o.OperationID, strings.ToUpper(method), path})
		}
	}
	slices.SortFunc(out, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return out
}

// queries would find the secret.
var queries = []string{"", "walnuss", "Geheimplan", "from:zacharias@geheim.example", "von:zacharias", "subject:Geheimplan", "filename:walnuss", "type:pdf",
	"has:attachment", "date:2015", "before:2016", "larger:1", "wal*", "-gemeinsame", "NOT gemeinsame", "id:%s", "body:walnuss OR id:%s", `"wird verkauft"`}

// calls lists the requests of an operation that aim at a message.
func calls(t *testing.T, o operation, id string) []string {
	t.Helper()
	path := strings.NewReplacer("{id}", id, "{no}", "1").Replace(o.path)
	ask := func(param string, more string) (out []string) {
		for _, q := range queries {
			out = append(out, path+"?"+param+"="+url.QueryEscape(strings.ReplaceAll(q, "%s", id))+more)
		}
		return out
	}
	switch o.id {
	case "search":
		return append(ask("q", ""), ask("q", "&order=oldest&limit=1")...)
	case "getFacets":
		return ask("q", "")
	case "suggest":
		return []string{path + "?q=from:zach", path + "?q=zach", path + "?q=walnuss", path + "?q=category:", path + "?q=date:", path + "?q=source:", path + "?q="}
	case "getMessage":
		return append(ask("q", ""), path)
	case "getMessageHtml":
		return []string{path, path + "?remote=true"}
	case "getMessageRaw":
		return []string{path, path + "?inline=true"}
	case "getAttachment":
		return []string{path, strings.Replace(path, "/1", "/0", 1), strings.Replace(path, "/1", "/2", 1)}
	case "getReport":
		return []string{strings.Replace(path, "{capture}", id, 1), strings.Replace(path, "{capture}", "x", 1)}
	case "getCompleteness", "getCompletenessCsv":
		return []string{path, path + "?from=2015-01-01&to=2015-12-31"}
	case "listUploads", "createUpload", "getUpload", "finishUpload", "cancelUpload", "getUploadCsv":
		return []string{path}
	case "writeUpload":
		return []string{path + "?offset=0"}
	case "listSources", "createSource", "getSource", "changeSource", "testMailbox", "fetchNow", "listLeft", "beginMailboxLogIn", "getMailboxLogIn", "cancelMailboxLogIn",
		"startHistory", "getHistory", "cancelHistory":
		return []string{path}
	case "getEventLog", "listEvents", "listReceipts", "compareReceipts", "getReceiptSettings", "changeReceiptSettings", "startAudit", "getAudit", "getCheckpoint", "exportLog":
		return []string{path}
	case "getEventProof":
		return []string{strings.Replace(path, "{seq}", "0", 1), strings.Replace(path, "{seq}", "x", 1)}
	case "getConsistency":
		return []string{path + "?from=0&to=1", path}
	case "getReceiptFile":
		return []string{strings.Replace(path, "{day}", "2026-01-31", 1)}
	case "getSmarthost", "changeSmarthost", "removeSmarthost", "testSmarthost", "getOutbox", "retryMail", "dropMail":
		return []string{path} // the operator's
	case "listDirectories", "createDirectory", "changeDirectory", "removeDirectory", "testDirectory", "previewDirectory", "syncDirectory", "listLogInOffers":
		return []string{path}
	case "listWebhooks", "createWebhook", "changeWebhook", "deleteWebhook", "newWebhookSecret", "testWebhook", "listDeliveries", "sendAgain":
		return []string{strings.Replace(path, "{delivery}", id, 1)}
	case "listAllStaff", "changeStaff", "inviteStaff", "resetStaffFactors", "endStaffSessions":
		return []string{path} // the operator's
	case "getMailRules", "changeMailRules":
		return []string{path} // the operator's
	case "addTenantDomain", "removeTenantDomain":
		return []string{strings.Replace(path, "{name}", "firma.example", 1)}
	case "listDomains", "addDomain", "removeDomain", "proveDomain", "getSelection", "changeSelection", "proposeAddresses", "countQuarantine", "decideQuarantine":
		return []string{strings.Replace(path, "{name}", "geheim.example", 1)}
	case "listAccessRequests", "requestAccess", "getAccessRequest", "decideAccess", "endAccess", "listReaders", "getAccessPolicy", "changeAccessPolicy":
		return []string{path}
	case "listHolds", "placeHold", "getHold", "requestLift", "getRetention", "setRetention", "requestShorter":
		return []string{path}
	case "requestDeletion", "getDeletion", "carryOutDeletion":
		return []string{path}
	case "listTombstones", "getTombstonesCsv":
		return []string{path, path + "?request=" + id}
	case "listAccessRecords", "getAccessRecordsCsv":
		return []string{path, path + "?request=" + id, path + "?user=" + id, path + "?address=anna@firma.example"}
	case "listUsers":
		return []string{path, path + "?q=walnuss", path + "?after=a&limit=1"}
	case "exportUsers":
		return []string{path, path + "?passwords=true&disabled=true&separator=semicolon"}
	case "createUser", "getUser", "changeUser", "addUserAddress", "removeUserAddress", "setUserPassword", "previewUsers", "importUsers", "getUserImport", "cancelUserImport":
		return []string{strings.Replace(path, "{address}", "anna@firma.example", 1)}
	case "listQuarantine":
		return []string{path, path + "?state=all", path + "?state=all&q=walnuss", path + "?cursor=" + id, path + "?source=" + id}
	case "found", "getSite", "changeSite", "obtainCertificate":
		return []string{path} // the installation's
	case "getSealing", "changeSealing", "testAuthority", "sealNow", "getRenewals", "renewNow":
		return []string{path} // the operator's
	case "retrieveInfo", "archiveSubmission", "archiveUpdate", "archiveRetrieval", "archiveEvidence", "archiveData", "archiveTrace", "archiveDeletion", "verifyPackage":
		return []string{path} // of programs alone
	case "getMessageEvidence", "getEvidence", "getEvidenceRecord", "getEvidenceBundle", "getInspectionReport", "getInspectionPage", "getMessageXaip":
		return []string{path}
	case "getExport":
		return append(ask("q", ""), path+"?ids="+id)
	case "finishLogIn", "beginPasskey", "logInByPasskey", "forgotPassword", "lookAtLink", "useLink", "getSecurity", "confirmPassword", "changePassword",
		"beginTotp", "confirmTotp", "removeFactor", "newRecoveryCodes", "endSession", "endOtherSessions", "beginAddPasskey", "addPasskey", "renamePasskey",
		"getUserSecurity", "welcomeUser", "resetFactors", "endUserSession", "endUserSessions", "getLoginPolicy", "changeLoginPolicy":
		return []string{strings.Replace(path, "{session}", id, 1)}
	case "getUsage", "getUsageCsv":
		return []string{path + "?month=2026-11"}
	case "listTenants", "getTenant", "changeTenant", "setTenantState", "deleteTenant", "listCertificates", "provisionTenant", "listResellers", "createReseller", "getReseller",
		"changeReseller", "listStaff", "addStaff", "listTokens", "createToken", "revokeToken", "getLogo":
		return []string{path} // of those above the tenants; tokens also of an administrator
	case "getDashboard":
		return []string{path, path + "?by=week", path + "?by=year"}
	case "checkMessage", "getStatistics", "getStatus", "getAccount", "logIn", "logOut", "changeAccount":
		return []string{path}
	}
	t.Fatalf("operation %s is new: say here how to walk it", o.id)
	return nil
}

func body(o operation, id string) string {
	if b := preservationBodies()[o.id]; b != "" {
		return strings.ReplaceAll(b, "Wand", id)
	}
	switch o.id {
	case "logIn":
		return `{"login":"anna@firma.example","tenant":"alpha","password":"wrong"}`
	case "changeTenant", "changeReseller":
		return `{"name":"Wand"}`
	case "setTenantState":
		return `{"state":"ended"}`
	case "deleteTenant":
		return `{"name":"Alpha"}`
	case "provisionTenant":
		return `{"name":"Wand"}`
	case "createReseller":
		return `{"slug":"wand"}`
	case "addStaff":
		return `{"login":"wand","password":"ein langes Kennwort"}`
	case "createToken":
		return `{"name":"Wand","scopes":["mail:read"]}` // there is no such scope: nothing is made
	case "changeAccount":
		return `{"language":"de"}`
	case "finishLogIn", "confirmTotp":
		return `{"code":"123456"}`
	case "beginPasskey", "renewNow":
		return `{}`
	case "logInByPasskey":
		return `{"passkey":{}}`
	case "addPasskey":
		return `{"name":"Wand","passkey":{}}`
	case "renamePasskey":
		return `{"name":"Wand"}`
	case "forgotPassword":
		return `{"login":"nobody"}`
	case "lookAtLink":
		return `{"token":"Wand"}`
	case "useLink":
		return `{"token":"Wand","password":"falsch falsch"}`
	case "confirmPassword":
		return `{"password":"wrong"}`
	case "changePassword":
		return `{"old":"wrong","new":"falsch falsch"}`
	case "welcomeUser":
		return `{}`
	case "changeLoginPolicy":
		return `{"second_factor":["keine rolle"]}`
	case "createSource":
		return `{"kind":"mailbox","name":"Wand"}` // lacks its settings: nothing is made
	case "createUpload":
		return `{"kind":"document","name":"Wand.eml","size":10,"date":"gestern"}` // not valid: nothing is made
	case "finishUpload":
		return `{}`
	case "writeUpload":
		return "Wand"
	case "changeSource":
		return `{"category":"Wand"}`
	case "beginMailboxLogIn":
		return `{"mailbox":{"protocol":"imap","host":"mail.example","tls":"auto","user":"x"}}` // by no code: nobody is asked
	case "changeSealing":
		return `{"interval":3600,"authorities":[]}`
	case "testAuthority":
		return `{"authority":{"name":"x","url":"http://127.0.0.1:1/","auth":"none","ca":"x"}}`
	case "changeSmarthost", "testSmarthost":
		return `{"smarthost":{"host":"127.0.0.1","tls":"starttls","from":"a@firma.example"}}`
	case "found":
		return `{"code":"AAAA-AAAA-AAAA-AAAA","login":"wand","password":"wrong"}`
	case "changeSite":
		return `{"site":{"tls":"off"}}`
	case "requestAccess":
		return `{"kind":"mailbox","addresses":["anna@firma.example"],"reason":"Ermittlung wegen Betrugs","until":"2020-01-01T00:00:00Z"}` // over: nothing is made
	case "requestDeletion":
		return `{"messages":["` + id + `"],"reason":"Loeschverlangen nach Art. 17","until":"2020-01-01T00:00:00Z"}` // over: nothing is made
	case "decideAccess":
		return `{"approve":true}`
	case "placeHold":
		return `{"name":"-","reason":"-","all":true}` // not valid: nothing is placed
	case "requestLift":
		return `{"reason":"Die Prüfung ist vorbei","until":"2020-01-01T00:00:00Z"}` // over: nothing is made
	case "setRetention":
		return `{}`
	case "requestShorter":
		return `{"years":5,"reason":"Nur Briefe kommen hier an","until":"2020-01-01T00:00:00Z"}` // likewise
	case "changeAccessPolicy":
		return `{"tell_people":true}`
	case "startHistory":
		return `{"dry_run":true}`
	case "createUser":
		return `{"login":"-","role":"user"}` // not valid: nobody is made
	case "changeUser":
		return `{"disabled":true}`
	case "addUserAddress":
		return `{"address":"wand@firma.example"}`
	case "setUserPassword":
		return `{"password":"kurz"}`
	case "previewUsers":
		return `{"content":"LQo="}` // one field: a problem
	case "importUsers":
		return `{"content":"kein base64"}` // not valid: nothing begins
	case "createDirectory", "changeDirectory":
		return `{"name":"Wand","settings":{}}` // of no kind: nothing is made
	case "testDirectory":
		return `{"settings":{"imap":{"host":"127.0.0.1","port":1,"tls":"implicit"}}}`
	case "syncDirectory":
		return `{}`
	case "createWebhook":
		return `{"url":"keine adresse","kinds":["limit.reached"]}` // nothing is made
	case "changeStaff":
		return `{"name":"Wand"}`
	case "changeWebhook":
		return `{"description":"Wand"}`
	case "changeMailRules":
		return `{"journal_domain":"keine domain"}`
	case "addDomain", "addTenantDomain":
		return `{"name":"keine domain"}`
	case "changeSelection":
		return `{"enabled":true,"addresses":["keine adresse"]}`
	case "decideQuarantine":
		return `{"state":"released","ids":["` + id + `"]}`
	case "testMailbox":
		return `{"mailbox":{"protocol":"imap","host":"127.0.0.1","tls":"auto","user":"x"},"password":"x"}`
	}
	return ""
}
