// Package webhook is what other programs that are told of events see of the archive:
// the kinds of events, the form and signature of what they get, and how it is handed
// to them over HTTP. It is a leaf: it knows addresses and secrets that it is given and
// reads nothing by itself.
//
// What is sent has the form of the Standard Webhooks specification, version 1: a JSON
// object with type, timestamp and data, and the headers webhook-id, webhook-timestamp
// and webhook-signature.
//
//	webhook.go  kinds, what is sent     sign.go  secrets and signatures
//	reach.go    where it may be sent    send.go  sending     problem.go  what goes wrong, in words
package webhook

import (
	"encoding/json"
	"slices"
	"time"
)

// Kind is what an event is about.
type Kind string

// Kinds. Their names never change their meaning.
const (
	TenantCreated   Kind = "tenant.created"
	TenantSuspended Kind = "tenant.suspended"
	TenantResumed   Kind = "tenant.resumed"
	TenantEnded     Kind = "tenant.ended"
	TenantDeleted   Kind = "tenant.deleted"
	// SourceFailing says that nothing comes from a source at present.
	SourceFailing   Kind = "source.failing"
	SourceRecovered Kind = "source.recovered"
	// LimitNear says that 80 % of a limit are used, LimitReached all of it. Archiving goes on.
	LimitNear    Kind = "limit.near"
	LimitReached Kind = "limit.reached"
	// SealingFailing says that objects wait for a time stamp for longer than they may.
	SealingFailing   Kind = "sealing.failing"
	SealingRecovered Kind = "sealing.recovered"
	// QuarantineFilled says that messages wait for a decision where none did before.
	QuarantineFilled Kind = "quarantine.filled"
	// LogReceipt brings the daily receipt of an event log.
	LogReceipt Kind = "log.receipt"
	// WebhookOff says that another webhook was switched off because nobody took anything
	// for days.
	WebhookOff Kind = "webhook.switched-off"
	// Test is sent when somebody tries a webhook.
	Test Kind = "webhook.test"
)

// KindsOfTenant lists the kinds that a tenant can choose.
func KindsOfTenant() []Kind {
	return []Kind{TenantSuspended, TenantResumed, TenantEnded, SourceFailing, SourceRecovered, LimitNear, LimitReached, QuarantineFilled, LogReceipt, WebhookOff}
}

// KindsOfReseller lists the kinds that a reseller can choose: those of its tenants.
func KindsOfReseller() []Kind {
	return []Kind{TenantCreated, TenantSuspended, TenantResumed, TenantEnded, TenantDeleted, SourceFailing, SourceRecovered, LimitNear, LimitReached, QuarantineFilled}
}

// KindsOfOperator lists the kinds that an operator can choose: those of the
// installation and of all tenants.
func KindsOfOperator() []Kind {
	return append(KindsOfReseller(), SealingFailing, SealingRecovered, LogReceipt, WebhookOff)
}

// Payload is what is sent. Nothing of a mail is ever in it.
type Payload struct {
	Type      Kind      `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of the event
	Data      Data      `json:"data"`
}

// Data says what an event is about. Ids are as the REST interface has them; what does
// not apply is absent.
type Data struct {
	Tenant   string          `json:"tenant,omitempty"`   // id; absent: the installation
	Reseller string          `json:"reseller,omitempty"` // id of who looks after the tenant, or whose limit it is
	Source   string          `json:"source,omitempty"`   // id
	Webhook  string          `json:"webhook,omitempty"`  // id
	Limit    string          `json:"limit,omitempty"`    // customers, mailboxes or storage
	Used     int64           `json:"used,omitempty"`
	Of       int64           `json:"of,omitempty"`
	Problem  string          `json:"problem,omitempty"` // code of what goes wrong
	Waiting  int64           `json:"waiting,omitempty"` // how many wait
	Day      string          `json:"day,omitempty"`     // of a receipt
	Receipt  json.RawMessage `json:"receipt,omitempty"` // as muniment verify-log reads it
	// Event is the number of the event in the log that it is in.
	Event int64 `json:"event"`
}

// Encode makes the bytes that are sent.
func (p Payload) Encode() ([]byte, error) {
	p.Timestamp = p.Timestamp.UTC().Truncate(time.Millisecond)
	return json.Marshal(p)
}

// pauses are what lies between the attempts of a delivery: it is tried for three days
// and some hours.
func pauses() []time.Duration {
	const m, h = time.Minute, time.Hour
	return []time.Duration{5 * time.Second, m, 5 * m, 30 * m, h, 2 * h, 4 * h, 8 * h, 12 * h, 12 * h, 12 * h, 12 * h, 12 * h}
}

// Pause is how long to wait after so many attempts; false: it is to be given up.
func Pause(attempts int) (time.Duration, bool) {
	list := pauses()
	if attempts < 1 || attempts > len(list) {
		return 0, false
	}
	return list[attempts-1], true
}

// Known reports whether a kind is one of a list.
func Known(kind string, list []Kind) bool { return slices.Contains(list, Kind(kind)) }
