package archive

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/muniment/muniment/internal/factor"
)

// LogInTimes are how long log-ins and what leads to them live. Zero is the default.
type LogInTimes struct {
	SessionIdle time.Duration // without a request; 12 hours
	SessionMax  time.Duration // at the latest; 7 days
	Welcome     time.Duration // a link for a new user; 7 days
	Reset       time.Duration // a link for a forgotten password; 1 hour
}

func (t LogInTimes) orDefault() LogInTimes {
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&t.SessionIdle, 12 * time.Hour}, {&t.SessionMax, 7 * 24 * time.Hour}, {&t.Welcome, 7 * 24 * time.Hour}, {&t.Reset, time.Hour}} {
		if *d.value <= 0 {
			*d.value = d.usual
		}
	}
	return t
}

// place is where people reach the web interface.
type place struct {
	url   string // without a slash at the end; empty: not known
	party *factor.Party
}

// siteName is what authenticator applications and passkeys show.
const siteName = "Muniment"

type places = atomic.Pointer[place]

// SetURL says where people reach the web interface, such as https://archive.example.
// Links in mails lead there and passkeys belong to its host name: no request may
// say otherwise.
func (a *Archive) SetURL(url string) {
	s := &place{url: strings.TrimRight(url, "/")}
	if p, err := factor.NewParty(siteName, s.url); err == nil {
		s.party = p
	}
	a.place.Store(s)
}

// URL is where people reach the web interface; empty if nobody has said.
func (a *Archive) URL() string { return a.place.Load().url }

// PasskeyHost is the host name that passkeys belong to; empty: none can be used,
// for want of a host name or of TLS.
func (a *Archive) PasskeyHost() string {
	if p := a.place.Load().party; p != nil {
		return p.ID
	}
	return ""
}

func (a *Archive) party() (*factor.Party, error) {
	if p := a.place.Load().party; p != nil {
		return p, nil
	}
	return nil, factor.ErrNoPasskeys
}
