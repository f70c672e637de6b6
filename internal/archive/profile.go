package archive

import (
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/tresor"
)

// PreservationProfile is the only profile: what RetrieveInfo tells of.
const PreservationProfile = "urn:muniment:preservation-profile:1"

// PreservationFormat is the form in which objects come and go.
const PreservationFormat = tresor.Namespace

// Profiles of RetrieveInfo: which there are, by their state.
const (
	StatusActive   = "active"
	StatusInactive = "inactive"
	StatusAll      = "all"
)

// Profile is a preservation profile: how objects are preserved.
type Profile struct {
	Identifier string
	Formats    []string // of objects
	Evidence   string   // form of evidence records
	Functions  []string
}

// Profiles tells of the profiles (RetrieveInfo). There is one, and it is active.
func (h *Handle) Profiles(identifier, status string, given []Option) (tresor.Result, []Profile, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, nil, err
	}
	if _, bad := options(given); bad != nil {
		return *bad, nil, nil
	}
	if identifier != "" && identifier != PreservationProfile {
		return tresor.Failed(tresor.UnknownURI, fmt.Sprintf("There is no profile %.80q.", identifier)), nil, nil
	}
	if status == StatusInactive {
		return tresor.Succeeded(), nil, nil
	}
	return tresor.Succeeded(), []Profile{{Identifier: PreservationProfile, Formats: []string{PreservationFormat}, Evidence: ERSFormat,
		Functions: []string{"RetrieveInfo", "ArchiveSubmission", "ArchiveUpdate", "ArchiveRetrieval", "ArchiveEvidence", "ArchiveData", "ArchiveTrace", "Verify"}}}, nil
}

// Option is a control of OptionalInputs.
type Option struct{ Name, Value string }

// Names of options that are known.
const (
	optionIncludeERS = "IncludeERS"
	optionERSFormat  = "ERSFormat"
)

// ERSFormat is the only form of evidence records: that of RFC 4998.
const ERSFormat = "urn:ietf:rfc:4998"

// options reads options, of which some are known; not nil: one is not, or has a value
// that is not.
func options(given []Option, known ...string) (map[string]string, *tresor.Result) {
	out := map[string]string{}
	for _, o := range given {
		if !slices.Contains(known, o.Name) {
			r := tresor.Failed(tresor.NotSupported, fmt.Sprintf("The option %.80q is not known.", o.Name))
			return nil, &r
		}
		if o.Value != ERSFormat {
			r := tresor.Failed(tresor.NotSupported, fmt.Sprintf("The option %s has the value %.80q; only %s is known.", o.Name, o.Value, ERSFormat))
			return nil, &r
		}
		out[o.Name] = o.Value
	}
	return out, nil
}
