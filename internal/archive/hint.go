package archive

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
)

// Bounds of hints.
const (
	maxHintHeader = 256 << 10 // bytes of a header that are looked at
	maxHints      = 1000      // addresses that are believed
	maxHintPeers  = 64        // networks of a source
)

// hintFields are the header fields in which mail servers keep envelope addresses
// (CAP-2, CAP-3).
func hintFields() map[string]string {
	return map[string]string{
		"x-envelope-from": roleEnvelopeFrom,
		"x-envelope-to":   roleEnvelopeTo, "x-original-to": roleEnvelopeTo, "delivered-to": roleEnvelopeTo, "x-rcpt-to": roleEnvelopeTo,
	}
}

// hints reads the envelope addresses that a header tells of, if the source trusts
// the host from which the message came. Anybody else may have written anything.
func hints(ctx context.Context, s *sourceInfo, sub *Submission) *catalog.Hints {
	if len(s.peers) == 0 || sub.wrapped != nil && sub.wrapped.journal.Problem == "" {
		return nil
	}
	peer, ok := peerAddress(sub.Peer)
	if !ok || !slices.ContainsFunc(s.peers, func(n netip.Prefix) bool { return n.Contains(peer) }) {
		return nil
	}
	return headerHints(ctx, sub.Raw)
}

func peerAddress(s string) (netip.Addr, bool) {
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

// headerHints reads the header alone: the body is parsed later, and only if the
// message is new. A header that cannot be read gives no hints.
func headerHints(ctx context.Context, raw Raw) *catalog.Hints {
	b := make([]byte, min(raw.Size(), maxHintHeader))
	n, _ := io.ReadFull(io.NewSectionReader(raw, 0, int64(len(b))), b)
	b = b[:n]
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(b, []byte(end)); i >= 0 {
			b = b[:i+len(end)]
		}
	}
	fields, out := hintFields(), &catalog.Hints{}
	for _, h := range message.Parse(ctx, bytes.NewReader(b)).Headers() {
		to := &out.To
		switch fields[strings.ToLower(h.Name)] {
		case roleEnvelopeFrom:
			to = &out.From
		case "":
			continue
		}
		for _, s := range strings.Split(h.Value, ",") {
			a := message.NormalizeAddress(s)
			if strings.Contains(a, "@") && !strings.ContainsAny(a, " \t\r\n") && !slices.Contains(*to, a) && len(*to) < maxHints {
				*to = append(*to, a)
			}
		}
	}
	if len(out.From)+len(out.To) == 0 {
		return nil
	}
	return out
}

// hintParties lists whom hints name.
func hintParties(h *catalog.Hints) []catalog.Party {
	if h == nil {
		return nil
	}
	var out []catalog.Party
	for _, a := range h.From {
		out = append(out, catalog.Party{Role: roleEnvelopeFrom, Address: a})
	}
	for _, a := range h.To {
		out = append(out, catalog.Party{Role: roleEnvelopeTo, Address: a})
	}
	return out
}

// visibleHints leaves out of hints whom a reader may not know of.
func visibleHints(h *catalog.Hints, may map[string]bool) *catalog.Hints {
	if h == nil {
		return nil
	}
	out := &catalog.Hints{From: h.From}
	for _, a := range h.To {
		if may[a] {
			out.To = append(out.To, a)
		}
	}
	return out
}

// hidesHints reports whether the header of a message has hints that name somebody
// of whom the actor may not know: then the fields are left out of what he reads.
func (h *Handle) hidesHints(ctx context.Context, row *catalog.Message) (bool, error) {
	open, hidden := h.visible(row.Parties)
	if !hidden {
		return false, nil
	}
	list, err := h.a.catalog.Captures(ctx, row.Tenant, row.AOID)
	if err != nil {
		return false, err
	}
	may := map[string]bool{}
	for _, p := range open {
		may[p.Address] = true
	}
	return slices.ContainsFunc(list, func(c *catalog.Capture) bool {
		return c.Hints != nil && slices.ContainsFunc(c.Hints.To, func(a string) bool { return !may[a] })
	}), nil
}

// HintPeers parses networks of trusted mail servers: addresses or CIDR prefixes.
func HintPeers(list []string) ([]netip.Prefix, error) {
	if len(list) > maxHintPeers {
		return nil, invalid("hint peers: %d networks, at most %d", len(list), maxHintPeers)
	}
	var out []netip.Prefix
	for _, s := range list {
		s = strings.TrimSpace(s)
		if a, err := netip.ParseAddr(s); err == nil {
			a = a.Unmap().WithZone("")
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, invalid("network %q: want an address such as 192.0.2.7 or a network such as 192.0.2.0/24", s)
		}
		if p.Bits() == 0 {
			return nil, invalid("network %q: would trust everybody", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// fromHeaders reports whether an arrival tells nothing of its recipients, so that
// only the header does and blind copies cannot be known (CAP-1): a message to a
// journal address without a report and without hints.
func fromHeaders(c *catalog.Capture, kind string) bool {
	return kind == KindJournal && len(c.EnvelopeTo) == 0 && (c.Journal == nil || c.Journal.Problem != "") && (c.Hints == nil || len(c.Hints.To) == 0)
}
