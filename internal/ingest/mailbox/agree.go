package mailbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
)

const (
	// surveys is how often a folder is counted before its server is believed to
	// contradict itself: somebody may be at work in it.
	surveys = 3
	// searchSize is about how many messages are searched for at once.
	searchSize = 10_000
)

// survey is what a server says of a folder at one moment, in two ways.
type survey struct {
	exists  int        // EXISTS, when the folder was opened for this
	next    imap.UID   // UIDNEXT, likewise; zero: not told
	present []imap.UID // found by SEARCH, below next
	later   int        // found by SEARCH, not below next: came since
}

// agrees reports whether the server says the same in both ways.
func (s *survey) agrees() bool { return s.exists == len(s.present) }

// survey opens the folder once more and counts it.
func (h *history) survey(ctx context.Context, c *imap.Conn, p *past) (*survey, error) {
	var s *survey
	for range surveys {
		m, err := c.Select(ctx, p.num.Name, h.asked.DryRun || h.before.IsZero(), p.validity)
		if err != nil {
			return nil, err
		}
		s = &survey{exists: m.Messages, next: m.UIDNext}
		if p.bound > s.next { // UIDNEXT never falls (RFC 9051 §2.3.1.1): what was listed is there
			s.next = p.bound
		}
		if err := s.search(ctx, c, p); err != nil {
			return nil, err
		}
		if s.agrees() || s.later > 0 && s.exists == len(s.present)+s.later {
			return s, nil
		}
	}
	return s, nil
}

// search finds all messages, in portions.
func (s *survey) search(ctx context.Context, c *imap.Conn, p *past) error {
	marks := make([]imap.UID, 0, len(p.met))
	for u := range p.met {
		marks = append(marks, u)
	}
	slices.Sort(marks)
	low := imap.UID(1)
	for i := searchSize; ; i += searchSize {
		high := ^imap.UID(0)
		if i < len(marks) {
			high = marks[i] - 1
		}
		if high >= low {
			found, err := c.Present(ctx, low, high)
			if err != nil {
				return err
			}
			for _, u := range found {
				if u < s.next {
					s.present = append(s.present, u)
				} else {
					s.later++
				}
			}
		}
		if i >= len(marks) {
			return nil
		}
		low = marks[i]
	}
}

// judge compares what the server says with what is accounted for. What it finds
// wrong goes into the report; true means that all agrees.
func (h *history) judge(p *past, s *survey) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	var stray []string // there, and in no account
	var arrived int64
	for _, u := range s.present {
		m := p.met[u]
		switch {
		case m != nil && (h.asked.DryRun || m.how != unsettled):
		case u >= p.bound:
			arrived++
		default:
			stray = append(stray, itemOf(u))
		}
	}
	n := p.num
	n.Arrived = arrived + int64(s.later)
	n.Gone = p.gone(s.present)
	text := ""
	switch {
	case !s.agrees() && s.exists != len(s.present)+s.later:
		text = fmt.Sprintf("the server counts %d messages and SEARCH finds %d", s.exists, len(s.present)+s.later)
	case len(stray) > 0:
		text = fmt.Sprintf("the server holds messages that it did not list or that are in no account: %d, the first with the UIDs %s", len(stray), strings.Join(stray[:min(len(stray), 10)], ", "))
	case !h.asked.DryRun && n.Offered != n.Stored+n.Duplicate:
		text = fmt.Sprintf("%d messages were offered to the archive, and it accounts for %d stored and %d duplicates", n.Offered, n.Stored, n.Duplicate)
	default:
		return true
	}
	text += fmt.Sprintf(" (on the server at first %d, listed %d, known %d, offered %d, stored %d, duplicate %d, left %d, removed %d, gone %d, arrived %d; now EXISTS %d, SEARCH %d)",
		n.OnServer, n.Listed, n.Known, n.Offered, n.Stored, n.Duplicate, n.Left, n.Removed, n.Gone, n.Arrived, s.exists, len(s.present)+s.later)
	h.report.Disagreements = append(h.report.Disagreements, remote.Disagreement{Folder: n.Name, Text: text})
	return false
}

// gone counts the messages that were met and are no longer there, but for those the
// server was asked to remove.
func (p *past) gone(present []imap.UID) (n int64) {
	there := make(map[imap.UID]bool, len(present))
	for _, u := range present {
		there[u] = true
	}
	for u := range p.met {
		if !there[u] && !p.asked[u] {
			n++
		}
	}
	return n
}
