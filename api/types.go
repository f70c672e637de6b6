// Package api is the contract of Muniment's REST interface: the operations, the
// values they exchange and their errors. It knows nothing of how they are
// carried out; httpd does that. openapi.json is generated from it.
//
//	types.go       the values                   problem.go  errors (RFC 9457)
//	source.go      sources and their accounts   spec.go     the OpenAPI document
//	smarthost.go   mail that leaves             user.go  userimport.go  users of a tenant
//	operations.go  the operations               genspec     writes openapi.json
//	service.go     what a server provides
//
// Times are RFC 3339 in UTC, sizes are bytes, ids are opaque strings of 26
// characters. Errors are RFC 9457 problems with a stable "code".
package api

import "time"

// LogIn opens a session.
type LogIn struct {
	Login    string `json:"login" minLength:"1" maxLength:"320" doc:"User name, or one of the user's mail addresses"`
	Tenant   string `json:"tenant,omitempty" maxLength:"64" doc:"Short name of the customer; needed only with a user name that several customers use"`
	Operator bool   `json:"operator,omitempty" doc:"Means an operator of the installation, and no customer's user; needed only with a user name and password that a customer's user has too"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// Account is the user who is logged in.
type Account struct {
	ID        string    `json:"id"`
	Login     string    `json:"login"`
	Name      string    `json:"name"`
	Role      string    `json:"role" enum:"operator,reseller,tenant-admin,auditor,dpo,user"`
	Language  string    `json:"language" enum:",de,en" doc:"Empty: the browser's"`
	Addresses []string  `json:"addresses"`
	Tenant    *Tenant   `json:"tenant,omitempty"`
	Branding  *Branding `json:"branding,omitempty" doc:"How the archive looks to the user; absent: like itself"`
	ExpiresAt time.Time `json:"expires_at" doc:"End of the session without activity"`
	// SetupNeeded: nothing else can be done.
	SetupNeeded bool `json:"setup_needed" doc:"A second factor has to be set up first"`
}

// Tenant is a customer.
type Tenant struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
	Zone string `json:"zone" doc:"IANA time zone"`
}

// AccountChange changes one's own settings.
type AccountChange struct {
	Language *string `json:"language,omitempty" enum:",de,en"`
}

// Hit is one line of a result list.
type Hit struct {
	ID          string    `json:"id"`
	Date        time.Time `json:"date" doc:"Date the message bears; the date of receipt if that is implausible"`
	ReceivedAt  time.Time `json:"received_at"`
	From        []Party   `json:"from"`
	To          []Party   `json:"to"`
	Subject     string    `json:"subject" doc:"May be empty"`
	Snippet     Snippet   `json:"snippet"`
	Size        int64     `json:"size" doc:"Of the original; 0 if the reader may not see all blind copies: their length would show"`
	Attachments int       `json:"attachments"`
	Category    string    `json:"category"`
	Tags        []string  `json:"tags"`
	File        *File     `json:"file,omitempty" doc:"It is a document: this file, and no mail"`
}

// Snippet is an extract of the text with the places that match.
type Snippet struct {
	Text  string `json:"text"`
	Marks []Mark `json:"marks"`
}

// Mark is a range of characters (Unicode code points) of a text.
type Mark struct {
	Start int `json:"start"`
	End   int `json:"end" doc:"Exclusive"`
}

// SearchPage is one page of results.
type SearchPage struct {
	Hits         []Hit   `json:"hits"`
	Next         string  `json:"next,omitempty" doc:"Cursor of the next page; absent at the end"`
	Total        int     `json:"total" doc:"How many results there are; only the first page is counted, others have 0"`
	TotalExact   bool    `json:"total_exact" doc:"false: there are more than total"`
	Query        string  `json:"query" doc:"The query as it was understood"`
	Chips        []Chip  `json:"chips"`
	Milliseconds float64 `json:"milliseconds"`
}

// Chip is a recognised operator of the query.
type Chip struct {
	Field string `json:"field" doc:"Canonical English name of the operator"`
	Value string `json:"value"`
	Not   bool   `json:"not"`
	Start int    `json:"start" doc:"Characters of the query text"`
	End   int    `json:"end"`
}

// Bucket is one value of a facet.
type Bucket struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty" doc:"Text to show, if it is not the value; of senders the name they use most, or else the address"`
	Count int    `json:"count"`
	Query string `json:"query" doc:"Query text that selects this value, to be added to the query"`
}

// Facets tell how all results are distributed.
type Facets struct {
	Years         []Bucket `json:"years"`
	Senders       []Bucket `json:"senders"`
	Categories    []Bucket `json:"categories"`
	HasAttachment []Bucket `json:"has_attachment" doc:"Values yes and no"`
	Exact         bool     `json:"exact"`
}

// Suggestion completes what is being typed.
type Suggestion struct {
	Insert      string `json:"insert" doc:"Text that replaces the characters from start to end"`
	Start       int    `json:"start"`
	End         int    `json:"end"`
	Label       string `json:"label"`
	Explanation string `json:"explanation"`
	Kind        string `json:"kind" enum:"operator,person,category,year,value"`
}

// Suggestions are in the order to show them.
type Suggestions struct {
	Suggestions []Suggestion `json:"suggestions"`
}

// Party is a person on a message.
type Party struct {
	Role    string `json:"role" enum:"from,sender,to,cc,bcc,reply-to,envelope-from,envelope-to,journal-sender,journal-mailbox,journal-to,journal-cc,journal-bcc,journal-recipient,owner"`
	Name    string `json:"name"`
	Address string `json:"address"`
	Via     string `json:"via,omitempty" doc:"List or mailbox through which the message came to this address, as a journal report tells"`
}

// Attachment is a part of a message that people call attachment, or a picture
// inside the text, which counts as none but can be saved like one.
type Attachment struct {
	No     int    `json:"no"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	Inline bool   `json:"inline" doc:"A picture inside the text: searches and counts do not take it for an attachment"`
}

// Header is one header field, decoded.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Capture is one arrival of the message.
type Capture struct {
	ID           string         `json:"id"`
	ReceivedAt   time.Time      `json:"received_at"`
	Source       string         `json:"source" doc:"Name of the source"`
	Kind         string         `json:"kind" doc:"journal, mailbox, milter, folder, upload or import"`
	EnvelopeFrom string         `json:"envelope_from"`
	EnvelopeTo   []string       `json:"envelope_to"`
	Peer         string         `json:"peer"`
	Origin       string         `json:"origin"`
	Filing       *Filing        `json:"filing,omitempty"`
	Journal      *JournalRecord `json:"journal,omitempty"`
	HintFrom     []string       `json:"hint_from,omitempty" doc:"Senders in header fields of a trusted mail server"`
	HintTo       []string       `json:"hint_to,omitempty" doc:"Recipients in header fields of a trusted mail server"`
	FromHeaders  bool           `json:"from_headers,omitempty" doc:"The recipients are known from headers alone: blind copies cannot be known"`
	Workspace    bool           `json:"google_workspace,omitempty" doc:"Google Workspace has sent it"`
}

// JournalRecord is what a journal report said of the arrival. Whom the reader may
// not know of is left out.
type JournalRecord struct {
	Form       string             `json:"form" doc:"Form of the report, by the program that made it"`
	Sender     string             `json:"sender"`
	OnBehalfOf string             `json:"on_behalf_of"`
	Mailbox    string             `json:"mailbox" doc:"Mailbox that the report is about"`
	Label      string             `json:"label"`
	Recipients []JournalRecipient `json:"recipients"`
	NDR        bool               `json:"ndr" doc:"The report came back in a non-delivery report"`
	Decrypted  bool               `json:"decrypted" doc:"The message is the copy that Exchange has decrypted"`
	Problem    string             `json:"problem" doc:"Why what claims to be a report was kept whole; then the other members but form are empty"`
	HasReport  bool               `json:"has_report" doc:"The whole report can be downloaded by this reader"`
}

// JournalRecipient is a recipient of the envelope.
type JournalRecipient struct {
	Role    string `json:"role" enum:"to,cc,bcc,recipient" doc:"recipient: the report does not tell which of the others"`
	Address string `json:"address"`
	Via     string `json:"via" enum:",expanded,forwarded"`
	Through string `json:"through" doc:"List that was expanded, mailbox that forwards"`
}

// Message is an archived message as its reader may see it.
type Message struct {
	ID          string           `json:"id"`
	Subject     string           `json:"subject"`
	Date        time.Time        `json:"date" doc:"Orders the message"`
	DateClaimed *time.Time       `json:"date_claimed,omitempty" doc:"What the Date field says, if it can be read"`
	ReceivedAt  time.Time        `json:"received_at" doc:"Stored since"`
	Size        int64            `json:"size" doc:"Of the original; 0 if the download leaves blind copies out: their length would show"`
	SHA256      string           `json:"sha256" doc:"Of the original, hexadecimal; empty if the download leaves blind copies out: guesses could be tested with it"`
	MessageID   string           `json:"message_id"`
	Class       string           `json:"class"`
	Retention   MessageRetention `json:"retention"`
	Category    string           `json:"category"`
	Tags        []string         `json:"tags"`
	Parties     []Party          `json:"parties"`
	BccHidden   bool             `json:"bcc_hidden" doc:"The message has blind copies that this reader may not see; the download leaves them out, the original is kept unchanged"`
	Headers     []Header         `json:"headers"`
	Text        string           `json:"text"`
	TextMarks   []Mark           `json:"text_marks" doc:"Places that match the query given with q"`
	HasHTML     bool             `json:"has_html"`
	Remote      int              `json:"remote" doc:"How many pictures on other servers the HTML view blocks and would show with remote=true"`
	Attachments []Attachment     `json:"attachments" doc:"First the attachments, then the pictures inside the text"`
	Captures    []Capture        `json:"captures"`
	Why         []string         `json:"why" doc:"The reader's addresses because of which he may see it"`
	Warnings    []string         `json:"warnings" doc:"What the parser found odd"`
	Integrity   Integrity        `json:"integrity"`
	File        *File            `json:"file,omitempty" doc:"It is a document: this file, and no mail"`
}

// Integrity is the result of comparing what is stored with what arrived.
type Integrity struct {
	Intact    bool      `json:"intact"`
	CheckedAt time.Time `json:"checked_at"`
	Problem   string    `json:"problem,omitempty" doc:"What is wrong and which object"`
}

// Day is a count of one day.
type Day struct {
	Day   string `json:"day"`
	Count int64  `json:"count"`
}

// Statistics are the figures of a tenant.
type Statistics struct {
	Messages    int64      `json:"messages"`
	RawBytes    int64      `json:"raw_bytes"`
	StoredBytes int64      `json:"stored_bytes"`
	Users       int        `json:"users"`
	Unindexed   int64      `json:"unindexed" doc:"Stored but not yet searchable"`
	FirstAt     *time.Time `json:"first_at,omitempty" doc:"First receipt"`
	LastAt      *time.Time `json:"last_at,omitempty" doc:"Last receipt"`
	Days        []Day      `json:"days" doc:"Messages stored on each of the last 30 days"`
}

// Status is what anybody may know of the installation.
type Status struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty" doc:"For those who are logged in, and in a demonstration"`
	Demo    bool   `json:"demo" doc:"A demonstration: the log-ins are public"`
	Setup   bool   `json:"setup,omitempty" doc:"The installation waits for its first operator"`
	// PasskeyHost is the host name that passkeys belong to.
	PasskeyHost string `json:"passkey_host,omitempty" doc:"Passkeys can be used where the web interface has this host name; absent: nowhere"`
	// DemoLogins is filled in a demonstration only.
	DemoLogins []DemoLogin `json:"demo_logins,omitempty"`
	Branding   *Branding   `json:"branding,omitempty" doc:"How the archive looks under this host name; absent: like itself"`
}

// DemoLogin is a public log-in of the demonstration.
type DemoLogin struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Role     string `json:"role" enum:"operator,reseller,tenant-admin,auditor,dpo,user"`
}
