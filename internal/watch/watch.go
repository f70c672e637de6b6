// Package watch describes watched folders: what can be set for one, and how it
// fares. It is a leaf that the watching door and the web door share; it touches no
// file.
package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/muniment/muniment/internal/setting"
)

// Bounds of settings.
const (
	DefaultSettle = 10 * time.Second
	minSettle     = time.Second
	maxSettle     = time.Hour
	maxDirectory  = 500 // bytes
	maxOwners     = 500
)

// Names of the directories into which files are moved.
const (
	Done   = "done"
	Failed = "failed"
)

// Settings of a watched folder.
type Settings struct {
	// Directory is the path below the tenant's own directory, with slashes; empty: that
	// one itself.
	Directory string `json:"directory"`
	// Owners are the addresses that may see what comes from it.
	Owners []string `json:"owners"`
	// DocumentsOnly archives messages (.eml, .msg) as the files they are. Otherwise
	// they become mail, whose parties say who may see it.
	DocumentsOnly bool `json:"documents_only,omitempty"`
	// Settle is for how long a file must not have changed, in seconds; 0: DefaultSettle.
	Settle int `json:"settle_seconds,omitempty"`
}

// Parse reads settings. Members that are unknown are an error.
func Parse(b []byte) (Settings, error) {
	var s Settings
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("settings: %w", err)
	}
	return s, nil
}

// Check reports everything that is wrong with the settings, as *setting.Errors joined.
// Whether the addresses are some is for the archive to say.
func (s Settings) Check() error {
	var errs []error
	if s.Directory != "" && (len(s.Directory) > maxDirectory || path.Clean("/"+s.Directory) != "/"+s.Directory ||
		strings.ContainsFunc(s.Directory, func(r rune) bool { return unicode.IsControl(r) || r == '\\' || r == unicode.ReplacementChar })) {
		errs = append(errs, setting.Wrong("directory", "want a path below the directory of this tenant, such as invoices/2026, without .. and without a slash at its ends"))
	}
	if first, _, _ := strings.Cut(s.Directory, "/"); first == Done || first == Failed {
		errs = append(errs, setting.Wrong("directory", "done and failed are where files are moved to"))
	}
	if len(s.Owners) == 0 || len(s.Owners) > maxOwners {
		errs = append(errs, setting.Wrong("owners", "name 1 to %d addresses that may see what comes from it", maxOwners))
	}
	if d := s.SettleTime(); d < minSettle || d > maxSettle {
		errs = append(errs, setting.Wrong("settle_seconds", "%d is outside %.0f to %.0f", s.Settle, minSettle.Seconds(), maxSettle.Seconds()))
	}
	return errors.Join(errs...)
}

// Overlaps reports whether a file can be in both folders of a tenant: one is the other, or
// lies below it.
func (s Settings) Overlaps(o Settings) bool {
	x, y := s.Directory+"/", o.Directory+"/"
	return s.Directory == "" || o.Directory == "" || strings.HasPrefix(x, y) || strings.HasPrefix(y, x)
}

// SettleTime is for how long a file must not have changed.
func (s Settings) SettleTime() time.Duration {
	if s.Settle == 0 {
		return DefaultSettle
	}
	return time.Duration(s.Settle) * time.Second
}

// State tells how a watched folder fares. It is for people; nothing depends on it.
type State struct {
	LastAt   *time.Time `json:"last_at,omitempty"`    // last look
	LastOKAt *time.Time `json:"last_ok_at,omitempty"` // last look without a problem
	Problem  *Problem   `json:"problem,omitempty"`    // of the last look
	Stored   int64      `json:"stored"`               // files since the folder was added
	Known    int64      `json:"known"`                // that had been archived before
	Failed   int64      `json:"failed"`               // files moved to failed
	Waiting  int64      `json:"waiting"`              // files that are still to be archived
}

// Problem is why a folder cannot be read or emptied, in plain words.
type Problem struct {
	Code   string `json:"code"`
	Text   string `json:"text"`   // English, for people
	Detail string `json:"detail"` // what the system said
}

// Codes of problems. For each the web interface has a sentence and a cure.
const (
	CodeRoot      = "root"      // folder.root is not set, or not there
	CodeDirectory = "directory" // the directory is not there, or leads elsewhere
	CodeRead      = "read"      // no right to read or list
	CodeMove      = "move"      // archived, but cannot be moved to done
	CodeArchive   = "archive"   // the archive cannot store at present
	CodeSettings  = "settings"  // the settings cannot be read
	CodeOdd       = "odd"       // links, devices: left where they are
)
