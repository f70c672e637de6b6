package mailer

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wneessen/go-mail"

	"github.com/muniment/muniment/internal/remote"
)

// Letter is what people are to read.
type Letter struct {
	// ID makes the Message-ID; the same letter has the same for ever. Letters and
	// digits.
	ID      string
	Date    time.Time
	To      []string
	ReplyTo string // address that answers go to; empty: nobody reads them
	Subject string // one line
	Text    string // lines end with \n
	// Files are attached, in this order.
	Files []File
}

// File is an attachment.
type File struct {
	Name string // letters, digits, dot, hyphen and underscore
	Type string // MIME type
	Data []byte
}

// fileName is the form of the names of attachments.
var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// maxLine is the longest line of a message, in bytes, without its end (RFC 5322
// §2.1.1).
const maxLine = 998

// Compose makes the message of a letter: in ASCII, with CR LF at the end of every
// line. Its field From is the address of the settings, to the letter. The same
// letter makes the same bytes. Control characters are an error, so nobody can put
// a field in.
func Compose(set remote.Smarthost, l Letter) ([]byte, error) {
	if err := l.check(set); err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP), mail.WithBoundary("muniment-"+l.ID))
	errs := []error{m.From(set.From)}
	if set.Name != "" {
		errs = []error{m.FromFormat(set.Name, set.From)}
	}
	errs = append(errs, m.To(l.To...))
	if l.ReplyTo != "" {
		errs = append(errs, remote.MailAddress(l.ReplyTo), m.ReplyTo(l.ReplyTo))
	}
	m.Subject(l.Subject)
	m.SetDateWithValue(l.Date)
	_, domain, _ := strings.Cut(set.From, "@")
	m.SetMessageIDWithValue(l.ID + "@" + domain)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: nobody's absence note answers
	m.SetBodyString(mail.TypeTextPlain, strings.ReplaceAll(l.Text, "\n", "\r\n"))
	for _, f := range l.Files {
		errs = append(errs, m.AttachReader(f.Name, bytes.NewReader(f.Data), mail.WithFileContentType(mail.ContentType(f.Type))))
	}
	var b bytes.Buffer
	_, err := m.WriteTo(&b)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	return b.Bytes(), CheckMessage(Envelope{From: set.From, To: l.To}, b.Bytes())
}

func (l Letter) check(set remote.Smarthost) error {
	switch {
	case l.ID == "" || len(l.ID) > 64 || strings.ContainsFunc(l.ID, func(r rune) bool { return r > 'z' || !unicode.IsLetter(r) && !unicode.IsDigit(r) }):
		return fmt.Errorf("id %q: want 1 to 64 letters and digits", l.ID)
	case !utf8.ValidString(l.Subject + l.Text + set.Name):
		return errors.New("the text is not UTF-8")
	case strings.ContainsFunc(l.Subject, unicode.IsControl) || len(l.Subject) > 500:
		return errors.New("the subject is not one line of at most 500 bytes")
	case strings.ContainsFunc(set.Name, unicode.IsControl):
		return errors.New("the sender's name is not one line")
	case strings.ContainsFunc(l.Text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		return errors.New("the text has control characters")
	}
	for _, f := range l.Files {
		if !fileName.MatchString(f.Name) {
			return fmt.Errorf("the file name %.60q cannot be sent", f.Name)
		}
	}
	return nil
}

// CheckMessage reports whether an envelope and a message can be sent as they are:
// what would have to be changed on the way is an error.
func CheckMessage(env Envelope, message []byte) error {
	if len(env.To) == 0 || len(env.To) > MaxRecipients {
		return fmt.Errorf("%d recipients, want 1 to %d", len(env.To), MaxRecipients)
	}
	for _, a := range append([]string{env.From}, env.To...) {
		if err := remote.MailAddress(a); err != nil {
			return fmt.Errorf("address %.60q: %w", a, err)
		}
	}
	if len(message) > MaxMessage {
		return fmt.Errorf("mail of %d bytes, at most %d", len(message), MaxMessage)
	}
	if !bytes.HasSuffix(message, []byte("\r\n")) {
		return errors.New("the mail does not end with a line end")
	}
	for n, line := range bytes.Split(message[:len(message)-2], []byte("\r\n")) {
		if len(line) > maxLine {
			return fmt.Errorf("line %d of the mail has %d bytes, at most %d", n+1, len(line), maxLine)
		}
		if i := bytes.IndexFunc(line, func(r rune) bool { return r == 0 || r == '\r' || r == '\n' || r >= 0x7f }); i >= 0 {
			return fmt.Errorf("line %d of the mail has a byte %#x, which cannot be sent", n+1, line[i])
		}
	}
	return nil
}
