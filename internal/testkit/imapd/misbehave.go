package imapd

// Misbehaviour is something a server does that it should not. What it says in
// words is the name for subtests.
type Misbehaviour string

// What can be wrong.
const (
	// before and at the log-in
	SilentGreeting    Misbehaviour = "never greets"
	NotIMAP           Misbehaviour = "greets like an SMTP server"
	GarbageGreeting   Misbehaviour = "greets with a megabyte of garbage"
	ByeGreeting       Misbehaviour = "greets with BYE"
	PreAuth           Misbehaviour = "greets with PREAUTH"
	StartTLSRefused   Misbehaviour = "refuses STARTTLS"
	StartTLSInjection Misbehaviour = "slips something in before the handshake"
	StartTLSSilent    Misbehaviour = "never answers STARTTLS"
	LoginDisabled     Misbehaviour = "offers LOGINDISABLED and no mechanism"
	LoginUnavailable  Misbehaviour = "answers the log-in NO [UNAVAILABLE]"
	LoginThrottled    Misbehaviour = "answers the log-in BYE too many connections"

	// in general
	Unavailable      Misbehaviour = "answers commands after the log-in NO [UNAVAILABLE]"
	Throttled        Misbehaviour = "ends the connection after the log-in for throttling"
	Silent           Misbehaviour = "never answers commands after the log-in"
	Garbage          Misbehaviour = "answers commands after the log-in with garbage"
	WrongTag         Misbehaviour = "answers with a tag nobody used"
	UnknownResponses Misbehaviour = "says things of unknown extensions"
	OddSpacing       Misbehaviour = "uses lower case and more spaces than it should"
	HugeLine         Misbehaviour = "says a line of 8 MiB"
	EndlessLine      Misbehaviour = "says a line without end"
	HugeName         Misbehaviour = "lists a folder with a name of 4 GB"
	BrokenFolder     Misbehaviour = "lists a folder whose name is no modified UTF-7"
	NewUIDValidity   Misbehaviour = "has another UIDVALIDITY in every session"
	NoUIDValidity    Misbehaviour = "names no UIDVALIDITY"
	UIDValidityMoves Misbehaviour = "names another UIDVALIDITY in the middle of a session"
	NoUIDNext        Misbehaviour = "names no UIDNEXT"
	UIDNextTooLow    Misbehaviour = "names 1 as UIDNEXT"
	ExistsTooMany    Misbehaviour = "counts three messages more than it has"
	ExistsTooFew     Misbehaviour = "counts one message less than it has"
	SearchIncomplete Misbehaviour = "leaves every third message out of SEARCH"
	ListIncomplete   Misbehaviour = "leaves a message out of every listing"
	Drip             Misbehaviour = "sends a byte now and then, without end"
	BareLF           Misbehaviour = "ends its lines with LF alone"
	SearchOdd        Misbehaviour = "finds messages twice, backwards, and some that do not exist"
	ListTwice        Misbehaviour = "lists every folder twice, and the inbox in lower case too"

	// in answers to FETCH
	SizeTooSmall       Misbehaviour = "says RFC822.SIZE 1"
	SizeTooLarge       Misbehaviour = "says an RFC822.SIZE of exabytes"
	BadDates           Misbehaviour = "says an INTERNALDATE that is none"
	BadFlags           Misbehaviour = "says flags that are no atoms"
	LiteralLonger      Misbehaviour = "sends more bytes than the literal declares"
	LiteralShorter     Misbehaviour = "sends fewer bytes than the literal declares"
	LiteralAbsurd      Misbehaviour = "declares a literal of exabytes"
	CutInLiteral       Misbehaviour = "cuts the connection in the middle of a literal"
	CutAfterLiteral    Misbehaviour = "cuts the connection after the last byte of a literal"
	ByeInFetch         Misbehaviour = "says BYE between two messages"
	Unordered          Misbehaviour = "answers in descending order"
	Twice              Misbehaviour = "answers every message twice"
	UIDAfterBody       Misbehaviour = "names the UID after the body"
	UIDMissing         Misbehaviour = "does not name the UID"
	WrongMessage       Misbehaviour = "sends another message than asked for, UID after the body"
	FlagsFirst         Misbehaviour = "tells the flags of a message before the answer"
	ForeignFetch       Misbehaviour = "sends bodies of other messages in between"
	ExpungeDuringFetch Misbehaviour = "lets somebody expunge every second message during FETCH"
	FetchNothing       Misbehaviour = "answers FETCH with OK and nothing else"
	BodyWithheld       Misbehaviour = "lists messages, and answers FETCH of their bodies with OK and nothing else"
	FetchRefused       Misbehaviour = "answers FETCH of bodies with NO"
	NilBody            Misbehaviour = "gives NIL for a body"
	EmptyBody          Misbehaviour = "gives an empty string for a body"
	QuotedBody         Misbehaviour = "gives bodies of one line as quoted strings, others with line ends in the quotes"
	Literal8           Misbehaviour = "gives bodies as binary literals"
	LiteralPlus        Misbehaviour = "gives bodies as non-synchronising literals"
	OldBodyName        Misbehaviour = "calls a body RFC822"
	PartialBody        Misbehaviour = "gives the first half of a body, as BODY[]<0>"
	ThrottledInFetch   Misbehaviour = "answers FETCH of bodies NO [THROTTLED] after the first"
	ShrinksInFetch     Misbehaviour = "counts fewer messages from answer to answer"

	// in answers to changes
	StoreLies    Misbehaviour = "says OK to STORE and does nothing"
	StoreRefused Misbehaviour = "answers STORE with NO"
	ExpungeFails Misbehaviour = "answers EXPUNGE with NO"
	ExpungeLies  Misbehaviour = "says OK to EXPUNGE and does nothing"
)

// All returns every misbehaviour, so that a test can try them all.
func All() []Misbehaviour {
	return []Misbehaviour{
		SilentGreeting, NotIMAP, GarbageGreeting, ByeGreeting, PreAuth, StartTLSRefused, StartTLSInjection, StartTLSSilent,
		LoginDisabled, LoginUnavailable, LoginThrottled,
		Unavailable, Throttled, Silent, Garbage, WrongTag, UnknownResponses, OddSpacing, HugeLine, EndlessLine, HugeName,
		BrokenFolder, NewUIDValidity, NoUIDValidity, UIDValidityMoves, NoUIDNext, UIDNextTooLow,
		ExistsTooMany, ExistsTooFew, SearchIncomplete, ListIncomplete, Drip, BareLF, SearchOdd, ListTwice,
		SizeTooSmall, SizeTooLarge, BadDates, BadFlags, LiteralLonger, LiteralShorter, LiteralAbsurd, CutInLiteral,
		CutAfterLiteral, ByeInFetch, Unordered, Twice, UIDAfterBody, UIDMissing, WrongMessage, FlagsFirst, ForeignFetch,
		ExpungeDuringFetch, FetchNothing, BodyWithheld, FetchRefused, NilBody, EmptyBody, QuotedBody,
		Literal8, LiteralPlus, OldBodyName, PartialBody, ThrottledInFetch, ShrinksInFetch,
		StoreLies, StoreRefused, ExpungeFails, ExpungeLies,
	}
}
