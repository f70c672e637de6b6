package api

import (
	"time"
)

// Branding is how the archive looks to a reseller's customers.
type Branding struct {
	Name    string `json:"name,omitempty" maxLength:"200" doc:"In place of the product's"`
	Accent  string `json:"accent,omitempty" maxLength:"7" doc:"Colour such as #0b5b5c, dark enough for white letters"`
	ReplyTo string `json:"reply_to,omitempty" maxLength:"254"`
	Support string `json:"support,omitempty" maxLength:"254" doc:"Mail address for questions"`
	Logo    string `json:"logo,omitempty" doc:"Id of the picture, see getLogo; read only"`
}

// Reseller sells archives to customers and looks after them.
type Reseller struct {
	ID        string     `json:"id"`
	Slug      string     `json:"slug"`
	Name      string     `json:"name"`
	Host      string     `json:"host,omitempty" doc:"Under which its customers reach the archive"`
	CreatedAt time.Time  `json:"created_at"`
	Tenants   int        `json:"tenants"`
	Limits    []LimitUse `json:"limits"`
	Branding  Branding   `json:"branding"`
}

// Resellers are all resellers, or one's own.
type Resellers struct {
	Resellers []Reseller `json:"resellers" doc:"By short name"`
}

// NewReseller is a reseller to be made.
type NewReseller struct {
	Slug   string  `json:"slug" maxLength:"63" doc:"Short name: a-z, 0-9 and -"`
	Name   string  `json:"name,omitempty" maxLength:"200"`
	Host   string  `json:"host,omitempty" maxLength:"253"`
	Limits *Limits `json:"limits,omitempty" doc:"Absent: 50 customers, 500 mailboxes"`
}

// ResellerChange changes a reseller; what is absent stays. Name, host and limits are
// for operators only.
type ResellerChange struct {
	Name     *string   `json:"name,omitempty" maxLength:"200"`
	Host     *string   `json:"host,omitempty" maxLength:"253"`
	Limits   *Limits   `json:"limits,omitempty"`
	Branding *Branding `json:"branding,omitempty"`
	Logo     *string   `json:"logo,omitempty" contentEncoding:"base64" maxLength:"349528" doc:"PNG in base64, at most 256 KiB; empty: none"`
}

// StaffMember is a user who administers the tenants of a reseller.
type StaffMember struct {
	ID       string `json:"id"`
	Login    string `json:"login"`
	Name     string `json:"name"`
	Disabled bool   `json:"disabled"`
}

// Staff are the users of a reseller.
type Staff struct {
	Staff []StaffMember `json:"staff"`
}

// NewStaffMember is a user of a reseller to be made.
type NewStaffMember struct {
	Login    string `json:"login" maxLength:"128"`
	Name     string `json:"name,omitempty" maxLength:"200"`
	Password string `json:"password" maxLength:"1024"`
}

// Token lets a program use the interface. Only a hash of it is kept.
type Token struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Start     string     `json:"start" doc:"First characters"`
	Scopes    []string   `json:"scopes"`
	CreatedBy string     `json:"created_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Absent: never"`
	UsedAt    *time.Time `json:"used_at,omitempty" doc:"To the minute; absent: never"`
	UsedFrom  []string   `json:"used_from" doc:"Addresses, the youngest first"`
}

// Tokens are the tokens of one's tenant, reseller or installation.
type Tokens struct {
	Tokens []Token  `json:"tokens" doc:"The youngest first"`
	Scopes []string `json:"scopes" doc:"That one can give"`
}

// NewToken is a token to be made.
type NewToken struct {
	Name      string     `json:"name" maxLength:"200"`
	Scopes    []string   `json:"scopes" maxItems:"20"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Absent: never"`
}

// CreatedToken is a token that was made.
type CreatedToken struct {
	Token  Token  `json:"token"`
	Secret string `json:"secret" doc:"To be sent as Authorization: Bearer; it is shown this once"`
}
