package imap

import (
	"context"
	"fmt"

	goimap "github.com/emersion/go-imap/v2"
)

const opDelete = "delete messages"

// Delete removes these messages of the selected folder for good, and no others.
// It marks them \Deleted and expunges exactly them (UID EXPUNGE, RFC 4315), then
// looks whether they are gone: left are those that are not, whatever the server
// said. Messages that were gone before do not count as left.
//
// A server without UIDPLUS can only expunge everything that anybody has marked.
// There the messages are marked and left, and the error matches ErrNotDeleted,
// unless Config.SoleUser is set and nothing else is marked. If the error matches
// neither that nor nil, it is not known which are left.
func (c *Conn) Delete(ctx context.Context, uids []UID) (left []UID, err error) {
	sets := chunks(uids)
	for i, uids := range sets {
		some, err := c.deleteSet(ctx, uids)
		left = append(left, some...)
		if err != nil {
			for _, rest := range sets[i+1:] {
				left = append(left, rest...)
			}
			return left, err
		}
	}
	return left, nil
}

func (c *Conn) deleteSet(ctx context.Context, uids []UID) (left []UID, err error) {
	set := setOf(uids)
	single := c.Capability("UIDPLUS") || c.Capability("IMAP4rev2")
	why := ""
	if !single {
		if why, err = c.whyNotExpunge(ctx, set); err != nil {
			return uids, err
		}
	}
	if err := c.mark(ctx, set); err != nil {
		return uids, err
	}
	if !single && why == "" {
		// Somebody may have marked something meanwhile.
		if why, err = c.whyNotExpunge(ctx, set); err != nil {
			return uids, err
		}
	}
	if why == "" {
		if err := c.expunge(ctx, set, single); err != nil {
			return uids, err
		}
	}
	if left, err = c.present(ctx, set); err != nil {
		return uids, err
	}
	switch {
	case len(left) == 0:
		return nil, nil
	case why == "":
		why = "the server said that they are deleted"
	}
	return left, &Error{Op: opDelete, Kind: ErrNotDeleted, Text: fmt.Sprintf("%d of %d; %s", len(left), len(uids), why)}
}

// whyNotExpunge returns why the plain EXPUNGE would not be safe, or nothing.
func (c *Conn) whyNotExpunge(ctx context.Context, set goimap.UIDSet) (string, error) {
	if !c.cfg.SoleUser {
		return "they are only marked, as the server cannot expunge single messages (no UIDPLUS)", nil
	}
	var data *goimap.SearchData
	err := c.do(ctx, opDelete, ErrRefused, func() (err error) {
		data, err = c.client.UIDSearch(&goimap.SearchCriteria{
			Flag: []goimap.Flag{goimap.FlagDeleted},
			Not:  []goimap.SearchCriteria{{UID: []goimap.UIDSet{set}}},
		}, nil).Wait()
		return err
	})
	if err != nil {
		return "", err
	}
	if others, ok := data.All.(goimap.UIDSet); !ok || len(others) > 0 {
		return "they are only marked, as the server cannot expunge single messages (no UIDPLUS) and somebody has marked others", nil
	}
	return "", nil
}

func (c *Conn) mark(ctx context.Context, set goimap.UIDSet) error {
	return c.do(ctx, opDelete, ErrRefused, func() error {
		return c.client.Store(set, &goimap.StoreFlags{
			Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagDeleted},
		}, nil).Close()
	})
}

func (c *Conn) expunge(ctx context.Context, set goimap.UIDSet, single bool) error {
	return c.do(ctx, opDelete, ErrRefused, func() error {
		if single {
			return c.client.UIDExpunge(set).Close()
		}
		return c.client.Expunge().Close()
	})
}

// present returns those of the set that are in the folder.
func (c *Conn) present(ctx context.Context, set goimap.UIDSet) (uids []UID, err error) {
	seen := map[UID]bool{}
	err = c.do(ctx, opDelete, ErrRefused, func() error {
		cmd := c.client.Fetch(set, &goimap.FetchOptions{UID: true})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			if e := entry(msg); e.UID != 0 && !seen[e.UID] {
				seen[e.UID] = true
				uids = append(uids, e.UID)
			}
		}
		return cmd.Close()
	})
	return uids, err
}
