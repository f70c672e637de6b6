package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index/query"
)

// checkAccess judges what somebody asks for and fills in addresses and period. Whoever
// corrects a form learns all that is wrong with it, each at its field.
func (h *Handle) checkAccess(ctx context.Context, r *catalog.AccessRequest, n *NewAccess) error {
	var wrong []error
	r.Addresses, wrong = grantAddresses(n.Kind, n.Addresses)
	if !isReason(r.Reason) {
		wrong = append(wrong, wrongField("reason", wantReason, minReason, maxReason))
	}
	if r.Covert != "" && !isReason(r.Covert) {
		wrong = append(wrong, wrongField("covert", wantReason, minReason, maxReason))
	}
	if d := r.ValidUntil.Sub(r.RequestedAt); d < minGrantTime || d > access.MaxGrantTime {
		wrong = append(wrong, wrongField("until", "want a time between %d minutes and %d days from now", minGrantTime/time.Minute, access.MaxGrantTime/(24*time.Hour)))
	}
	zone, err := h.zone(ctx)
	if err != nil {
		return err
	}
	var late []error
	r.From, r.To, late = periodOf(n.From, n.To, zone)
	wrong = append(wrong, late...)
	if len(r.Query) > maxGrantQuery {
		wrong = append(wrong, wrongField("query", "want at most %d bytes", maxGrantQuery))
	} else if _, err := h.parse(ctx, r.Query); err != nil {
		if !errors.As(err, new(*query.Error)) {
			return err
		}
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// periodOf reads a period of days and names each of the fields that is wrong.
func periodOf(first, last string, zone *time.Location) (from, to time.Time, wrong []error) {
	for _, x := range []struct {
		field, day string
	}{{"from", first}, {"to", last}} {
		if _, _, err := days(x.day, "", zone); err != nil {
			wrong = append(wrong, wrongField(x.field, "want a day such as 2026-01-31"))
		}
	}
	if len(wrong) > 0 {
		return from, to, wrong
	}
	from, to, err := days(first, last, zone)
	if err != nil {
		wrong = append(wrong, inField("to", err))
	}
	return from, to, wrong
}

func grantAddresses(k access.Kind, list []string) (out []string, wrong []error) {
	for i, x := range list {
		one, err := Addresses([]string{x})
		if err != nil {
			wrong = append(wrong, inField(fmt.Sprintf("addresses[%d]", i), err))
			continue
		}
		out = append(out, one...)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	most := access.MaxGrantAddresses
	if k == access.ReadMailbox {
		most = 1
	}
	switch n := len(out) + len(wrong); {
	case n == 0 && k != access.Export: // of an export none is the whole tenant
		wrong = append(wrong, wrongField("addresses", "name whose mail it is about, by at least one address"))
	case n > most:
		wrong = append(wrong, wrongField("addresses", "at most %d here, got %d", most, n))
	}
	return out, wrong
}

// wantReason tells what isReason asks for: minReason and maxReason.
const wantReason = "want at least %d characters and at most %d bytes of text"

func isReason(s string) bool {
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	return utf8.RuneCountInString(s) >= minReason && len(s) <= maxReason && utf8.ValidString(s) && !strings.ContainsFunc(s, odd)
}

func checkReason(what, s string, needed bool) error {
	if s == "" && !needed || isReason(s) {
		return nil
	}
	return invalid("%s: "+wantReason, what, minReason, maxReason)
}
