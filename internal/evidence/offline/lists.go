package offline

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/trustlist"
)

// maxList bounds a trusted list, in bytes; the largest of today have 5 MB.
const maxList = 64 << 20

// listOfLists is in the type of the list that names who signs the national ones.
const listOfLists = "EUlistofthelists"

// Qualifier reads trusted lists (ETSI TS 119 612) and returns what looks time-stamping
// units up in them. signers are certificates, as files or directories, of which one has
// to have signed each list; those whom a list of the lists names, that is signed itself,
// count for its country. Lists and signers are files, or directories of them. now is the
// clock; nil: the system's.
func Qualifier(lists, signers []string, now func() time.Time) (tsp.Qualifier, error) {
	pinned, _, err := certificates(signers)
	if err != nil {
		return nil, err
	}
	names, err := files(lists)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: there is no trusted list", strings.Join(lists, ", "))
	}
	raw := make([][]byte, len(names))
	set := &trustlist.Set{Now: now}
	var above []*trustlist.List // signed lists of the lists
	for i, name := range names {
		if raw[i], err = read(name, maxList); err != nil {
			return nil, err
		}
		l, err := trustlist.Parse(raw[i], pinned)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if l.SignatureError == nil && strings.Contains(l.Type, listOfLists) {
			above = append(above, l)
		}
		set.Lists = append(set.Lists, l)
	}
	for i, l := range set.Lists {
		for _, a := range above {
			if l.SignatureError == nil {
				break
			}
			if l, err = trustlist.Parse(raw[i], a.SignersOf(l.Territory)); err != nil {
				return nil, fmt.Errorf("%s: %w", names[i], err)
			}
			set.Lists[i] = l
		}
	}
	return func(tsu *x509.Certificate, path []*x509.Certificate, genTime time.Time) (tsp.Qualification, string) {
		v, reason := set.Qualify(tsu, path, genTime)
		q := map[trustlist.Verdict]tsp.Qualification{trustlist.Qualified: tsp.Qualified, trustlist.NotQualified: tsp.NotQualified}[v]
		if q == "" {
			q = tsp.NotDetermined
		}
		return q, string(reason)
	}, nil
}
