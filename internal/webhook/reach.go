package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/remote"
)

// maxURL bounds an address, in bytes.
const maxURL = 2000

// errPlain is a connection without TLS to where it is not allowed.
var errPlain = errors.New("without TLS it may be sent to the networks only that webhook.networks names")

// Why nothing may be sent to an address.
var (
	errNowhere = errors.New("no receiver can be there: it is an address of this machine's surroundings, or of nobody")
	errPrivate = errors.New("is in a private network or on this machine; the operator can allow networks by webhook.networks")
)

// CheckURL reports what is wrong with an address, as far as its text tells. Where its
// name leads to is judged when a connection is made. networks are those that may be
// reached although they are private.
func CheckURL(raw string, networks []netip.Prefix) error {
	if len(raw) > maxURL || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("want an address of at most %d characters, without spaces", maxURL)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return errors.New("want an address such as https://shop.example.com/hooks")
	case u.Scheme == "http" && len(networks) == 0:
		return errors.New("want https: what is sent without TLS can be read and changed on its way")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("want an address that begins with https://")
	case u.User != nil:
		return errors.New("must not hold user name and password; what is sent is signed")
	case u.Fragment != "":
		return errors.New("must not hold a #")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		return checkAddr(a, u.Scheme == "https", networks)
	}
	return inWords(remote.CheckHost(u.Hostname(), len(networks) == 0))
}

// inWords tells it for receivers of webhooks.
func inWords(err error) error {
	switch {
	case errors.Is(err, remote.ErrPrivate):
		return errPrivate
	case err != nil:
		return errNowhere
	}
	return nil
}

// checkAddr reports whether a connection may be made to an address.
func checkAddr(a netip.Addr, encrypted bool, networks []netip.Prefix) error {
	if err := remote.CheckAddr(a, false); err != nil { // never, whatever is configured
		return inWords(err)
	}
	a = a.WithZone("").Unmap()
	if slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) }) {
		return nil
	}
	if err := remote.CheckAddr(a, true); err != nil {
		return inWords(err)
	}
	if !encrypted {
		return errPlain
	}
	return nil
}
