package mailer

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/smtpd"
)

const from = "archiv@firma.example"

func quick() *Sender {
	s := New("archive.example")
	s.timings = timings{connect: 2 * time.Second, command: 500 * time.Millisecond, message: time.Second, bye: 100 * time.Millisecond}
	return s
}

func settings(t *testing.T, s *smtpd.Server, tls string) remote.Smarthost {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return remote.Smarthost{Host: host, Port: n, TLS: tls, CA: s.CA(), User: smtpd.User, From: from, Name: "Archiv"}
}

func letter(t *testing.T, set remote.Smarthost, to ...string) []byte {
	t.Helper()
	b, err := Compose(set, Letter{ID: "id1", Date: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), To: to, Subject: "Grüße", Text: ".dot\n..\nGrüße\n"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMisbehaviours meets every misbehaviour once, by STARTTLS and with a log-in,
// with two recipients: what comes of it, and how it is explained.
func TestMisbehaviours(t *testing.T) {
	t.Parallel()
	type want struct {
		code    string // empty: no problem
		step    string // that failed
		answers string // of the two recipients: L later, T taken, R refused
		mails   int    // that the server has
		reached bool
	}
	wants := map[smtpd.Misbehaviour]want{
		smtpd.NeverGreets:      {remote.CodeTimeout, "greeting", "LL", 0, false},
		smtpd.ClosesAtOnce:     {remote.CodeConnect, "greeting", "LL", 0, false},
		smtpd.GarbageGreeting:  {remote.CodeProtocol, "greeting", "LL", 0, false},
		smtpd.IMAPGreeting:     {remote.CodeProtocol, "greeting", "LL", 0, false},
		smtpd.HugeGreeting:     {remote.CodeProtocol, "greeting", "LL", 0, false},
		smtpd.EndlessGreeting:  {remote.CodeProtocol, "greeting", "LL", 0, false},
		smtpd.TurnsAway:        {remote.CodeUnavailable, "greeting", "LL", 0, false},
		smtpd.NoService:        {remote.CodeUnavailable, "greeting", "LL", 0, false},
		smtpd.Drips:            {remote.CodeTimeout, "greeting", "LL", 0, false},
		smtpd.RefusesEHLO:      {remote.CodeUnavailable, "greeting", "LL", 0, false},
		smtpd.OldServer:        {remote.CodeTLS, "tls", "LL", 0, false},
		smtpd.CutsEHLO:         {remote.CodeConnect, "greeting", "LL", 0, false},
		smtpd.OddLines:         {remote.CodeAuth, "login", "LL", 0, false}, // nothing usable is offered
		smtpd.NoSTARTTLS:       {remote.CodeTLS, "tls", "LL", 0, false},
		smtpd.STARTTLSRefused:  {remote.CodeTLS, "tls", "LL", 0, false},
		smtpd.STARTTLSCloses:   {remote.CodeTLS, "tls", "LL", 0, false},
		smtpd.STARTTLSGarbage:  {remote.CodeTLS, "tls", "LL", 0, false},
		smtpd.STARTTLSInject:   {"", "", "TT", 1, true}, // nobody listens to it
		smtpd.WrongHost:        {remote.CodeCertificate, "certificate", "LL", 0, false},
		smtpd.Expired:          {remote.CodeCertificate, "certificate", "LL", 0, false},
		smtpd.UnknownAuthority: {remote.CodeCertificate, "certificate", "LL", 0, false},
		smtpd.NoAuth:           {remote.CodeAuth, "login", "LL", 0, false},
		smtpd.AuthRefused:      {remote.CodeAuth, "login", "LL", 0, false},
		smtpd.AuthLater:        {remote.CodeUnavailable, "login", "LL", 0, false},
		smtpd.AuthCloses:       {remote.CodeConnect, "login", "LL", 0, false},
		smtpd.AsksForever:      {remote.CodeProtocol, "login", "LL", 0, false},
		smtpd.WantsAuth:        {remote.CodeAuth, "sender", "LL", 0, false},
		smtpd.SenderLater:      {remote.CodeUnavailable, "sender", "LL", 0, true},
		smtpd.SenderRefused:    {remote.CodeSender, "sender", "RR", 0, true},
		smtpd.SenderCloses:     {remote.CodeConnect, "sender", "LL", 0, false},
		smtpd.Greylists:        {remote.CodeUnavailable, "recipient", "LL", 0, true},
		smtpd.SomeRefused:      {remote.CodeRecipient, "recipient", "TR", 1, true},
		smtpd.RcptRefused:      {remote.CodeRecipient, "recipient", "RR", 0, true},
		smtpd.RcptLater:        {remote.CodeUnavailable, "recipient", "LL", 0, true},
		smtpd.RcptCloses:       {remote.CodeConnect, "recipient", "LL", 0, false},
		smtpd.Rcpt421:          {remote.CodeUnavailable, "recipient", "LL", 0, false},
		smtpd.TooMany:          {remote.CodeUnavailable, "recipient", "TL", 1, true},
		smtpd.DataLater:        {remote.CodeUnavailable, "message", "LL", 0, true},
		smtpd.DataRefused:      {remote.CodeContent, "message", "RR", 0, true},
		smtpd.DataCloses:       {remote.CodeConnect, "message", "LL", 0, false},
		smtpd.CutsData:         {remote.CodeConnect, "message", "LL", 0, false},
		smtpd.EndLater:         {remote.CodeUnavailable, "message", "LL", 0, true},
		smtpd.EndRefused:       {remote.CodeContent, "message", "RR", 0, true},
		smtpd.EndTooLarge:      {remote.CodeSize, "message", "RR", 0, true},
		smtpd.DropsAfterData:   {remote.CodeConnect, "message", "LL", 1, false}, // it may come twice
		smtpd.MuteAfterData:    {remote.CodeTimeout, "message", "LL", 1, false},
		smtpd.EndNonsense:      {remote.CodeProtocol, "message", "LL", 1, false},
		smtpd.SmallSIZE:        {remote.CodeSize, "sender", "RR", 0, true},
		smtpd.MuteAtQuit:       {"", "", "TT", 1, true},
	}
	for _, m := range smtpd.Misbehaviours() {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			w, known := wants[m]
			if !known {
				t.Fatal("nobody says what comes of it")
			}
			server := smtpd.New(t, smtpd.Options{Misbehave: []smtpd.Misbehaviour{m}})
			set := settings(t, server, remote.StartTLS)
			env := Envelope{From: from, To: []string{"anna@example.com", "x@example.com"}}
			start := time.Now()
			r := quick().Send(t.Context(), set, []byte(smtpd.Password), env, letter(t, set, env.To...))
			if took := time.Since(start); took > 15*time.Second {
				t.Errorf("took %v", took)
			}
			got := want{answers: "", mails: len(server.Mails()), reached: r.Reached}
			if r.Problem != nil {
				got.code = r.Problem.Code
			}
			for _, s := range r.Steps {
				if !s.OK {
					got.step = s.What
				}
			}
			for _, a := range r.Answers {
				got.answers += string("LTR"[a.Outcome])
				if a.Text == "" {
					t.Errorf("nothing is said of %s", a.Address)
				}
			}
			if got != w {
				t.Errorf("got %+v, want %+v\n%+v\n%+v", got, w, r.Problem, r.Steps)
			}
			if r.Problem != nil && (r.Problem.Text == "" || r.Problem.Detail == "" || strings.Contains(r.Problem.Detail, smtpd.Password)) {
				t.Errorf("problem: %+v", r.Problem)
			}
			for _, s := range r.Steps {
				if strings.Contains(s.Text, smtpd.Password) {
					t.Errorf("step %s tells the password: %s", s.What, s.Text)
				}
			}
		})
	}
	if len(wants) != len(smtpd.Misbehaviours()) {
		t.Errorf("%d outcomes for %d misbehaviours", len(wants), len(smtpd.Misbehaviours()))
	}
}

// A server whose certificate is refused does not see the password.
func TestPasswordOnlyToTheTrusted(t *testing.T) {
	t.Parallel()
	for _, m := range []smtpd.Misbehaviour{smtpd.WrongHost, smtpd.Expired, smtpd.UnknownAuthority, smtpd.NoSTARTTLS, smtpd.STARTTLSGarbage, smtpd.STARTTLSRefused} {
		server := smtpd.New(t, smtpd.Options{Misbehave: []smtpd.Misbehaviour{m}})
		set := settings(t, server, remote.StartTLS)
		quick().Test(t.Context(), Trial{Set: set, Secret: []byte(smtpd.Password)})
		for _, c := range server.Commands() {
			if strings.HasPrefix(c, "AUTH") || strings.HasPrefix(c, "MAIL") {
				t.Errorf("%s: the client goes on with %s", m, c)
			}
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	server := smtpd.New(t, smtpd.Options{Misbehave: []smtpd.Misbehaviour{smtpd.NeverGreets}})
	set := settings(t, server, remote.NoTLS)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := New("")
	start := time.Now()
	r := s.Test(ctx, Trial{Set: set})
	if r.OK || r.Problem.Code != remote.CodeTimeout || time.Since(start) > 10*time.Second {
		t.Errorf("%+v after %v", r, time.Since(start))
	}
}
