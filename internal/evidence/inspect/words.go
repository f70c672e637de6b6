package inspect

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// words are all texts of one language. None promises more than is proven; a test
// compares them with what may not be said.
type words struct {
	Title, SelectionTitle, Object, Page string

	Valid, Invalid, Unsure             string // banners
	ValidLead, InvalidLead, UnsureLead string
	TestWarning, OwnWarning            string

	Result, ProvenSince, HoldsUntil, NoEnd, CheckedAt, CheckedBy, Checker, Integrity, IntegrityYes, IntegrityNo string

	TheObject, AOID, Tenant, Subject, From, Date, Arrived, File, Size, Bytes, Claimed, Covered, NotCovered, Withheld, WithheldWhy string
	Original, Metadata, JournalReport                                                                                             string

	Stamps, Stamp, Renews, Time, Accuracy, Authority, IssuedBy, Policy, Serial, Hash, Signature, Qualified, Revocation, Chain, Anchor, ValidFromTo, Fingerprint string
	QualifiedYes, QualifiedNo, QualifiedUnknown, QualifiedWhat                                                                                                  string
	Trusted, FoundThen                                                                                                                                          string

	Algorithms, AlgorithmsWhat, HashUntil, SignatureUntil, CertificateUntil, RenewBefore string
	Renewals, NotRenewed, Renewed                                                        string

	TheLog, LogNone, LogHolds, LogBroken, LogEvent, LogTime, LogSize, LogSigned, LogKey, LogKeyKnown, LogKeyUnknown, LogBinds, LogStamped, LogNotStamped, LogOrigin string

	NotProven      string
	NotProvenList  []string
	Check          string
	CheckList      []string
	Findings       string
	FindingsWhat   string
	Remark         string
	FontNote       string
	Nothing        string
	Yes, No        string
	Footer         string
	Reasons        map[string]string // why qualified or not, by the verifier's words
	Events         map[string]string
	Objects        string
	Contents       string
	ContentsMore   string
	LeftOut        string
	LeftOutWhat    string
	LeftOutMore    string
	Selected       string
	StampsBetween  string
	NotChecked     string
	Counts         string
	Volume         string
	SelectionLead  string
	SelectionCheck []string
	Columns        []string
	LeftColumns    []string
}

// in returns the texts of a language.
func in(l Language) *words {
	if l == German {
		return german()
	}
	return english()
}

func (l Language) day(t time.Time) string {
	if l == German {
		return t.UTC().Format("02.01.2006")
	}
	return t.UTC().Format(time.DateOnly)
}

func (l Language) moment(t time.Time) string {
	if l == German {
		return t.UTC().Format("02.01.2006, 15:04:05 UTC")
	}
	return t.UTC().Format("2006-01-02, 15:04:05 UTC")
}

// number writes a whole number with its thousands apart.
func (l Language) number(n int64) string {
	s, sep := strconv.FormatInt(n, 10), ","
	if l == German {
		sep = "."
	}
	for i := len(s) - 3; i > 0 && n >= 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}

func (w *words) member(name string) string {
	switch name {
	case "original":
		return w.Original
	case "metadata":
		return w.Metadata
	case "report":
		return w.JournalReport
	}
	return clean(name)
}

func (w *words) qualification(q tsp.Qualification) string {
	switch q {
	case tsp.Qualified:
		return w.QualifiedYes
	case tsp.NotQualified:
		return w.QualifiedNo
	case tsp.NotDetermined:
	}
	return w.QualifiedUnknown
}

// reason is the verifier's reason in the language, as far as it is known.
func (w *words) reason(why string) string {
	if t, ok := w.Reasons[why]; ok {
		return t
	}
	return clean(why)
}

func (w *words) verdict(v evidence.Verdict) string {
	switch v {
	case evidence.Valid:
		return w.Valid
	case evidence.Invalid:
		return w.Invalid
	case evidence.Indeterminate:
	}
	return w.Unsure
}

// list joins sentences.
func list(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}

func bytesText(l Language, w *words, n int64) string {
	return fmt.Sprintf("%s %s", l.number(n), w.Bytes)
}
