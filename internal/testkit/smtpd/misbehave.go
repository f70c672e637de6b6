package smtpd

import "slices"

// Misbehaviour names one way to break the rules, or to refuse.
type Misbehaviour string

// The misbehaviours.
const (
	// Before the hello.
	NeverGreets     Misbehaviour = "never greets"
	ClosesAtOnce    Misbehaviour = "closes at once"
	GarbageGreeting Misbehaviour = "greets with garbage"
	IMAPGreeting    Misbehaviour = "greets as an IMAP server"
	HugeGreeting    Misbehaviour = "greets without end in one line"
	EndlessGreeting Misbehaviour = "greets with lines without end"
	TurnsAway       Misbehaviour = "greets with 421"
	NoService       Misbehaviour = "greets with 554"
	Drips           Misbehaviour = "sends a byte at a time, slowly"

	// Hello, TLS, log-in.
	RefusesEHLO      Misbehaviour = "refuses EHLO and HELO"
	OldServer        Misbehaviour = "knows HELO only"
	CutsEHLO         Misbehaviour = "closes in the middle of the answer to EHLO"
	OddLines         Misbehaviour = "answers EHLO with other codes in the lines between"
	NoSTARTTLS       Misbehaviour = "does not offer STARTTLS"
	STARTTLSRefused  Misbehaviour = "offers STARTTLS and refuses it"
	STARTTLSCloses   Misbehaviour = "closes after STARTTLS"
	STARTTLSGarbage  Misbehaviour = "agrees to STARTTLS and goes on in the clear"
	STARTTLSInject   Misbehaviour = "sends more with the answer to STARTTLS"
	WrongHost        Misbehaviour = "has a certificate for another host"
	Expired          Misbehaviour = "has an expired certificate"
	UnknownAuthority Misbehaviour = "has a certificate of nobody"
	NoAuth           Misbehaviour = "offers no log-in"
	AuthRefused      Misbehaviour = "refuses the log-in and repeats the password"
	AuthLater        Misbehaviour = "answers AUTH with 454"
	AuthCloses       Misbehaviour = "closes at AUTH"
	AsksForever      Misbehaviour = "asks without end in AUTH"

	// Transaction.
	WantsAuth      Misbehaviour = "answers MAIL with 530"
	SenderLater    Misbehaviour = "answers MAIL with 451"
	SenderRefused  Misbehaviour = "answers MAIL with 553"
	SenderCloses   Misbehaviour = "closes at MAIL"
	Greylists      Misbehaviour = "answers the first RCPT of each recipient with 450"
	SomeRefused    Misbehaviour = "answers RCPT with 550 for addresses that begin with x"
	RcptRefused    Misbehaviour = "answers RCPT with 550"
	RcptLater      Misbehaviour = "answers RCPT with 451"
	RcptCloses     Misbehaviour = "closes at RCPT"
	Rcpt421        Misbehaviour = "answers RCPT with 421 and closes"
	TooMany        Misbehaviour = "answers the second RCPT with 552"
	DataLater      Misbehaviour = "answers DATA with 451"
	DataRefused    Misbehaviour = "answers DATA with 554"
	DataCloses     Misbehaviour = "closes at DATA"
	CutsData       Misbehaviour = "closes in the middle of the message"
	EndLater       Misbehaviour = "answers the message with 451"
	EndRefused     Misbehaviour = "answers the message with 554"
	EndTooLarge    Misbehaviour = "answers the message with 552"
	DropsAfterData Misbehaviour = "takes the message and closes before the 250"
	MuteAfterData  Misbehaviour = "takes the message and falls silent before the 250"
	EndNonsense    Misbehaviour = "answers the message with lines of nonsense"
	SmallSIZE      Misbehaviour = "takes 10 bytes only, as it says"
	MuteAtQuit     Misbehaviour = "neither answers QUIT nor closes"
)

// Misbehaviours returns all of them.
func Misbehaviours() []Misbehaviour {
	return []Misbehaviour{
		NeverGreets, ClosesAtOnce, GarbageGreeting, IMAPGreeting, HugeGreeting, EndlessGreeting, TurnsAway, NoService, Drips,
		RefusesEHLO, OldServer, CutsEHLO, OddLines, NoSTARTTLS, STARTTLSRefused, STARTTLSCloses, STARTTLSGarbage, STARTTLSInject,
		WrongHost, Expired, UnknownAuthority, NoAuth, AuthRefused, AuthLater, AuthCloses, AsksForever,
		WantsAuth, SenderLater, SenderRefused, SenderCloses, Greylists, SomeRefused, RcptRefused, RcptLater, RcptCloses, Rcpt421, TooMany,
		DataLater, DataRefused, DataCloses, CutsData, EndLater, EndRefused, EndTooLarge, DropsAfterData, MuteAfterData, EndNonsense,
		SmallSIZE, MuteAtQuit,
	}
}

// is reports whether the server misbehaves in this way.
func (s *Server) is(m Misbehaviour) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.opts.Misbehave, m)
}

// Misbehave replaces what is wrong, from the next answer on. The certificate stays
// as it is.
func (s *Server) Misbehave(what ...Misbehaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Misbehave = slices.Clone(what)
}
