package directory

// Person is somebody whom a directory knows.
type Person struct {
	// ID names the person in the directory for ever, whatever else is renamed:
	// entryUUID, objectGUID, or issuer and subject.
	ID    string
	Login string // as it stands there
	Name  string
	First string
	Last  string
	// Addresses are the mail addresses, lower case, the main one first.
	Addresses []string
	Role      string // by the first RoleRule that fits; empty: none does
	Disabled  bool   // may not log in there either
}

// Shared is an address that belongs to several: a distribution list or a public
// folder.
type Shared struct {
	ID        string
	Name      string
	Addresses []string
	Members   []string // IDs of persons, nested groups resolved
}

// Snapshot is what a directory holds at one moment.
type Snapshot struct {
	People []Person
	Shared []Shared
	Notes  []Note // what was left out and why
}

// Note says that something was left out. It never names secrets.
type Note struct {
	Code string `json:"code"` // one of the Note constants
	What string `json:"what"` // which entry
}

// Codes of notes.
const (
	NoteReferral  = "referral"   // the server points to another one, which is not followed
	NoteNoID      = "no-id"      // an entry without entryUUID or objectGUID
	NoteNoLogin   = "no-login"   // without a user name
	NoteNoAddress = "no-address" // without a mail address: the user would find nothing
	NoteLoop      = "loop"       // groups that contain each other
	NoteDeep      = "deep"       // nesting beyond what is followed
)

// maxNotes bounds the notes that are kept.
const maxNotes = 200

// Note adds a note, within bounds.
func (s *Snapshot) Note(code, what string) {
	if len(s.Notes) < maxNotes {
		s.Notes = append(s.Notes, Note{Code: code, What: what})
	}
}

// Finding is what a test of settings finds.
type Finding struct {
	OK          bool
	Problem     *Problem
	Steps       []Step
	Certificate string // SHA-256 of the server's, hexadecimal
	People      int
	Shared      int
	First       []Person // at most five
	Notes       []Note
}

// Step is one thing that was tried.
type Step struct {
	What string // resolve, connect, certificate, tls, bind, base, people, groups, discovery, keys, login
	OK   bool
	Text string
}

// Identity is whom a provider of OpenID Connect has logged in.
type Identity struct {
	Issuer   string
	Subject  string
	Email    string // lower case; empty: none came
	Verified bool   // the provider, or the settings, vouch for Email
	Name     string
	First    string
	Last     string
	Groups   []string
	// Overage: Entra ID has left the groups out, as there are too many.
	Overage bool
}

// External is the lasting id of the identity.
func (i Identity) External() string { return i.Issuer + " " + i.Subject }

// Flow is what a log-in at a provider has to remember until it comes back. It is
// secret, and belongs to one browser.
type Flow struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // of PKCE (RFC 7636)
}
