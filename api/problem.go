package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// problemType is where problems are explained; a code is a heading there.
const problemType = "https://github.com/muniment/muniment/blob/main/docs/problems.md#"

// Problem is an error as RFC 9457 describes it. Its text is for the client: it
// never tells causes, names of files or anything of others.
type Problem struct {
	Type      string         `json:"type" format:"uri" doc:"Identifies the kind of problem; its fragment is the code"`
	Title     string         `json:"title" doc:"Short English name of the kind of problem"`
	Status    int            `json:"status" doc:"HTTP status"`
	Detail    string         `json:"detail,omitempty" doc:"What is wrong this time"`
	Code      Code           `json:"code" doc:"Stable name of the kind of problem"`
	RequestID string         `json:"request_id" doc:"Under which the server's log tells more"`
	Errors    []ProblemError `json:"errors,omitempty" doc:"What is wrong with which member or parameter"`
	// RetryAfter, if positive, tells the client in the header of that name when
	// to try again.
	RetryAfter time.Duration `json:"-"`
}

// ProblemError is one mistake of a request.
type ProblemError struct {
	Location string `json:"location,omitempty" doc:"For instance body.password or query.limit"`
	Message  string `json:"message"`
	// Code and Args, where there are any, let clients say it in another language.
	Code string            `json:"code,omitempty" doc:"Stable name of the mistake, if it has one"`
	Args map[string]string `json:"args,omitempty" doc:"What it is about"`
}

// SearchProblem is a problem of code "query": it tells the place of the mistake.
type SearchProblem struct {
	Problem
	Start    int    `json:"start" doc:"Characters of the query text"`
	End      int    `json:"end"`
	Proposal string `json:"proposal,omitempty" doc:"The whole query, corrected"`
}

// Fault is a problem that can be sent: *Problem, *SearchProblem or *StepProblem.
type Fault interface {
	huma.StatusError
	huma.HeadersError
	// Base returns the members that every problem has, to be completed.
	Base() *Problem
}

// Error implements error.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// Base implements Fault.
func (p *Problem) Base() *Problem { return p }

// ContentType returns the media type of problems.
func (p *Problem) ContentType(string) string { return ProblemMediaType }

// GetHeaders returns the header fields that belong to the problem.
func (p *Problem) GetHeaders() http.Header {
	if p.RetryAfter <= 0 {
		return nil
	}
	seconds := int64((p.RetryAfter + time.Second - 1) / time.Second)
	return http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}
}

// ProblemMediaType is the media type of problems (RFC 9457 §3).
const ProblemMediaType = "application/problem+json"

// Code names a kind of problem. Codes never change their meaning.
type Code string

// The codes.
const (
	CodeMalformed    Code = "malformed"
	CodeLogIn        Code = "login"
	CodeNoSession    Code = "no-session"
	CodeRole         Code = "role"
	CodeAccessOver   Code = "access-over"
	CodeOrigin       Code = "cross-origin"
	CodeNotFound     Code = "not-found"
	CodeNoHTML       Code = "no-html"
	CodeMethod       Code = "method"
	CodeTimeout      Code = "timeout"
	CodeTenantNeeded Code = "tenant-needed"
	CodeTooLarge     Code = "too-large"
	CodeMediaType    Code = "media-type"
	CodeInvalid      Code = "invalid"
	CodeQuery        Code = "query"
	CodeCursor       Code = "cursor"
	CodeTooMany      Code = "too-many"
	CodeInternal     Code = "internal"
	CodeCorrupt      Code = "corrupt"
	CodeBusy         Code = "busy"
	CodeNotRunning   Code = "not-running"
	CodeSecondFactor Code = "second-factor"
	CodeFactor       Code = "factor"
	CodePassword     Code = "password"
	CodeStepEnded    Code = "step-ended"
	CodeSetupNeeded  Code = "setup-needed"
	CodeConfirm      Code = "confirm-needed"
	CodeLink         Code = "link"
	CodeNoPasskeys   Code = "no-passkeys"
	CodeUploadOffset Code = "upload-offset"
	CodeUploadState  Code = "upload-state"
	CodeUploadLimit  Code = "upload-limit"
	CodeFounded      Code = "founded"
	CodeToken        Code = "token"
	CodeLimit        Code = "limit"
	CodeDifferent    Code = "different-order"
	CodeNotYet       Code = "not-deletable"
	CodeEnded        Code = "ended"
	CodeManyHolds    Code = "many-holds"
	CodeShortens     Code = "shortens"
	CodeDirectory    Code = "directory"
	CodeKept         Code = "kept"
	CodeDeleted      Code = "deleted"
)

// Kind describes all problems of one code.
type Kind struct {
	Code   Code
	Status int
	Title  string
	Detail string // what a problem says that has nothing better to say
}

// Kinds lists all kinds of problems in the order of their status.
func Kinds() []Kind {
	return []Kind{
		{CodeMalformed, http.StatusBadRequest, "Request cannot be read", "The request body is missing or is not JSON, or the query string is not properly encoded."},
		{CodeLogIn, http.StatusUnauthorized, "Log-in failed", "The user name or the password is wrong."},
		{CodeNoSession, http.StatusUnauthorized, "Not logged in", "Log in first; a session ends after some hours without a request."},
		{CodeSecondFactor, http.StatusUnauthorized, "Second factor needed", "The password is right; go on with one of the factors."},
		{CodeFactor, http.StatusUnauthorized, "Second factor wrong", "The code or the passkey is wrong, or was used before."},
		{CodeStepEnded, http.StatusUnauthorized, "Log-in has ended", "The log-in took too long or was tried too often; begin again."},
		{CodePassword, http.StatusForbidden, "Password wrong", "The password is wrong."},
		{CodeSetupNeeded, http.StatusForbidden, "Second factor has to be set up", "Your role needs a second factor: set one up first."},
		{CodeConfirm, http.StatusForbidden, "Confirmation needed", "Confirm with your password, or log in anew, before you change this."},
		{CodeRole, http.StatusForbidden, "Not allowed", "Your role does not allow this."},
		{CodeAccessOver, http.StatusForbidden, "Access is over", "This access has ended or expired, or somebody has decided on it already."},
		{CodeToken, http.StatusUnauthorized, "Token is not valid", "The token is not known, has expired or was revoked."},
		{CodeLimit, http.StatusForbidden, "Limit is reached", "There are as many customers as the limit allows."},
		{CodeOrigin, http.StatusForbidden, "Request of another site", "Changes are taken only from pages of this server."},
		{CodeNotFound, http.StatusNotFound, "Not found", "There is nothing here that you may see."},
		{CodeNoHTML, http.StatusNotFound, "No HTML", "The message has no HTML; read its text."},
		{CodeMethod, http.StatusMethodNotAllowed, "Method not allowed", "This address does not take this method."},
		{CodeTimeout, http.StatusRequestTimeout, "Request took too long", "The request body did not arrive in time."},
		{CodeTenantNeeded, http.StatusConflict, "Customer needed", "Several users have this name and password: name the customer as well, or say that the operator of the installation is meant."},
		{CodeFounded, http.StatusConflict, "Founded already", "The installation has an operator already; log in."},
		{CodeUploadOffset, http.StatusConflict, "Piece does not follow", "The piece does not begin where the last one ended; ask the upload what it has received."},
		{CodeUploadState, http.StatusConflict, "Not possible in this state", "The upload is complete already, or another request is writing it."},
		{CodeNoPasskeys, http.StatusConflict, "No passkeys here", "Passkeys need the web interface to have a host name and TLS."},
		{CodeLink, http.StatusGone, "Link is not valid any more", "The link was used, replaced or has expired; ask for a new one."},
		{CodeDeleted, http.StatusGone, "Deleted", "The message was deleted; a tombstone remains."},
		{CodeKept, http.StatusConflict, "Must not be deleted", "Messages are kept by their retention or by a hold, or are not there."},
		{CodeDifferent, http.StatusConflict, "Reference was used", "The reference was used for another order."},
		{CodeNotYet, http.StatusConflict, "Cannot be deleted", "The customer cannot be deleted now."},
		{CodeManyHolds, http.StatusConflict, "Too many holds", "There are as many holds in force as there can be. Have one lifted first."},
		{CodeShortens, http.StatusConflict, "Makes the retention shorter", "This makes the retention shorter: somebody else with another role has to approve it. Send a request."},
		{CodeEnded, http.StatusConflict, "Archive has ended", "The archive of this customer has ended: it can be read, and takes nothing more."},
		{CodeTooLarge, http.StatusRequestEntityTooLarge, "Request too large", "The request body is larger than this operation takes."},
		{CodeMediaType, http.StatusUnsupportedMediaType, "Media type not supported", "Send application/json."},
		{CodeInvalid, http.StatusUnprocessableEntity, "Request is not valid", "Members or parameters of the request are wrong; errors says which."},
		{CodeUploadLimit, http.StatusUnprocessableEntity, "Upload exceeds a limit", "The upload is larger than allowed, or there are too many."},
		{CodeQuery, http.StatusUnprocessableEntity, "Query cannot be understood", "The query has a mistake."},
		{CodeCursor, http.StatusUnprocessableEntity, "Cursor is of no use", "The cursor does not belong to this search; search again from the start."},
		{CodeTooMany, http.StatusTooManyRequests, "Too many attempts", "Too many failed log-ins from your network; wait and try again."},
		{CodeInternal, http.StatusInternalServerError, "Internal error", "Something went wrong on the server; its log tells more under the request id."},
		{CodeCorrupt, http.StatusInternalServerError, "Stored object is damaged", "The stored bytes are not what they were when they arrived."},
		{CodeBusy, http.StatusServiceUnavailable, "Not possible now", "The archive cannot do this now; try again."},
		{CodeDirectory, http.StatusServiceUnavailable, "Directory cannot be reached", "The directory that checks your password cannot be reached at present. Try again later, or tell your administrator."},
		{CodeNotRunning, http.StatusServiceUnavailable, "Not running here", "This server fetches no mail from remote mailboxes."},
	}
}

// kind returns the description of a code, that of CodeInternal for others.
func kind(c Code) Kind {
	var internal Kind
	for _, k := range Kinds() {
		if k.Code == c {
			return k
		}
		if k.Code == CodeInternal {
			internal = k
		}
	}
	return internal
}

// NewProblem returns a problem of a kind; detail replaces the kind's own text
// unless it is empty.
func NewProblem(c Code, detail string) *Problem {
	k := kind(c)
	if detail == "" {
		detail = k.Detail
	}
	return &Problem{Type: problemType + string(k.Code), Title: k.Title, Status: k.Status, Detail: detail, Code: k.Code}
}

// codeOf tells the kind of the errors that request decoding reports by status.
func codeOf(status int) Code {
	switch status {
	case http.StatusBadRequest:
		return CodeMalformed
	case http.StatusRequestTimeout:
		return CodeTimeout
	case http.StatusRequestEntityTooLarge:
		return CodeTooLarge
	case http.StatusUnsupportedMediaType:
		return CodeMediaType
	case http.StatusUnprocessableEntity:
		return CodeInvalid
	}
	return CodeInternal
}

// maxErrors bounds how many mistakes one problem lists.
const maxErrors = 20

// fromModel turns an error of request decoding into a problem. It leaves out
// the values that huma repeats: they may be passwords.
func fromModel(m *huma.ErrorModel) *Problem {
	p := NewProblem(codeOf(m.Status), "")
	if p.Code == CodeInternal {
		return p
	}
	for _, e := range m.Errors {
		if e != nil && len(p.Errors) < maxErrors {
			p.Errors = append(p.Errors, ProblemError{Location: e.Location, Message: e.Message})
		}
	}
	return p
}
