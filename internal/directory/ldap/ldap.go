// Package ldap reads users and groups from an LDAP directory (RFC 4511), and has it
// check passwords. It binds simply, over TLS unless the settings say otherwise, reads
// in pages (RFC 2696), and follows no referral. It stores nothing and decides
// nothing: what becomes of what it reads is the plan of package directory.
//
// The protocol is done by go-ldap; below it, wire.go lets only whole, well-formed
// messages of bounded size pass, so that a server that misbehaves can neither fill
// the memory nor keep us for ever.
//
//	wire.go     what may come over the connection    connect.go  dialling, TLS, binding
//	search.go   pages, limits, filters               people.go   entries of users
//	groups.go   nested groups                        read.go     everything at once
//	verify.go   checking a password                  test.go     trying settings
package ldap

import (
	"time"

	"github.com/muniment/muniment/internal/directory/dial"
)

// Bounds of what is read.
const (
	maxPeople  = 200_000
	maxGroups  = 20_000
	maxDepth   = 32  // groups within groups
	pageSize   = 500 // Active Directory gives at most 1000
	maxPages   = 2 * (maxPeople + maxGroups) / pageSize
	maxMembers = 100_000 // of one group
)

// timings are the patience with a server.
type timings struct {
	connect time.Duration
	request time.Duration // one answer, or one page of answers
	read    time.Duration // everything
	verify  time.Duration // of one password, from beginning to end
}

// Config says how to connect.
type Config struct {
	Dial dial.Func // nil: to anywhere
	// Patience, if not zero, bounds each step; for tests.
	Patience time.Duration
}

// Client talks to directories. It may be used concurrently and keeps no connection.
type Client struct {
	dial    dial.Func
	timings timings
}

// New returns a client.
func New(c Config) *Client {
	x := &Client{dial: c.Dial, timings: timings{connect: 10 * time.Second, request: 30 * time.Second, read: 10 * time.Minute, verify: 20 * time.Second}}
	if x.dial == nil {
		x.dial = dial.New(false)
	}
	if p := c.Patience; p > 0 {
		x.timings = timings{connect: p, request: p, read: 4 * p, verify: 2 * p}
	}
	return x
}
