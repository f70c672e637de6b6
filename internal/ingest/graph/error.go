package graph

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
)

// Error is a refusal of Graph's, or an answer that makes no sense.
type Error struct {
	Code   string // one of remote's
	Status int    // of HTTP; 0: none
	Word   string // Graph's own code, such as ErrorAccessDenied
	Text   string
}

// Error implements error.
func (e *Error) Error() string {
	said := strings.TrimSpace(e.Word + " " + e.Text)
	if e.Status != 0 {
		said = fmt.Sprintf("status %d %s", e.Status, said)
	}
	if plain := remote.LogInText(e.Code); plain != "" {
		return plain + " (" + said + ")"
	}
	return said
}

var (
	errTooLarge = errors.New("it is larger than the archive takes")
	errNonsense = errors.New("the answer makes no sense")
)

// gone reports whether what was asked for does not exist.
func gone(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

// refusal reads what Graph says with a status that is no success.
func refusal(status int, body []byte) *Error {
	var said struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(body, &said) != nil {
		said.Error.Message = "and no reason"
	}
	e := &Error{Status: status, Word: oauth.Redact(said.Error.Code), Text: oauth.Redact(said.Error.Message)}
	switch {
	case status == http.StatusTooManyRequests:
		e.Code = remote.CodeThrottled
	case status == http.StatusUnauthorized:
		e.Code = remote.CodeNotAssigned
	case e.Word == "Authorization_RequestDenied":
		e.Code = remote.CodeConsent
	case status == http.StatusForbidden:
		e.Code = remote.CodeNotAssigned
	case e.Word == "MailboxNotEnabledForRESTAPI", e.Word == "MailboxNotSupportedForRESTAPI", e.Word == "ErrorInvalidUser", e.Word == "Request_ResourceNotFound",
		e.Word == "ErrorNonExistentMailbox":
		e.Code = remote.CodeLicence
	}
	return e
}

// Plain says what is wrong, to people.
func Plain(err error) string {
	var e *oauth.Error
	if errors.As(err, &e) {
		return cmp.Or(remote.LogInText(e.Code), "There is no access token.") + " " + e.Error()
	}
	return err.Error()
}

func asError(err error) (e *Error, ok bool) {
	ok = errors.As(err, &e)
	return e, ok
}
