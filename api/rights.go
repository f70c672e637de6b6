package api

import (
	"fmt"
	"maps"

	"github.com/muniment/muniment/internal/access"
)

// rightExtension is under which the document tells the right that an operation needs.
const rightExtension = "x-muniment-right"

// rights says which right whoever asks for an operation needs: one line for each
// operation that needs a session. The server checks it before it looks at the
// request; the verbs of the archive check again, and more closely. An operation that
// is not here cannot be registered.
func rights() map[string]access.Right {
	all := map[string]access.Right{}
	for _, m := range []map[string]access.Right{ownRights(), accessRights(), tenantRights(), userRights(), proofRights(), installationRights(), preservationRights()} {
		maps.Copy(all, m)
	}
	return all
}

// ownRights are for operations on what is one's own.
func ownRights() map[string]access.Right {
	return map[string]access.Right{
		"getAccount":    access.OwnAccount,
		"changeAccount": access.OwnAccount,

		"confirmPassword":  access.OwnAccount,
		"changePassword":   access.OwnAccount,
		"getSecurity":      access.OwnAccount,
		"beginTotp":        access.OwnAccount,
		"confirmTotp":      access.OwnAccount,
		"removeFactor":     access.OwnAccount,
		"newRecoveryCodes": access.OwnAccount,
		"beginAddPasskey":  access.OwnAccount,
		"addPasskey":       access.OwnAccount,
		"renamePasskey":    access.OwnAccount,
		"endSession":       access.OwnAccount,
		"endOtherSessions": access.OwnAccount,

		"search":         access.SearchOwn,
		"getFacets":      access.SearchOwn,
		"suggest":        access.SearchOwn,
		"getMessage":     access.SearchOwn,
		"checkMessage":   access.SearchOwn,
		"getMessageHtml": access.SearchOwn,
		"getMessageRaw":  access.SearchOwn,
		"getAttachment":  access.SearchOwn,
		"getReport":      access.SearchOwn,

		"getMessageEvidence": access.SearchOwn,
		"getEvidenceRecord":  access.SearchOwn,
		"getEvidenceBundle":  access.SearchOwn,
		"getExport":          access.SearchOwn, // of other people's mail: an approved request of the kind export

		"getInspectionReport": access.SearchOwn,
		"getInspectionPage":   access.SearchOwn,
		"getMessageXaip":      access.SearchOwn,

		"listUploads":  access.UploadDocuments,
		"createUpload": access.UploadDocuments, // of mail: access.ImportMail as well
		"getUpload":    access.UploadDocuments,
		"writeUpload":  access.UploadDocuments,
		"finishUpload": access.UploadDocuments,
		"cancelUpload": access.UploadDocuments,
		"getUploadCsv": access.UploadDocuments,
	}
}

// accessRights are for operations on access to other people's mail.
func accessRights() map[string]access.Right {
	return map[string]access.Right{
		"listAccessRequests":  access.SeeAccessRequests,
		"requestAccess":       access.RequestAccess,
		"getAccessRequest":    access.SeeAccessRequests,
		"decideAccess":        access.DecideActs, // of access to mail: access.DecideAccess as well
		"endAccess":           access.SeeAccessRequests,
		"listAccessRecords":   access.SeeAccessRecords,
		"getAccessRecordsCsv": access.SeeAccessRecords,
		"getAccessPolicy":     access.SeeAccessRecords,
		"changeAccessPolicy":  access.SeeAccessRecords,
		"listReaders":         access.SeeReaders,

		"listHolds":        access.SeeHolds,
		"placeHold":        access.PlaceHolds,
		"getHold":          access.SeeHolds,
		"requestLift":      access.RequestActs,
		"getRetention":     access.SeeRetention,
		"setRetention":     access.ManageRetention,
		"requestShorter":   access.RequestActs,
		"requestDeletion":  access.RequestActs,
		"getDeletion":      access.SeeAccessRequests,
		"carryOutDeletion": access.RequestActs,
		"listTombstones":   access.SeeTombstones,
		"getTombstonesCsv": access.SeeTombstones,
	}
}

// tenantRights are for operations on a customer: its mail, and what comes in.
func tenantRights() map[string]access.Right {
	return map[string]access.Right{
		"getDashboard":       access.SeeDashboard, // and those above the customers
		"getStatistics":      access.SeeStatistics,
		"getCompleteness":    access.SeeStatistics,
		"getCompletenessCsv": access.SeeStatistics,

		"listSources":        access.ManageSources,
		"createSource":       access.ManageSources,
		"getSource":          access.ManageSources,
		"changeSource":       access.ManageSources,
		"testMailbox":        access.ManageSources,
		"beginMailboxLogIn":  access.ManageSources,
		"getMailboxLogIn":    access.ManageSources,
		"cancelMailboxLogIn": access.ManageSources,
		"fetchNow":           access.ManageSources,
		"listLeft":           access.ManageSources,
		"startHistory":       access.ManageSources,
		"getHistory":         access.ManageSources,
		"cancelHistory":      access.ManageSources,

		"listDomains":      access.ManageDomains,
		"addDomain":        access.ManageDomains,
		"removeDomain":     access.ManageDomains,
		"proveDomain":      access.ManageDomains,
		"getSelection":     access.ManageDomains,
		"changeSelection":  access.ManageDomains,
		"proposeAddresses": access.ManageDomains,
		"listQuarantine":   access.ManageQuarantine,
		"countQuarantine":  access.ManageQuarantine,
		"decideQuarantine": access.ManageQuarantine,
	}
}

// userRights are for operations on users: of a customer, or of the installation where
// the right is an operator's as well.
func userRights() map[string]access.Right {
	return map[string]access.Right{
		"listUsers":         access.ManageUsers,
		"createUser":        access.ManageUsers,
		"getUser":           access.ManageUsers,
		"changeUser":        access.ManageUsers,
		"setUserPassword":   access.ManageUsers,
		"addUserAddress":    access.ManageUsers,
		"removeUserAddress": access.ManageUsers,
		"previewUsers":      access.ManageUsers,
		"importUsers":       access.ManageUsers,
		"getUserImport":     access.ManageUsers,
		"cancelUserImport":  access.ManageUsers,
		"exportUsers":       access.ManageUsers,

		"getUserSecurity":   access.ManageUsers,
		"welcomeUser":       access.ManageUsers,
		"resetFactors":      access.ManageUsers,
		"endUserSession":    access.ManageUsers,
		"endUserSessions":   access.ManageUsers,
		"getLoginPolicy":    access.ManageLogins,
		"changeLoginPolicy": access.ManageLogins,

		"listDirectories":  access.ManageDirectories,
		"createDirectory":  access.ManageDirectories,
		"changeDirectory":  access.ManageDirectories,
		"removeDirectory":  access.ManageDirectories,
		"testDirectory":    access.ManageDirectories,
		"previewDirectory": access.ManageDirectories,
		"syncDirectory":    access.ManageDirectories,
	}
}

// proofRights are for operations on what proves something to others: of a customer, or
// of the installation where the right is an operator's as well.
func proofRights() map[string]access.Right {
	return map[string]access.Right{
		"getEvidence": access.SeeEvidence,

		"getEventLog":           access.SeeLog,
		"listEvents":            access.SeeLog,
		"getEventProof":         access.SeeLog,
		"getCheckpoint":         access.SeeLog,
		"getConsistency":        access.SeeLog,
		"compareReceipts":       access.SeeLog,
		"exportLog":             access.SeeLog,
		"listReceipts":          access.SeeLog,
		"getReceiptFile":        access.SeeLog,
		"getReceiptSettings":    access.SeeLog,
		"changeReceiptSettings": access.ManageReceipts,
		"getAudit":              access.SeeLog,
		"startAudit":            access.SeeLog,

		"getSealing":    access.ManageEvidence,
		"changeSealing": access.ManageEvidence,
		"sealNow":       access.ManageEvidence,
		"getRenewals":   access.ManageEvidence,
		"renewNow":      access.ManageEvidence,
		"testAuthority": access.ManageEvidence,
	}
}

// installationRights are for operations on the installation.
func installationRights() map[string]access.Right {
	return map[string]access.Right{
		"listWebhooks":     access.ManageWebhooks,
		"createWebhook":    access.ManageWebhooks,
		"changeWebhook":    access.ManageWebhooks,
		"deleteWebhook":    access.ManageWebhooks,
		"newWebhookSecret": access.ManageWebhooks,
		"testWebhook":      access.ManageWebhooks,
		"listDeliveries":   access.ManageWebhooks,
		"sendAgain":        access.ManageWebhooks,

		"getSmarthost":    access.ManageMail,
		"changeSmarthost": access.ManageMail,
		"removeSmarthost": access.ManageMail,
		"testSmarthost":   access.ManageMail,
		"getOutbox":       access.ManageMail,
		"retryMail":       access.ManageMail,
		"dropMail":        access.ManageMail,

		"listTenants":     access.ManageTenants,
		"getTenant":       access.ManageTenants,
		"changeTenant":    access.ManageTenants,
		"addTenantDomain": access.ManageTenants,

		"removeTenantDomain": access.ManageTenants,

		"setTenantState":   access.ManageTenants,
		"provisionTenant":  access.ManageTenants,
		"getUsage":         access.ManageTenants,
		"getUsageCsv":      access.ManageTenants,
		"deleteTenant":     access.DeleteTenants,
		"listCertificates": access.DeleteTenants,
		"listResellers":    access.ManageBranding, // of resellers, their own
		"getReseller":      access.ManageBranding,
		"changeReseller":   access.ManageBranding,
		"listStaff":        access.ManageBranding,
		"createReseller":   access.ManageResellers,
		"addStaff":         access.ManageResellers,

		"listAllStaff":      access.ManageStaff,
		"changeStaff":       access.ManageStaff,
		"inviteStaff":       access.ManageStaff,
		"resetStaffFactors": access.ManageStaff,
		"endStaffSessions":  access.ManageStaff,

		"listTokens":  access.ManageTokens,
		"createToken": access.ManageTokens,
		"revokeToken": access.ManageTokens,

		"getMailRules":      access.ManageSite,
		"changeMailRules":   access.ManageSite,
		"getSite":           access.ManageSite,
		"changeSite":        access.ManageSite,
		"obtainCertificate": access.ManageSite,
	}
}

// right returns the right that d needs; ok is false if anybody may ask for it. It
// panics over an operation that nobody has decided on.
func (d op) right() (right access.Right, ok bool) {
	right, ok = rights()[d.id]
	if ok == d.public {
		panic(fmt.Sprintf("operation %s: either it is public, or rights.go names the right that it needs", d.id))
	}
	return right, ok
}

// Right returns the right that the download needs.
func (d Download) Right() access.Right {
	right, _ := d.right()
	return right
}

// preservationRights are for the functions of BSI TR-03125, which programs ask for.
func preservationRights() map[string]access.Right {
	return map[string]access.Right{
		"retrieveInfo":      access.Preserve,
		"archiveSubmission": access.Preserve,
		"archiveUpdate":     access.Preserve,
		"archiveRetrieval":  access.Preserve,
		"archiveEvidence":   access.Preserve,
		"archiveData":       access.Preserve,
		"archiveTrace":      access.Preserve,
		"archiveDeletion":   access.Preserve,
		"verifyPackage":     access.Preserve,
	}
}
