package offline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/evidence"
)

// Versions of manifests.
const (
	// ManifestVersion is that of bundle.json.
	ManifestVersion = 1
	// ManyVersion is that of many.json and complete.json.
	ManyVersion = 1
)

// qualifiedClaim is what Manifest.Qualified says of a qualified time stamp.
const qualifiedClaim = "yes"

// Names of files in bundles, which all the others are found by.
const (
	ManifestFile = "bundle.json"   // of one object
	ManyFile     = "many.json"     // of a bundle of many objects: it comes first
	CompleteFile = "complete.json" // of a bundle of many objects: after all of them
	ContentsFile = "contents.csv"  // of a bundle of many objects: what is in it
	SumsFile     = "SHA256SUMS"    // all other files, but not those of each of many objects
	ReadmeFile   = "README.txt"    // of each object, for people
	LiesmichFile = "LIESMICH.txt"  // the same in German

	ObjectsFolder = "objects" // of a bundle of many objects
)

// Manifest is bundle.json: it tells programs what is in the bundle of one object.
// Names of files are relative to it; those with a leading slash, to the root of the
// bundle of many objects that it is in.
type Manifest struct {
	Version int       `json:"v"`
	AOID    string    `json:"aoid"`
	Tenant  string    `json:"tenant"`
	MadeAt  time.Time `json:"made_at"`
	Record  string    `json:"record"`
	Sidecar string    `json:"sidecar"`
	Anchors string    `json:"anchors"`
	// Log is a proof that the arrival is in the event log (eventlog.InclusionProof).
	Log string `json:"log,omitempty"`
	// Sums is the file with the SHA-256 of all others.
	Sums      string           `json:"sums,omitempty"`
	Members   []ManifestMember `json:"members"`
	Withheld  []string         `json:"withheld,omitempty"`
	Tokens    []ManifestToken  `json:"tokens"`
	Test      bool             `json:"test,omitempty"` // a test authority: proves nothing
	Qualified string           `json:"qualified"`
}

// ManifestMember is a member of the object.
type ManifestMember struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// ManifestToken is a time stamp, which the record holds as well.
type ManifestToken struct {
	File      string    `json:"file"`
	Authority string    `json:"authority"`
	GenTime   time.Time `json:"gen_time"`
	Imprint   string    `json:"imprint"`
}

// Many is many.json, the first file of a bundle of many objects.
type Many struct {
	Version int       `json:"v"`
	Tenant  string    `json:"tenant"`
	Title   string    `json:"title"` // what was selected
	Query   string    `json:"query,omitempty"`
	MadeAt  time.Time `json:"made_at"`
	Volume  int       `json:"volume"` // from 1
}

// Complete is complete.json, which is written after all objects of a bundle of many:
// without it the bundle was cut off.
type Complete struct {
	Version int   `json:"v"`
	Objects int64 `json:"objects"`
	Valid   int64 `json:"valid"`
	Unsure  int64 `json:"indeterminate"`
	Invalid int64 `json:"invalid"`
	// List is the SHA-256 over the lines (ListLine) of all objects in the order of their
	// folders.
	List string `json:"list"`
	// LeftOut are the objects of the selection that could not be put in.
	LeftOut []LeftOut `json:"left_out"`
	// Next is where the next volume begins; empty: there is none.
	Next string `json:"next,omitempty"`
}

// LeftOut is an object that could not be put in.
type LeftOut struct {
	AOID   string `json:"aoid"`
	Code   string `json:"code"`   // for programs
	Reason string `json:"reason"` // English
}

// Codes of what was left out.
const (
	LeftUnsealed   = "not-sealed"    // has no time stamp yet
	LeftBlind      = "blind"         // its header names people of whom the reader may not know
	LeftDamaged    = "damaged"       // cannot be read: fsck tells more
	LeftGone       = "gone"          // is not there, or not for the reader
	LeftDeleted    = "deleted"       // was deleted: a tombstone remains
	LeftUnreadable = "not-described" // its row is damaged
)

// ListLine is what the sum of the list of a bundle of many objects is made of: the
// folder of an object, its identifier, and the SHA-256 of its manifest.
func ListLine(folder, aoid, sum string) []byte {
	return []byte(folder + "\t" + aoid + "\t" + sum + "\n")
}

func parseManifest(b []byte) (*Manifest, error) {
	var m Manifest
	if _, err := evidence.Canonical(b); err != nil { // a name that occurs twice has two meanings
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // a part must not vanish because its name was changed
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if m.Version != ManifestVersion || m.Record == "" || len(m.Members) == 0 || len(m.Members) > maxMembers {
		return nil, errors.New(ManifestFile + ": is not of a kind that this program knows")
	}
	seen := map[string]bool{}
	for _, x := range m.Members {
		if seen[x.File] {
			return nil, fmt.Errorf("%s: the file %.200q is two members", ManifestFile, x.File)
		}
		seen[x.File] = true
	}
	return &m, nil
}
