package wall

import (
	"encoding/base64"
	"strings"

	"github.com/muniment/muniment/internal/archivetest"
)

func directoryRows() []row {
	const draft = `{"name":"Postfachanmeldung","settings":{"imap":{"host":"mail.example","tls":"implicit"}}}`
	return []row{
		{op: "listDirectories", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "createDirectory", own: admins, foreign: foreignAdmin, body: draft, ok: 201},
		{op: "testDirectory", own: admins, foreign: foreignAdmin, body: `{"settings":{"imap":{"host":"mail.example","tls":"implicit"}}}`, ok: 503}, // nobody asks directories here
		{op: "changeDirectory", own: admins, foreign: foreignAdmins, id: "directory", body: strings.Replace(draft, "Postfach", "", 1), ok: 200},
		{op: "previewDirectory", own: admins, foreign: foreignAdmins, id: "directory", ok: 422}, // a mail server has no list
		{op: "syncDirectory", own: admins, foreign: foreignAdmins, id: "directory", ok: 422},    // likewise
		{op: "removeDirectory", own: admins, foreign: foreignAdmins, id: "directory", ok: 204},
	}
}

// logRows: everybody who may asks for the log of the own tenant, an operator for that of
// the installation; there is no way to name another one.
func logRows() []row {
	return []row{
		{op: "getEventLog", own: watchers, foreign: foreignWatchers, ok: 200},
		{op: "listEvents", own: watchers, foreign: foreignWatchers, ok: 200},
		{op: "getEventProof", own: watchers, foreign: foreignWatchers, ok: 200},
		{op: "getCheckpoint", own: watchers, foreign: foreignWatchers, ok: 200},
		{op: "getConsistency", own: watchers, foreign: foreignWatchers, query: "from=1&to=2", ok: 200},
		{op: "exportLog", own: watchers, foreign: foreignWatchers, ok: 200},
		{op: "listReceipts", own: watchers, foreign: foreignWatchers, ok: 200},
		{op: "getReceiptFile", own: "u n f + + + f", foreign: "f n n n f", ok: 200}, // only alpha has one
		{op: "compareReceipts", own: watchers, foreign: foreignWatchers, body: `{"receipts":["kein Beleg"]}`, ok: 422},
		{op: "getReceiptSettings", own: watchers, foreign: foreignWatchers, ok: 200},
		{op: "changeReceiptSettings", own: "u + f + f f f", foreign: foreignAdmin, body: `{"to":["log@firma.example"],"at":"06:00","language":"de"}`, ok: 200},
		{op: "startAudit", own: "u w f + + + f", foreign: foreignWatchers, ok: 204}, // the installation has no messages
		{op: "getAudit", own: watchers, foreign: foreignWatchers, ok: 200},
	}
}

func evidenceRows() []row {
	return []row{
		{op: "getEvidence", own: provers, foreign: foreignWatchers, ok: 200},
		{op: "getSealing", own: operators, foreign: foreignF, ok: 200},
		{op: "changeSealing", own: operators, foreign: foreignF, ok: 200},
		{op: "testAuthority", own: operators, foreign: foreignF, ok: 422}, // of no CA
		{op: "getRenewals", own: operators, foreign: foreignF, ok: 503},   // as below
		{op: "renewNow", own: operators, foreign: foreignF, ok: 503},      // as below
		{op: "sealNow", own: operators, foreign: foreignF, ok: 503},       // no sealer runs here
	}
}

func userRows() []row {
	list := `{"content":"` + base64.StdEncoding.EncodeToString([]byte("importiert,,Ida,Import,ida@alpha.example\n")) + `"}`
	return []row{
		{op: "listUsers", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "exportUsers", own: admins, foreign: foreignAdmin, ok: 200},
		{op: "createUser", own: admins, foreign: foreignAdmin, body: `{"login":"neu","role":"user"}`, ok: 201},
		{op: "getUser", own: admins, foreign: foreignAdmins, id: "managed", ok: 200},
		{op: "changeUser", own: admins, foreign: foreignAdmins, id: "managed", body: `{"name":"Neu"}`, ok: 200},
		{op: "addUserAddress", own: admins, foreign: foreignAdmins, id: "managed", ok: 200},
		{op: "removeUserAddress", own: admins, foreign: foreignAdmins, id: "managed", ok: 200},
		{op: "previewUsers", own: admins, foreign: foreignAdmin, body: list, ok: 200},
		{op: "importUsers", own: admins, foreign: foreignAdmin, body: list, ok: 202},
		{op: "getUserImport", own: admins, foreign: foreignAdmins, id: "import", ok: 200},
		{op: "cancelUserImport", own: admins, foreign: foreignAdmins, id: "import", ok: 204},
	}
}

func logInRows() []row {
	return []row{
		{op: "getUserSecurity", own: admins, foreign: foreignAdmins, id: "managed", ok: 200},
		{op: "endUserSession", own: admins, foreign: foreignAdmins, id: "managed", ok: 204},
		{op: "endUserSessions", own: admins, foreign: foreignAdmins, id: "managed", ok: 204},
		{op: "resetFactors", own: admins, foreign: foreignAdmins, id: "managed", ok: 204},
		{op: "setUserPassword", own: admins, foreign: foreignAdmins, id: "managed", body: `{"password":"ein anderes langes Kennwort"}`, ok: 204},
		{op: "welcomeUser", own: admins, foreign: foreignAdmins, id: "managed", ok: 201},
		{op: "getLoginPolicy", own: "u + f + f f f", foreign: foreignAdmin, ok: 200},
		{op: "changeLoginPolicy", own: "u + f + f f f", foreign: foreignAdmin, body: `{"second_factor":[]}`, ok: 200},
	}
}

func installationRows() []row {
	const settings = `{"smarthost":{"host":"127.0.0.1","port":9,"tls":"none","from":"archiv@firma.example"}}`
	return []row{
		{op: "getSmarthost", own: operators, foreign: foreignF, ok: 200},
		{op: "changeSmarthost", own: operators, foreign: foreignF, body: settings, ok: 200},
		{op: "testSmarthost", own: operators, foreign: foreignF, body: settings, ok: 503}, // no mailer runs here
		{op: "getOutbox", own: operators, foreign: foreignF, ok: 200},
		{op: "retryMail", own: operators, foreign: foreignF, id: "mail", ok: 204},
		{op: "dropMail", own: operators, foreign: foreignF, id: "mail", ok: 204},
		{op: "removeSmarthost", own: operators, foreign: foreignF, ok: 204},

		{op: "getMailRules", own: operators, foreign: foreignF, ok: 200},
		{op: "changeMailRules", own: operators, foreign: foreignF, body: `{"proof_needed":false}`, ok: 200},
		{op: "getSite", own: operators, foreign: foreignF, ok: 200},
		{op: "changeSite", own: operators, foreign: foreignF, ok: 200},
		{op: "obtainCertificate", own: operators, foreign: foreignF, ok: 503}, // this server asks for none
	}
}

// tokenRows: an administrator can give other scopes than those above.
func tokenRows() []row {
	return []row{
		{op: "getDashboard", own: "u + + + f f f", foreign: "+ + f f f", query: "by=week", ok: 200},
		{op: "listTokens", own: "u + + + f f f", foreign: "+ + f f f", ok: 200},
		{op: "createToken", own: "u + + w f f f", foreign: "+ w f f f", body: `{"name":"Laden","scopes":["tenants:read"]}`, ok: 201},
		{op: "revokeToken", own: "u n n + f f f", foreign: "n n f f f", id: "token", ok: 204}, // it is alpha's
	}
}

// webhookRows: like tokens, each owner has its own. What is named is alpha's.
func webhookRows() []row {
	const all, theirs = "u + + + f f f", "u n n + f f f"
	return []row{
		{op: "listWebhooks", own: all, foreign: "+ + f f f", ok: 200},
		{op: "createWebhook", own: all, foreign: "+ + f f f", body: `{"url":"https://hook.example/","kinds":["limit.reached"]}`, ok: 201},
		{op: "changeWebhook", own: theirs, foreign: "n n f f f", id: "webhook", body: `{"description":"Neu"}`, ok: 200},
		{op: "newWebhookSecret", own: theirs, foreign: "n n f f f", id: "webhook", ok: 200},
		{op: "testWebhook", own: theirs, foreign: "n n f f f", id: "webhook", ok: 503}, // nobody sends here
		{op: "listDeliveries", own: theirs, foreign: "n n f f f", id: "webhook", ok: 200},
		{op: "sendAgain", own: "u n n n f f f", foreign: "n n f f f", id: "webhook", ok: 204}, // there is none
		{op: "deleteWebhook", own: theirs, foreign: "n n f f f", id: "webhook", ok: 204},
	}
}

// staffRows: an operator of its own is looked after, and one's own account is not.
func staffRows() []row {
	return []row{
		{op: "listAllStaff", own: operators, foreign: foreignF, ok: 200},
		{op: "changeStaff", own: operators, foreign: foreignF, id: "staff", body: `{"name":"Wand"}`, ok: 204},
		{op: "inviteStaff", own: operators, foreign: foreignF, id: "staff", ok: 200},
		{op: "endStaffSessions", own: operators, foreign: foreignF, id: "staff", ok: 204},
		{op: "resetStaffFactors", own: operators, foreign: foreignF, id: "staff", ok: 204},
	}
}

func resellerRows() []row {
	return []row{
		{op: "listResellers", own: sellers, foreign: foreignSeller, ok: 200},
		{op: "getReseller", own: sellers, foreign: foreignSellers, id: "reseller", ok: 200},
		{op: "listStaff", own: sellers, foreign: foreignSellers, id: "reseller", ok: 200},
		{op: "changeReseller", own: sellers, foreign: foreignSellers, id: "reseller", body: `{"branding":{"name":"Wand"}}`, ok: 200},
		{op: "createReseller", own: operators, foreign: foreignF, ok: 201},
		{op: "addStaff", own: operators, foreign: foreignF, id: "reseller", ok: 201},
	}
}

func tenantRows() []row {
	return []row{
		{op: "listTenants", own: sellers, foreign: foreignSeller, ok: 200},
		{op: "getTenant", own: sellers, foreign: foreignSellers, id: "tenant", ok: 200},
		{op: "changeTenant", own: sellers, foreign: foreignSellers, id: "tenant", body: `{"zone":"Europe/Vienna"}`, ok: 200},
		{op: "addTenantDomain", own: sellers, foreign: foreignSellers, id: "tenant", body: `{"name":"keine domain"}`, ok: 422},
		{op: "removeTenantDomain", own: "u n n f f f f", foreign: foreignSellers, id: "tenant", ok: 200}, // it has no domain of that name
		{op: "setTenantState", own: sellers, foreign: foreignSellers, id: "tenant", body: `{"state":"active"}`, ok: 200},
		{op: "deleteTenant", own: sellers, foreign: foreignSellers, id: "tenant", body: `{"name":"alpha"}`, ok: 409}, // it has not ended
		{op: "listCertificates", own: sellers, foreign: foreignSeller, ok: 200},
		{op: "provisionTenant", own: sellers, foreign: foreignSeller, ok: 200},
		{op: "getUsage", own: sellers, foreign: foreignSeller, query: "month=2026-11", ok: 200},
		{op: "getUsageCsv", own: sellers, foreign: foreignSeller, query: "month=2026-11", ok: 200},
	}
}

// ownLogInRows are the last: they change how everybody logs in.
func ownLogInRows() []row {
	mine, others := "u n n n n n +", "n n n n n"
	return []row{
		{op: "getSecurity", own: insiders, foreign: foreignAll, ok: 200},
		{op: "confirmPassword", own: insiders, foreign: foreignAll, body: `{"password":"` + archivetest.Password + `"}`, ok: 204},
		{op: "endSession", own: mine, foreign: others, id: "session", ok: 204},
		{op: "endOtherSessions", own: insiders, foreign: foreignAll, ok: 204},
		{op: "newRecoveryCodes", own: insiders, foreign: foreignAll, ok: 422}, // nobody has a second factor
		{op: "beginTotp", own: insiders, foreign: foreignAll, ok: 200},
		{op: "confirmTotp", own: insiders, foreign: foreignAll, ok: 401}, // a wrong code
		{op: "removeFactor", own: mine, foreign: others, id: "factor", ok: 204},
		{op: "beginAddPasskey", own: insiders, foreign: foreignAll, ok: 409},                // there are none without TLS
		{op: "addPasskey", own: insiders, foreign: foreignAll, ok: 409},                     // likewise
		{op: "renamePasskey", own: "u n n n n n n", foreign: others, id: "factor", ok: 204}, // it is none
		{op: "changePassword", own: insiders, foreign: foreignAll, body: `{"old":"` + archivetest.Password + `","new":"ein anderes langes Kennwort"}`, ok: 204},
	}
}
