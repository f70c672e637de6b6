package archive

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// tally is what rows tell of one source on one day.
type tally struct {
	messages int64 // whose first arrival it was
	captures int64 // arrivals, the first ones included
	seconds  int64 // captures of messages that came second in a report, which was counted once
}

// ledger compares the completeness accounts with the rows. Messages come in
// meanwhile: the accounts are read before and after the rows, and the truth must
// lie between.
type ledger struct {
	f       *fsck
	tenant  uid.ID
	days    map[accountKey]*tally // by source and day
	before  map[accountKey]int64  // accounts
	sources map[uid.ID]bool       // whether the catalog has them
	unsure  bool                  // some row could not be read: there is nothing to compare
}

// begin reads what there is before the rows.
func (l *ledger) begin(ctx context.Context) error {
	var err error
	if l.before, err = l.accounts(ctx); err != nil {
		return err
	}
	list, err := l.f.a.catalog.Sources(ctx, l.tenant)
	for _, s := range list {
		l.sources[s.ID] = true
	}
	if err == nil {
		return nil
	}
	bad := rowErrors(err)
	for _, b := range bad { // Check has reported it
		if id, err := uid.Parse(b.Object); err == nil {
			l.sources[id] = true
		}
	}
	if len(bad) == 0 {
		return l.f.unreadable(ctx, "catalog", err)
	}
	return nil
}

// counts reports whether there is no error. Else a row could not be read, which Check has
// reported if it is damaged, and nothing can be compared.
func (l *ledger) counts(err error) bool {
	l.unsure = l.unsure || err != nil
	return err == nil
}

func (l *ledger) accounts(ctx context.Context) (map[accountKey]int64, error) {
	out := map[accountKey]int64{}
	list, err := l.f.a.catalog.Accounts(ctx, l.tenant, "", "")
	for _, a := range list {
		out[accountKey{a.Source, a.Day, a.Outcome}] = a.Count
	}
	if err == nil {
		return out, nil
	}
	l.unsure = true
	if len(rowErrors(err)) > 0 {
		return out, nil // Check has reported them
	}
	return out, l.f.unreadable(ctx, "catalog", err)
}

// of returns the tally of a source and day.
func (l *ledger) of(ctx context.Context, source uid.ID, at time.Time) *tally {
	if there, asked := l.sources[source]; !there && !asked { // perhaps made since
		_, err := l.f.a.catalog.Source(ctx, l.tenant, source)
		l.sources[source] = !errors.Is(err, catalog.ErrNotFound)
		if !l.sources[source] {
			l.f.damage("source "+source.String(), "messages came from it, but the catalog has lost its row; muniment rebuild restores it")
		}
	}
	k := accountKey{source: source, day: at.Format(time.DateOnly)}
	if l.days[k] == nil {
		l.days[k] = &tally{}
	}
	return l.days[k]
}

func (l *ledger) message(ctx context.Context, m *catalog.Message) {
	l.of(ctx, m.Source, m.ReceivedAt).messages++
}

func (l *ledger) capture(ctx context.Context, c *catalog.Capture, second bool) {
	t := l.of(ctx, c.Source, c.ReceivedAt)
	t.captures++
	if second {
		t.seconds++
	}
}

// tombstone counts the arrivals of a message that was deleted.
func (l *ledger) tombstone(ctx context.Context, s *catalog.Tombstone) {
	for _, x := range s.Arrivals {
		t := l.of(ctx, x.Source, day(x.Day))
		t.captures++
		if x.Uncounted {
			t.seconds++
		}
		if slices.Contains(arrived(), x.Outcome) {
			t.messages++
		}
	}
}

// end compares the accounts with what was met.
func (l *ledger) end(ctx context.Context) error {
	after, err := l.accounts(ctx)
	if err != nil || l.unsure {
		return err
	}
	for k := range after { // also those without any row
		if k.outcome == catalog.Duplicate || slices.Contains(arrived(), k.outcome) {
			l.of(ctx, k.source, day(k.day))
		}
	}
	keys := make([]accountKey, 0, len(l.days))
	for k := range l.days {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b accountKey) int { return cmp.Or(cmp.Compare(a.day, b.day), a.source.Compare(b.source)) })
	for _, k := range keys {
		l.compare(k, l.days[k], after)
	}
	return nil
}

// day is the inverse of Format(DateOnly); the catalog stores no other days.
func day(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s)
	return t
}

func (l *ledger) compare(k accountKey, t *tally, after map[accountKey]int64) {
	object := fmt.Sprintf("account of %s, source %s", k.day, k.source)
	duplicate := k
	duplicate.outcome = catalog.Duplicate
	var before, since int64
	for _, o := range arrived() {
		of := k
		of.outcome = o
		before, since = before+l.before[of], since+after[of]
	}
	if t.messages < before || t.messages-t.seconds > since {
		l.f.damage(object, "says that %d messages were stored, and there are %d; muniment rebuild counts what is missing in the account", since, t.messages)
		return
	}
	arrivals := t.captures - t.seconds
	if arrivals < before+l.before[duplicate] || arrivals > since+after[duplicate] {
		l.f.damage(object, "says that messages arrived %d times, and %d arrivals are recorded; muniment rebuild counts what is missing in the account",
			since+after[duplicate], arrivals)
	}
}

// arrived lists the accounts of messages that were new: a release moves one from
// one of them to another.
func arrived() []catalog.Outcome {
	return []catalog.Outcome{catalog.Stored, catalog.Quarantined, catalog.ReleasedLater}
}

// several reports whether the report in which a message came held more than one.
func (r *captureRecord) several() bool {
	n := 0
	for _, p := range r.Report {
		if p.Message != "" {
			n++
		}
	}
	return n > 1
}

// messages are the SHA-256 of the messages in the report.
func (r *captureRecord) messages() ([][32]byte, error) {
	var out [][32]byte
	for _, p := range r.Report {
		if p.Message == "" {
			continue
		}
		b, err := hex.DecodeString(p.Message)
		if err != nil || len(b) != 32 {
			return nil, fmt.Errorf("journal report: %.70q is no SHA-256", p.Message)
		}
		out = append(out, [32]byte(b))
	}
	return out, nil
}

// second reports whether the message with this SHA-256 was not the first in its
// report.
func (r *captureRecord) second(sum [32]byte) bool {
	for _, p := range r.Report {
		if p.Message != "" {
			return p.Message != hex.EncodeToString(sum[:])
		}
	}
	return false
}
