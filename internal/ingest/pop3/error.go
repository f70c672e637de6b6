package pop3

import (
	"errors"
	"strings"
)

// The classes of errors. An *Error has one of them, or none if the cause is the
// caller's own: a cancelled context, a writer that failed.
var (
	// ErrAuth: the server does not accept this user with this password or token.
	ErrAuth = errors.New("login refused")
	// ErrTLS: the connection cannot be encrypted, or not with a server that is
	// who it should be.
	ErrTLS = errors.New("no safe connection")
	// ErrProtocol: the server does not speak POP3, or breaks its rules.
	ErrProtocol = errors.New("not understood")
	// ErrTooLarge: a message is larger than the limit.
	ErrTooLarge = errors.New("message too large")
	// ErrTemporary: it may work later without anybody doing anything.
	ErrTemporary = errors.New("not now")
	// ErrPermanent: the server refuses, or the host does not exist; somebody has
	// to do something.
	ErrPermanent = errors.New("refused")
	// ErrUnsupported: the server does not offer what is needed.
	ErrUnsupported = errors.New("not offered")
	// ErrUnconfirmed: deletions were asked for and the good-bye was not answered:
	// the messages may be gone or not. Such an error is ErrTemporary as well.
	ErrUnconfirmed = errors.New("deletion not confirmed")
	// ErrClosed: the connection has ended before this call. Such an error has
	// the class of the first cause as well.
	ErrClosed = errors.New("connection closed")

	errClosedHere = errors.New("closed by this side")
)

// Error is what went wrong with a server.
type Error struct {
	Class  error  // one of the classes above, or nil
	Doing  string // what was being done: "fetch message 12"
	Text   string // what is wrong, and often what helps, in plain words
	Answer string // what the server said, made printable and shortened; may be empty
	Code   string // its response code without brackets, in upper case: "IN-USE"; may be empty
	Err    error  // the cause, or nil

	alive bool // the answer was a clear no: the conversation can go on
}

// Error returns the whole story in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("pop3: ")
	if e.Doing != "" {
		b.WriteString(e.Doing + ": ")
	}
	b.WriteString(e.Text)
	if e.Answer != "" {
		b.WriteString(`; the server says "` + e.Answer + `"`)
	}
	if e.Err != nil {
		b.WriteString(": " + strings.TrimPrefix(e.Err.Error(), "pop3: "))
	}
	return b.String()
}

// Unwrap returns the class and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Class != nil {
		errs = append(errs, e.Class)
	}
	if e.Class == ErrUnconfirmed {
		errs = append(errs, ErrTemporary)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// fault makes an error that within will complete.
func fault(class error, text string) *Error { return &Error{Class: class, Text: text} }

// within says what was being done when err came.
func within(doing string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		c := *e
		c.Doing = doing
		return &c
	}
	return &Error{Doing: doing, Text: "failed", Err: err}
}

// refused reports whether the conversation can go on after err.
func refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.alive
}

// meaning gives a refusal that has no response code its class and text; other
// errors stay as they are.
func meaning(err error, class error, text string) error {
	var e *Error
	if !errors.As(err, &e) || !e.alive || e.Class != nil {
		return err
	}
	c := *e
	c.Class, c.Text = class, text
	return &c
}
