package ldap

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/directory"
)

var (
	errNobody = errors.New("no entry fits the filter")
	errNoBase = errors.New("the server shows nothing there")
)

func count(n int) string { return strconv.Itoa(n) }

// Verify has the directory check the password of the person with an id. It finds
// where the entry is now, and binds as it on a connection of its own.
// directory.ErrPassword if the entry is gone or disabled or the password is wrong or
// empty; other errors say that the directory cannot be asked.
func (c *Client) Verify(ctx context.Context, set directory.LDAP, secret []byte, id, password string) error {
	if password == "" { // a server would say yes to it (RFC 4513 §5.1.2)
		return fmt.Errorf("%w: it is empty", directory.ErrPassword)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timings.verify)
	defer cancel()
	dn, err := c.find(ctx, set, secret, id)
	if err != nil {
		return err
	}
	s, err := c.connect(ctx, set, nil)
	if err != nil {
		return err
	}
	defer s.close()
	return s.bind(dn, password)
}

// find returns where the entry with an id is now.
func (c *Client) find(ctx context.Context, set directory.LDAP, secret []byte, id string) (string, error) {
	filter, err := byID(set, id)
	if err != nil {
		return "", fmt.Errorf("%w: %w", directory.ErrPassword, err)
	}
	s, err := c.open(ctx, set, secret, nil)
	if err != nil {
		return "", err
	}
	defer s.close()
	var found []*ldap.Entry
	err = s.search(query{base: set.BaseDN, filter: filter, want: personAttributes(set), most: 2}, func(e *ldap.Entry) error {
		found = append(found, e)
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case len(found) != 1:
		return "", fmt.Errorf("%w: %d entries have this id", directory.ErrPassword, len(found))
	case disabled(found[0]):
		return "", fmt.Errorf("%w: the entry is disabled", directory.ErrPassword)
	}
	return found[0].DN, nil
}
