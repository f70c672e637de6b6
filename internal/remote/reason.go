package remote

import (
	"errors"
	"net"
	"strings"
)

// Reason is the text of an error without what it tells of the network of this machine:
// the resolver that was asked, and its own end of a connection. Those who may look at
// it are not those who run the machine; its log has all.
func Reason(err error) string {
	text := err.Error()
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		why := "the name cannot be looked up"
		switch {
		case lookup.IsNotFound:
			why = "no such host"
		case lookup.IsTimeout:
			why = "the look-up took too long"
		}
		text = strings.ReplaceAll(text, lookup.Error(), "lookup "+lookup.Name+": "+why)
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Source != nil {
		text = strings.ReplaceAll(text, op.Source.String()+"->", "")
	}
	return text
}
