package pop3d

import "slices"

// Misbehaviour names one large way to break the rules.
type Misbehaviour string

// The misbehaviours. What they do to messages they do to all of them.
const (
	// Before the login.
	NeverGreets      Misbehaviour = "never greets"
	GarbageGreeting  Misbehaviour = "greets with garbage"
	IMAPGreeting     Misbehaviour = "greets as an IMAP server"
	SMTPGreeting     Misbehaviour = "greets as an SMTP server"
	TurnsAway        Misbehaviour = "greets with -ERR too many connections"
	ClosesAtOnce     Misbehaviour = "closes at once"
	EndlessLine      Misbehaviour = "greets with a line without end"
	EndlessCAPA      Misbehaviour = "offers capabilities without end"
	STLSRefused      Misbehaviour = "offers STLS and refuses it"
	STLSInjection    Misbehaviour = "sends more with the answer to STLS"
	STLSGarbage      Misbehaviour = "agrees to STLS and goes on in the clear"
	WrongHost        Misbehaviour = "has a certificate for another host"
	Expired          Misbehaviour = "has an expired certificate"
	UnknownAuthority Misbehaviour = "has a certificate of nobody"
	AsksForever      Misbehaviour = "asks without end in AUTH"
	EchoesSecrets    Misbehaviour = "refuses the login and repeats the password"

	// Login refused although the password is right.
	InUse       Misbehaviour = "says [IN-USE]"
	LoginDelay  Misbehaviour = "says [LOGIN-DELAY]"
	SysTemp     Misbehaviour = "says [SYS/TEMP]"
	SysPerm     Misbehaviour = "says [SYS/PERM]"
	LockedPlain Misbehaviour = "says that the maildrop is locked, without a code"

	// Answers.
	NeverAnswers   Misbehaviour = "never answers after the login"
	GarbageAnswers Misbehaviour = "answers with garbage after the login"
	Drips          Misbehaviour = "sends a byte at a time, slowly"
	AnswersTwice   Misbehaviour = "answers everything twice after the login"
	BareLF         Misbehaviour = "ends its lines with LF alone"

	// Listings.
	GarbageSizes     Misbehaviour = "lists sizes that are no numbers"
	NegativeNumbers  Misbehaviour = "lists negative numbers"
	DuplicateNumbers Misbehaviour = "lists a number twice"
	Descending       Misbehaviour = "lists the last message first"
	EndlessList      Misbehaviour = "lists without end"
	MissingUIDs      Misbehaviour = "leaves the last message out of UIDL"
	EqualUIDs        Misbehaviour = "gives all messages the same unique id"
	LongUIDs         Misbehaviour = "gives unique ids of a thousand characters"
	CutsList         Misbehaviour = "closes in the middle of a listing"
	SizesTooSmall    Misbehaviour = "says that all messages are smaller than they are"
	SizesTooLarge    Misbehaviour = "says that all messages are larger than they are"

	// Messages.
	RefusesRETR     Misbehaviour = "refuses to hand out messages"
	CutsMessage     Misbehaviour = "closes in the middle of a message"
	NeverEnds       Misbehaviour = "does not end messages and falls silent"
	EndlessMessage  Misbehaviour = "sends messages without end"
	EndsWithDotLF   Misbehaviour = "ends messages with CR LF, dot, LF"
	EndsAfterLF     Misbehaviour = "ends messages with LF, dot, CR LF"
	NeverStuffs     Misbehaviour = "does not double dots"
	MoreThanMessage Misbehaviour = "sends more lines after the end of a message"

	// Deleting.
	RefusesDELE   Misbehaviour = "refuses to delete"
	RefusesQUIT   Misbehaviour = "says at QUIT that it has not deleted, and has not"
	IgnoresQUIT   Misbehaviour = "closes at QUIT without deleting and without an answer"
	CommitsMutely Misbehaviour = "deletes at QUIT and closes without an answer"
	SilentAtQUIT  Misbehaviour = "neither answers QUIT nor closes"
)

// Misbehaviours returns all of them.
func Misbehaviours() []Misbehaviour {
	return []Misbehaviour{
		NeverGreets, GarbageGreeting, IMAPGreeting, SMTPGreeting, TurnsAway, ClosesAtOnce, EndlessLine, EndlessCAPA,
		STLSRefused, STLSInjection, STLSGarbage, WrongHost, Expired, UnknownAuthority, AsksForever, EchoesSecrets,
		InUse, LoginDelay, SysTemp, SysPerm, LockedPlain,
		NeverAnswers, GarbageAnswers, Drips, AnswersTwice, BareLF,
		GarbageSizes, NegativeNumbers, DuplicateNumbers, Descending, EndlessList, MissingUIDs, EqualUIDs, LongUIDs, CutsList,
		SizesTooSmall, SizesTooLarge,
		RefusesRETR, CutsMessage, NeverEnds, EndlessMessage, EndsWithDotLF, EndsAfterLF, NeverStuffs, MoreThanMessage,
		RefusesDELE, RefusesQUIT, IgnoresQUIT, CommitsMutely, SilentAtQUIT,
	}
}

// is reports whether the server misbehaves in this way.
func (s *Server) is(m Misbehaviour) bool {
	s.wrongs.Lock()
	defer s.wrongs.Unlock()
	return slices.Contains(s.opts.Misbehave, m)
}

// Misbehave adds to what is wrong, from the next answer or connection on. The
// certificate stays as it is.
func (s *Server) Misbehave(what ...Misbehaviour) {
	s.wrongs.Lock()
	defer s.wrongs.Unlock()
	s.opts.Misbehave = append(slices.Clone(s.opts.Misbehave), what...)
}

// Behave ends all misbehaviour but the small one, likewise.
func (s *Server) Behave() {
	s.wrongs.Lock()
	defer s.wrongs.Unlock()
	s.opts.Misbehave = nil
}
