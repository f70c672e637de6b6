package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/testkit/imapd"
)

// outcome is how a whole session went.
type outcome struct {
	step string // at which it ended; "" if at none
	err  error
	bad  map[UID]error // messages that could not be read
	got  int           // messages that were
	left []UID
}

// whole does everything with a server: it lists, reads and empties INBOX, but
// for the messages it could not read. What it reads must be true.
func whole(t *testing.T, s *imapd.Server, cfg Config, want map[UID][]byte) (o outcome) {
	t.Helper()
	ctx := t.Context()
	c, err := Dial(ctx, cfg)
	if err != nil {
		return outcome{step: "dial", err: err}
	}
	defer c.Close()
	if err := c.Login(ctx, s.User, s.Password); err != nil {
		return outcome{step: "login", err: err}
	}
	if _, err := c.Folders(ctx); err != nil {
		return outcome{step: "folders", err: err}
	}
	if _, err := c.Select(ctx, "INBOX", false, 0); err != nil {
		return outcome{step: "select", err: err}
	}
	all, err := listAll(ctx, c, 7)
	if err != nil {
		return outcome{step: "list", err: err}
	}
	if !slices.IsSortedFunc(all, func(a, b Entry) int { return int(a.UID) - int(b.UID) }) {
		t.Error("the list is not in order")
	}
	got, bad, err := fetchAll(ctx, c, uidsOf(all))
	o.bad, o.got = bad, len(got)
	var mine []UID
	for uid, b := range got {
		if !bytes.Equal(b, want[uid]) {
			t.Errorf("message %d came as %d bytes, not as %d", uid, len(b), len(want[uid]))
		}
		mine = append(mine, uid)
	}
	if err == nil && len(got)+len(bad) != len(all) {
		t.Errorf("%d read and %d bad of %d", len(got), len(bad), len(all))
	}
	if err != nil {
		o.step, o.err = "fetch", err
		return o
	}
	if o.left, err = c.Delete(ctx, mine); err != nil {
		o.step, o.err = "delete", err
	}
	return o
}

// TestMisbehaviour lets a session run into everything that can be wrong. It
// must end soon, with the truth or a classified error, and never lose a message
// it has not read.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	const n = 20
	type want struct {
		step string
		kind error
		bad  error // of all messages, or of every second
		got  int   // -1: any number
	}
	fine := want{got: n}
	cases := map[imapd.Misbehaviour]want{
		imapd.SilentGreeting:    {step: "dial", kind: ErrTemporary},
		imapd.NotIMAP:           {step: "dial", kind: ErrProtocol},
		imapd.GarbageGreeting:   {step: "dial", kind: ErrProtocol},
		imapd.ByeGreeting:       {step: "dial", kind: ErrTemporary},
		imapd.PreAuth:           {step: "dial", kind: ErrTLS},
		imapd.StartTLSRefused:   {step: "dial", kind: ErrTLS},
		imapd.StartTLSInjection: {step: "dial", kind: ErrTLS},
		imapd.StartTLSSilent:    {step: "dial", kind: ErrTemporary},
		imapd.LoginDisabled:     {step: "login", kind: ErrAuth},
		imapd.LoginUnavailable:  {step: "login", kind: ErrTemporary},
		imapd.LoginThrottled:    {step: "login", kind: ErrTemporary},

		imapd.Unavailable:      {step: "folders", kind: ErrTemporary},
		imapd.Throttled:        {step: "folders", kind: ErrTemporary},
		imapd.Silent:           {step: "folders", kind: ErrTemporary},
		imapd.Garbage:          {step: "folders", kind: ErrProtocol},
		imapd.WrongTag:         {step: "folders", kind: ErrProtocol},
		imapd.UnknownResponses: fine,
		imapd.OddSpacing:       fine,
		imapd.HugeLine:         {step: "folders", kind: ErrProtocol},
		imapd.EndlessLine:      {step: "folders", kind: ErrProtocol},
		imapd.HugeName:         {step: "folders", kind: ErrProtocol},
		imapd.BrokenFolder:     fine,
		imapd.NewUIDValidity:   fine, // within one session
		imapd.NoUIDValidity:    {step: "select", kind: ErrProtocol},
		imapd.UIDValidityMoves: {step: "delete", kind: ErrUIDValidity, got: n},
		imapd.NoUIDNext:        fine,
		imapd.UIDNextTooLow:    fine,
		imapd.ExistsTooMany:    fine, // for those who compare counts
		imapd.ExistsTooFew:     fine,
		imapd.SearchIncomplete: fine,
		imapd.ListIncomplete:   {got: n - 3}, // in each of the ranges that are asked for
		imapd.Drip:             {step: "folders", kind: ErrTemporary},
		imapd.BareLF:           fine,
		imapd.SearchOdd:        fine,
		imapd.ListTwice:        fine,

		imapd.SizeTooSmall:       fine,
		imapd.SizeTooLarge:       fine,
		imapd.BadDates:           fine,
		imapd.BadFlags:           fine,
		imapd.LiteralLonger:      {step: "fetch", kind: ErrProtocol},
		imapd.LiteralShorter:     {step: "fetch", kind: ErrProtocol},
		imapd.LiteralAbsurd:      {step: "fetch", kind: ErrTooLarge, bad: ErrTooLarge},
		imapd.CutInLiteral:       {step: "fetch", kind: ErrTemporary},
		imapd.CutAfterLiteral:    {step: "fetch", kind: ErrTemporary},
		imapd.ByeInFetch:         {step: "fetch", kind: ErrTemporary, got: -1},
		imapd.Unordered:          fine,
		imapd.Twice:              fine,
		imapd.UIDAfterBody:       fine,
		imapd.UIDMissing:         {step: "fetch", kind: ErrProtocol},
		imapd.WrongMessage:       {step: "fetch", kind: ErrProtocol},
		imapd.FlagsFirst:         fine,
		imapd.ForeignFetch:       fine,
		imapd.ExpungeDuringFetch: {bad: ErrGone, got: n / 2},
		imapd.FetchNothing:       {},
		imapd.BodyWithheld:       {bad: ErrGone}, // for those who look whether it is
		imapd.FetchRefused:       {step: "fetch", kind: ErrRefused},
		imapd.NilBody:            {bad: ErrNoBody},
		imapd.EmptyBody:          {bad: ErrNoBody},
		imapd.QuotedBody:         {step: "fetch", kind: ErrProtocol, got: -1},
		imapd.Literal8:           {step: "fetch", kind: ErrProtocol},
		imapd.LiteralPlus:        {step: "fetch", kind: ErrProtocol},
		imapd.OldBodyName:        {step: "fetch", kind: ErrProtocol},
		imapd.PartialBody:        {bad: ErrNoBody},
		imapd.ThrottledInFetch:   {step: "fetch", kind: ErrTemporary, got: -1},
		imapd.ShrinksInFetch:     fine,

		imapd.StoreLies:    {step: "delete", kind: ErrNotDeleted, got: n},
		imapd.StoreRefused: {step: "delete", kind: ErrRefused, got: n},
		imapd.ExpungeFails: {step: "delete", kind: ErrRefused, got: n},
		imapd.ExpungeLies:  {step: "delete", kind: ErrNotDeleted, got: n},
	}
	for _, m := range imapd.All() {
		w, ok := cases[m]
		if !ok {
			t.Errorf("no case for %q", m)
		}
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{m}})
			messages := fill(s, n)
			cfg := config(s, TLSStart)
			cfg.Timeouts = brief()
			started := time.Now()
			o := whole(t, s, cfg, messages)
			t.Logf("%v, at %q: %v", time.Since(started).Round(time.Millisecond), o.step, o.err)
			if o.step != w.step || w.got >= 0 && o.got != w.got {
				t.Errorf("ended at %q with %d messages read, want %q and %d", o.step, o.got, w.step, w.got)
			}
			if w.kind != nil && !errors.Is(o.err, w.kind) {
				t.Errorf("error is %v, want %v", o.err, w.kind)
			}
			for uid, err := range o.bad {
				if w.bad == nil || !errors.Is(err, w.bad) {
					t.Errorf("message %d: %v, want %v", uid, err, w.bad)
				}
			}
			if took := time.Since(started); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if o.step != "" && o.step != "delete" && len(s.Deleted("INBOX")) > 0 {
				t.Errorf("deleted %v", s.Deleted("INBOX"))
			}
			recovers(t, s, messages)
		})
	}
}

// recovers makes the server behave and requires that all is well then.
func recovers(t *testing.T, s *imapd.Server, messages map[UID][]byte) {
	t.Helper()
	s.Behave()
	if o := whole(t, s, config(s, TLSStart), messages); o.err != nil || len(o.bad) > 0 {
		t.Errorf("then, with a good server: at %q %v, bad %v", o.step, o.err, o.bad)
	}
	if left := s.UIDs("INBOX"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestCutEverywhere cuts the connection at every byte, one after the other.
func TestCutEverywhere(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{})
	want := map[UID][]byte{}
	for i := range 4 {
		m := fmt.Appendf(nil, "Subject: %d\r\n\r\n)\r\n* BYE\r\n%d", i, i)
		want[UID(s.Add("INBOX", m))] = m
	}
	cfg := config(s, TLSNone)
	ended := 0
	for at := int64(0); ; at++ {
		s.Cut(at)
		o := readOnly(t, cfg, s, want)
		if o.err == nil && o.got == len(want) {
			break
		}
		if ended++; ended > 5000 {
			t.Fatal("no end")
		}
		if !errors.Is(o.err, ErrTemporary) {
			t.Fatalf("cut after %d bytes: at %q with %d messages read: %v", at, o.step, o.got, o.err)
		}
	}
	if ended < 500 {
		t.Errorf("only %d cuts", ended)
	}
	t.Logf("%d cuts", ended)
}

// readOnly is whole without changing anything.
func readOnly(t *testing.T, cfg Config, s *imapd.Server, want map[UID][]byte) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := Dial(ctx, cfg)
	if err != nil {
		return outcome{step: "dial", err: err}
	}
	defer c.Close()
	if err := c.Login(ctx, s.User, s.Password); err != nil {
		return outcome{step: "login", err: err}
	}
	if _, err := c.Select(ctx, "INBOX", true, 0); err != nil {
		return outcome{step: "select", err: err}
	}
	got, _, err := fetchAll(ctx, c, []UID{1, 2, 3, 4})
	for uid, b := range got {
		if !bytes.Equal(b, want[uid]) {
			t.Fatalf("message %d came as %q", uid, b)
		}
	}
	if err != nil {
		return outcome{step: "fetch", err: err, got: len(got)}
	}
	return outcome{got: len(got)}
}

// TestQuotedBody is for the short messages that may come in quotes.
func TestQuotedBody(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{imapd.QuotedBody}})
	want := `A: "quoted\" {5}) ( NIL`
	uid := s.Add("INBOX", []byte(want))
	c := selected(t, s, config(s, TLSNone))
	var b bytes.Buffer
	if _, err := c.Fetch(t.Context(), UID(uid), &b, limit); err != nil || b.String() != want {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// TestMoreBytesThanDeclaredDoNotMakeAMessage is about messages that would pass
// if only their bytes were counted.
func TestMoreBytesThanDeclaredDoNotMakeAMessage(t *testing.T) {
	t.Parallel()
	for _, m := range []imapd.Misbehaviour{imapd.LiteralLonger, imapd.LiteralShorter, imapd.CutAfterLiteral, imapd.CutInLiteral} {
		s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{m}})
		s.Add("INBOX", []byte("Subject: x\r\n\r\nabc)\r\n)\r\n"))
		cfg := config(s, TLSNone)
		cfg.Timeouts = brief()
		c := selected(t, s, cfg)
		if _, err := c.Fetch(t.Context(), 1, io.Discard, limit); err == nil {
			t.Errorf("%s: no error", m)
		} else if c.Usable() {
			t.Errorf("%s: usable after %v", m, err)
		}
	}
}
