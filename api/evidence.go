package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// MessageEvidence is how far the proof of a message is.
type MessageEvidence struct {
	State       string           `json:"state" enum:"waiting,pending,stamped" doc:"waiting: in no batch yet; pending: its batch waits for the time stamp"`
	Authorities bool             `json:"authorities" doc:"Somebody has set who gives time stamps; false: objects are hashed, not stamped"`
	Available   bool             `json:"available" doc:"You may download the evidence once there is a time stamp"`
	Batch       *MessageBatch    `json:"batch,omitempty"`
	Stamps      []EvidenceStamp  `json:"stamps" doc:"The first one, and its renewals"`
	Problem     *EvidenceProblem `json:"problem,omitempty" doc:"Why the last attempt to get a time stamp failed"`
}

// MessageBatch is the batch of a message.
type MessageBatch struct {
	ID        string    `json:"id"`
	Hash      string    `json:"hash" doc:"Hash algorithm of its trees"`
	CreatedAt time.Time `json:"created_at"`
}

// EvidenceStamp is a time stamp.
type EvidenceStamp struct {
	Number    int       `json:"number" doc:"1: the first one; the others renew it"`
	Time      time.Time `json:"time" doc:"As the authority tells it"`
	Until     time.Time `json:"until" doc:"When the first of its certificates ends; it is renewed before"`
	Authority string    `json:"authority"`
	Policy    string    `json:"policy"`
	Test      bool      `json:"test" doc:"Of a test authority: it proves nothing to others"`
	Qualified string    `json:"qualified" enum:"yes,no,unknown" doc:"Whether it is a qualified time stamp, by a trusted list"`
	Reason    string    `json:"reason,omitempty" doc:"Of qualified; English, for experts"`
}

// EvidenceProblem is why there is no time stamp.
type EvidenceProblem struct {
	Code   string `json:"code"`
	Detail string `json:"detail" doc:"English, for experts"`
}

// EvidenceBatch is what one time stamp covers.
type EvidenceBatch struct {
	ID        string           `json:"id"`
	State     string           `json:"state" enum:"pending,stamped"`
	CreatedAt time.Time        `json:"created_at"`
	Objects   int64            `json:"objects" doc:"Of the tenant, or of all"`
	Hash      string           `json:"hash"`
	Attempts  int              `json:"attempts" doc:"That failed"`
	NextAt    *time.Time       `json:"next_at,omitempty" doc:"Of a pending one: when it is tried next"`
	Problem   *EvidenceProblem `json:"problem,omitempty"`
	Stamps    []EvidenceStamp  `json:"stamps"`
}

// Evidence is how far objects are proven.
type Evidence struct {
	Interval    int                   `json:"interval" doc:"How long objects wait for their batch at most, seconds"`
	Authorities []string              `json:"authorities" doc:"Names of those that are asked, in order"`
	Hash        EvidenceHash          `json:"hash"`
	Waiting     int64                 `json:"waiting" doc:"Objects in no batch yet"`
	Pending     int64                 `json:"pending" doc:"Objects in batches without a time stamp"`
	Oldest      *time.Time            `json:"oldest,omitempty" doc:"When the archive took the oldest object without a time stamp"`
	Alarm       bool                  `json:"alarm" doc:"It waits longer than it may"`
	Batches     []EvidenceBatch       `json:"batches" doc:"The newest, at most 50"`
	Unread      []EvidenceUnread      `json:"unread" doc:"Objects that the last hash-tree renewal could not read, at most 50; their old proofs stay, and each renewal tries them again"`
	UnreadCount int                   `json:"unread_count" doc:"All of them"`
	Unreadable  []EvidenceUnreadBatch `json:"unread_batches" doc:"Batches that the last renewal of this server could not read; of the installation"`
	Logs        []EvidenceLog         `json:"logs" doc:"How much of the event log has a time stamp; of the installation that of all logs"`
}

// EvidenceUnread is an object that a renewal could not read.
type EvidenceUnread struct {
	Tenant string    `json:"tenant" doc:"Id"`
	Object string    `json:"object" doc:"Id of the message"`
	Since  time.Time `json:"since" doc:"Of the renewal"`
}

// EvidenceUnreadBatch is a batch that a renewal could not read.
type EvidenceUnreadBatch struct {
	Batch string `json:"batch"`
	Why   string `json:"why" doc:"English, for experts"`
}

// EvidenceLog is how much of an event log has a time stamp.
type EvidenceLog struct {
	Name    string `json:"name" doc:"Short name of the tenant; empty: the installation"`
	Size    int64  `json:"size" doc:"Entries"`
	Stamped int64  `json:"stamped" doc:"Entries up to the last checkpoint with a time stamp"`
}

// EvidenceRenewal is a time stamp that is renewed now or later.
type EvidenceRenewal struct {
	Batch     string     `json:"batch" doc:"Whose time stamp it is"`
	Stamped   time.Time  `json:"stamped"`
	Authority string     `json:"authority"`
	Batches   int        `json:"batches" doc:"That it proves"`
	Objects   int64      `json:"objects" doc:"In these"`
	Due       bool       `json:"due" doc:"Now; it is renewed at the next daily look"`
	Tree      bool       `json:"tree" doc:"The objects are read again and hashed by another algorithm"`
	Reason    string     `json:"reason" enum:"certificate-ends,signature-algorithm-ends,hash-ends,authority-revoked,none"`
	From      *time.Time `json:"from,omitempty" doc:"When it becomes due"`
	End       *time.Time `json:"end,omitempty" doc:"When it must be done"`
}

// EvidenceRenewals is what is renewed, by date.
type EvidenceRenewals struct {
	Renewals []EvidenceRenewal `json:"renewals" doc:"What is due first; at most 50"`
	Due      int               `json:"due" doc:"How many are due now"`
}

// RenewalOrder orders a renewal.
type RenewalOrder struct {
	All bool `json:"all,omitempty" doc:"All time stamps, whatever their end; absent: what is due"`
}

// RenewalRun is what a renewal has done.
type RenewalRun struct {
	Running bool             `json:"running" doc:"It is still under way and goes on by itself"`
	Stamps  int              `json:"stamps" doc:"Time stamps that were renewed"`
	Objects int64            `json:"objects" doc:"Objects that were read again and hashed by another algorithm"`
	LeftOut int64            `json:"left_out" doc:"Of these, objects that could not be read; their old proofs stay"`
	Pending int              `json:"pending" doc:"Batches that wait for their time stamp"`
	Problem *EvidenceProblem `json:"problem,omitempty"`
}

// EvidenceHash is the hash algorithm of new trees.
type EvidenceHash struct {
	Name  string     `json:"name"`
	Until *time.Time `json:"until,omitempty" doc:"Until when it is trusted; absent: no end is known"`
}

// SealingAuthority is a time-stamping authority. Its secret goes in and never comes out.
type SealingAuthority struct {
	Name        string `json:"name" maxLength:"100"`
	Preset      string `json:"preset,omitempty" maxLength:"40" doc:"The preset it was made from"`
	URL         string `json:"url" maxLength:"500"`
	Auth        string `json:"auth" enum:"none,basic,bearer,certificate"`
	User        string `json:"user,omitempty" maxLength:"320"`
	Policy      string `json:"policy,omitempty" maxLength:"200" doc:"OID that is asked for; empty: whatever it gives"`
	CA          string `json:"ca" maxLength:"262144" doc:"Certificates that its own have to lead to, PEM"`
	Certificate string `json:"certificate,omitempty" maxLength:"262144" doc:"What the archive shows, PEM; the key is the secret"`
	ServerCA    string `json:"server_ca,omitempty" maxLength:"262144" doc:"Who may certify its web server, PEM; empty: whom the system trusts"`
	Accuracy    int    `json:"accuracy,omitempty" doc:"Most inaccuracy, milliseconds; 0: any"`
	Pause       int    `json:"pause,omitempty" doc:"Least time between two requests, seconds"`
	Quota       int64  `json:"quota,omitempty" doc:"Most time stamps in a calendar month (UTC); 0: any number"`
	Spent       int64  `json:"spent,omitempty" readOnly:"true" doc:"Time stamps of this month"`
	Local       bool   `json:"local,omitempty" doc:"It is on this machine"`
	Disabled    bool   `json:"disabled,omitempty"`
	HasSecret   bool   `json:"has_secret,omitempty" readOnly:"true"`
}

// SealingPreset is an authority that one may choose. None is ever chosen by itself.
type SealingPreset struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	URL      string `json:"url,omitempty" doc:"Absent: in the contract with it"`
	Auth     string `json:"auth" enum:"none,basic,bearer,certificate"`
	Standing string `json:"standing" enum:"states-qualified,not-qualified,contract,unchecked"`
	Country  string `json:"country,omitempty" doc:"Of its trusted list"`
	Pause    int    `json:"pause,omitempty"`
}

// Sealing is how objects are sealed in the installation.
type Sealing struct {
	Interval    int                `json:"interval" doc:"Seconds"`
	Certificate int                `json:"renew_certificate" doc:"How many days before the end of its certificate a time stamp is renewed"`
	Algorithm   int                `json:"renew_algorithm" doc:"The same for algorithms"`
	Authorities []SealingAuthority `json:"authorities" doc:"In the order in which they are asked"`
	Presets     []SealingPreset    `json:"presets"`
	Seals       bool               `json:"seals" doc:"This server seals"`
	Evidence    Evidence           `json:"evidence" doc:"Of all tenants"`
}

// SealingChange replaces all settings.
type SealingChange struct {
	Interval    int                `json:"interval" doc:"Seconds, 60 to 86400"`
	Certificate *int               `json:"renew_certificate,omitempty" doc:"Days, 1 to 3650; absent: stays"`
	Algorithm   *int               `json:"renew_algorithm,omitempty" doc:"Days, 1 to 3650; absent: stays"`
	Authorities []SealingAuthority `json:"authorities" maxItems:"16"`
	Secrets     map[string]string  `json:"secrets,omitempty" doc:"Passwords, tokens or keys by the name of the authority; one that is absent stays, unless the server changes"`
}

// SealingTest asks whether an authority gives time stamps. It may cost a token.
type SealingTest struct {
	Authority SealingAuthority `json:"authority"`
	Secret    *string          `json:"secret,omitempty" maxLength:"32768" doc:"Absent: the stored one, if the server is its own"`
}

// SealingFinding is what a test has found. The time stamp is thrown away.
type SealingFinding struct {
	OK        bool             `json:"ok"`
	Problem   *EvidenceProblem `json:"problem,omitempty"`
	Time      *time.Time       `json:"time,omitempty"`
	Skew      int              `json:"skew,omitempty" doc:"Its clock before ours, seconds"`
	Accuracy  int              `json:"accuracy,omitempty" doc:"Milliseconds; absent: it does not tell"`
	Policy    string           `json:"policy,omitempty"`
	Signer    string           `json:"signer,omitempty"`
	Issuer    string           `json:"issuer,omitempty"`
	Until     *time.Time       `json:"until,omitempty" doc:"When its certificate ends"`
	Statement bool             `json:"statement,omitempty" doc:"It states to be qualified"`
	Qualified string           `json:"qualified,omitempty" enum:"yes,no,unknown"`
	Reason    string           `json:"reason,omitempty"`
	Test      bool             `json:"test,omitempty" doc:"A test authority: it proves nothing to others"`
	Missing   []string         `json:"missing,omitempty" doc:"Revocation data that could not be had"`
	Remarks   []string         `json:"remarks,omitempty"`
}

// SealingRun is what sealing at once has done.
type SealingRun struct {
	Batches int              `json:"batches"`
	Objects int64            `json:"objects"`
	Stamped int              `json:"stamped" doc:"Batches that have their time stamp now"`
	Pending int              `json:"pending" doc:"Batches that wait for theirs"`
	Problem *EvidenceProblem `json:"problem,omitempty"`
}

// sealingBody bounds the settings of sealing, in bytes: certificates of all authorities.
const sealingBody = 4 << 20

func evidence(o operations, s Service) {
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "getMessageEvidence", method: http.MethodGet, path: "/messages/{id}/evidence", tag: "message",
		summary: "How far the proof of a message is", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byID) (*body[MessageEvidence], error) {
			return reply(s.MessageEvidence(ctx, in.ID))
		})
	add(o, op{id: "getEvidence", method: http.MethodGet, path: "/evidence", tag: "administration",
		summary: "How far the tenant's objects are proven", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Evidence], error) { return reply(s.Evidence(ctx)) })
	add(o, op{id: "getSealing", method: http.MethodGet, path: "/sealing", tag: "installation",
		summary: "How objects are sealed", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Sealing], error) { return reply(s.Sealing(ctx)) })
	add(o, op{id: "changeSealing", method: http.MethodPatch, path: "/sealing", tag: "installation", body: sealingBody,
		summary: "Set how objects are sealed; what waits is tried at once", problems: changing},
		func(ctx context.Context, in *body[SealingChange]) (*body[Sealing], error) {
			return reply(s.ChangeSealing(ctx, in.Body))
		})
	add(o, op{id: "testAuthority", method: http.MethodPost, path: "/sealing-tests", tag: "installation", body: sealingBody,
		summary: "Get a time stamp on random bytes", problems: append([]Code{CodeNotRunning}, changing...)},
		func(ctx context.Context, in *body[SealingTest]) (*body[SealingFinding], error) {
			return reply(s.TestAuthority(ctx, in.Body))
		})
	add(o, op{id: "getRenewals", method: http.MethodGet, path: "/renewals", tag: "installation",
		summary: "Which time stamps are renewed, and when", problems: []Code{CodeRole, CodeNotRunning}},
		func(ctx context.Context, _ *empty) (*body[EvidenceRenewals], error) { return reply(s.Renewals(ctx)) })
	add(o, op{id: "renewNow", method: http.MethodPost, path: "/renewals", tag: "installation",
		summary: "Renew time stamps at once; it may cost tokens", problems: append([]Code{CodeNotRunning}, changing...)},
		func(ctx context.Context, in *body[RenewalOrder]) (*body[RenewalRun], error) {
			return reply(s.RenewNow(ctx, in.Body))
		})
	add(o, op{id: "sealNow", method: http.MethodPost, path: "/sealing-runs", tag: "installation",
		summary: "Seal everything that is new at once; it may cost a token", problems: []Code{CodeRole, CodeOrigin, CodeNotRunning}},
		func(ctx context.Context, _ *empty) (*body[SealingRun], error) { return reply(s.SealNow(ctx)) })
}

// evidenceDownloads are the files that prove a message, or many.
func evidenceDownloads(id *huma.Param, problems []Code) []Download {
	grant := &huma.Param{Name: "grant", In: "query", Description: grantDoc, Schema: &huma.Schema{Type: huma.TypeString}}
	text := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return []Download{
		{op{id: "getEvidenceRecord", method: http.MethodGet, path: "/messages/{id}/evidence.er", tag: "message", problems: problems,
			summary: "The evidence record of a message (RFC 4998), DER"}, []*huma.Param{id, grant}, "application/octet-stream"},
		{op{id: "getEvidenceBundle", method: http.MethodGet, path: "/messages/{id}/evidence.zip", tag: "message", problems: problems,
			summary: "Everything that proves a message to others, with instructions"}, []*huma.Param{id, grant}, "application/zip"},
		{op{id: "getMessageXaip", method: http.MethodGet, path: "/messages/{id}/xaip.xml", tag: "message", problems: problems,
			summary: "The message with its evidence record as XAIP 1.3 (BSI TR-03125)"}, []*huma.Param{id}, "application/xml"},
		{op{id: "getInspectionReport", method: http.MethodGet, path: "/messages/{id}/inspection.pdf", tag: "message", problems: problems,
			summary: "The inspection report of a message: what is proven, in plain words"}, []*huma.Param{id, grant, text("language", "en or de")}, "application/pdf"},
		{op{id: "getInspectionPage", method: http.MethodGet, path: "/messages/{id}/inspection.html", tag: "message", problems: problems,
			summary: "The inspection report of a message as a web page"}, []*huma.Param{id, grant, text("language", "en or de")}, "text/html"},
		{op{id: "getExport", method: http.MethodGet, path: "/export.zip", tag: "search", problems: []Code{CodeRole, CodeQuery, CodeNotFound},
			summary: "A proof bundle of many messages: those chosen, or all that a search finds. Those of other people need an approved request of the kind export"},
			[]*huma.Param{grant, text("ids", "Ids of messages, separated by commas, at most 200; none: all that q finds"), text("q", "Query; empty: all messages"),
				text("after", "What complete.json of the volume before tells as next"), text("volume", "Number of the volume, from 1")}, "application/zip"},
	}
}
