package oauthd

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Misbehaviour is one thing that can be wrong.
type Misbehaviour string

// Of the log-in server, for good: no token comes.
const (
	WrongSecret      Misbehaviour = "AADSTS7000215"
	ExpiredSecret    Misbehaviour = "AADSTS7000222"
	NoConsent        Misbehaviour = "AADSTS65001"
	UnknownDirectory Misbehaviour = "AADSTS90002"
	UnknownClient    Misbehaviour = "AADSTS700016"
	NoExchange       Misbehaviour = "AADSTS500011"
	NotAssigned      Misbehaviour = "AADSTS50105"
	InvalidScope     Misbehaviour = "AADSTS70011"
	Redirects        Misbehaviour = "redirect to another host with the secret"
	NoToken          Misbehaviour = "200 without a token"
	HTMLForGood      Misbehaviour = "HTML instead of JSON, always"
	HugeAnswer       Misbehaviour = "an answer without end"
	SlowDrip         Misbehaviour = "an answer byte by byte"
	Silent           Misbehaviour = "no answer at all"
)

// Of the log-in server, for a while.
const (
	Throttles     Misbehaviour = "429 a few times"
	Unavailable   Misbehaviour = "503 a few times"
	HTMLOnce      Misbehaviour = "HTML instead of JSON, twice"
	CutOff        Misbehaviour = "half an answer, twice"
	ShortLived    Misbehaviour = "tokens that have expired already"
	RotatesAtOnce Misbehaviour = "refresh tokens that count once"
)

// Of device codes.
const (
	Declines    Misbehaviour = "AADSTS65004"
	CodeExpires Misbehaviour = "AADSTS70020"
	SlowsDown   Misbehaviour = "slow_down once"
	NoCode      Misbehaviour = "200 without a code"
	EvilURL     Misbehaviour = "a page that is no page"
	LongCode    Misbehaviour = "a code for ten years, asked for every year"
	NoRefresh   Misbehaviour = "a log-in that cannot be renewed"
)

// Of Graph.
const (
	Storm429       Misbehaviour = "graph: 429 in storms"
	Storm503       Misbehaviour = "graph: 503 and 504 in storms"
	TokenExpires   Misbehaviour = "graph: 401 in the middle"
	NextLoops      Misbehaviour = "graph: nextLink in circles"
	NextElsewhere  Misbehaviour = "graph: nextLink to another host"
	NextForever    Misbehaviour = "graph: nextLink without end"
	Repeats        Misbehaviour = "graph: messages on two pages"
	Vanishes       Misbehaviour = "graph: messages that are gone when they are fetched"
	TruncatesOnce  Misbehaviour = "graph: MIME cut off, twice"
	Truncates      Misbehaviour = "graph: MIME of one message always cut off"
	LongerThanSaid Misbehaviour = "graph: a Content-Length that is too small, once"
	HTMLForList    Misbehaviour = "graph: HTML instead of a list, twice"
	HTMLForMIME    Misbehaviour = "graph: HTML instead of MIME, twice"
	JSONForMIME    Misbehaviour = "graph: an error with status 200 instead of MIME, twice"
	HugeList       Misbehaviour = "graph: a list without end"
	HugeMIME       Misbehaviour = "graph: a message without end"
	DripsMIME      Misbehaviour = "graph: MIME of one message byte by byte"
	EmptyMIME      Misbehaviour = "graph: MIME of no bytes"
	NoMailbox      Misbehaviour = "graph: MailboxNotEnabledForRESTAPI"
	NoAccess       Misbehaviour = "graph: ErrorAccessDenied"
	GraphRedirects Misbehaviour = "graph: redirect to another host"
	FolderLoop     Misbehaviour = "graph: a folder that is its own child"
	FolderGone     Misbehaviour = "graph: a folder that is gone when it is read"
	NullMembers    Misbehaviour = "graph: null where something should be"
)

// times is how often a misbehaviour shows; negative: always.
func times(m Misbehaviour) int {
	switch m {
	case Throttles, Unavailable, HTMLOnce, CutOff, TruncatesOnce, HTMLForList, HTMLForMIME, JSONForMIME:
		return 2
	case TokenExpires, LongerThanSaid, Vanishes, SlowsDown:
		return 1
	case Storm429, Storm503:
		return 9
	}
	return -1
}

// Endless is how much an answer without end holds at most, in bytes.
const Endless = 400 << 20

// anything does what servers of all kinds do wrong. True: it has answered.
func (s *Server) anything(w http.ResponseWriter, r *http.Request, huge, redirect Misbehaviour) bool {
	switch {
	case s.is(redirect):
		http.Redirect(w, r, "http://localhost:1/elsewhere", http.StatusTemporaryRedirect)
	case s.is(huge):
		w.Header().Set("Content-Type", "application/json")
		chunk := []byte(`{"value":"` + strings.Repeat("x", 1<<16))
		for range Endless / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
	default:
		return false
	}
	return true
}

func html(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, "<!DOCTYPE html><html><title>Sign in to the guest network</title>")
}

// drip sends byte by byte until the client has enough.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000000")
	for range 100_000 {
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// half cuts an answer off.
func half(w http.ResponseWriter, b []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	_, _ = w.Write(b[:len(b)/2]) // the client may be gone
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}
