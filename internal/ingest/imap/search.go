package imap

import (
	"context"
	"fmt"
	"slices"

	goimap "github.com/emersion/go-imap/v2"
)

// maxPresent bounds the UIDs of one answer; a response of 1 MiB holds fewer.
const maxPresent = 500_000

// Present returns the UIDs from low to high, both included, that UID SEARCH finds in
// the selected folder, in ascending order. Ask for a range that holds at most some
// ten thousand messages: the answer is one line.
func (c *Conn) Present(ctx context.Context, low, high UID) ([]UID, error) {
	op := fmt.Sprintf("search messages %d to %d", low, high)
	var found goimap.UIDSet
	err := c.do(ctx, op, ErrRefused, func() error {
		set := goimap.UIDSet{{Start: goimap.UID(low), Stop: goimap.UID(high)}}
		data, err := c.client.UIDSearch(&goimap.SearchCriteria{UID: []goimap.UIDSet{set}}, nil).Wait()
		if err == nil {
			found, _ = data.All.(goimap.UIDSet)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []UID
	for _, r := range found {
		if r.Start == 0 || r.Stop == 0 {
			return nil, c.end(protocolError(op, "the server answers with a range without end"))
		}
		// A server may say more than it was asked.
		for u := uint64(max(UID(r.Start), low)); u <= uint64(min(UID(r.Stop), high)); u++ {
			if len(out) == maxPresent {
				return nil, c.end(protocolError(op, "the server finds more than %d messages", maxPresent))
			}
			out = append(out, UID(u))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
