package api

import (
	"context"
	"net/http"
	"time"
)

// PreservationService carries out the functions of BSI TR-03125 (TR-ESOR) Annex E and
// their twins of ETSI TS 119 512, for programs with a token. Whatever a program asks for
// is answered with a result of its own, in an answer with the status 200; problems are
// about the request itself: who asks, and whether it can be read.
type PreservationService interface {
	RetrieveInfo(ctx context.Context, q InfoRequest) (*InfoResponse, error)
	ArchiveSubmission(ctx context.Context, q SubmissionRequest) (*SubmissionResponse, error)
	ArchiveUpdate(ctx context.Context, q UpdateRequest) (*UpdateResponse, error)
	ArchiveRetrieval(ctx context.Context, q RetrievalRequest) (*RetrievalResponse, error)
	ArchiveEvidence(ctx context.Context, q RetrievalRequest) (*EvidenceResponse, error)
	ArchiveData(ctx context.Context, q DataRequest) (*DataResponse, error)
	ArchiveTrace(ctx context.Context, q TraceRequest) (*TraceResponse, error)
	ArchiveDeletion(ctx context.Context, q DeletionRequest) (*ResultOnly, error)
	VerifyPackage(ctx context.Context, q VerifyRequest) (*VerifyResponse, error)
}

// PreservationResult is a dss:Result.
type PreservationResult struct {
	Major   string `json:"major" doc:"URI: http://www.bsi.bund.de/ecard/api/1.1/resultmajor# and ok, warning or error"`
	Minor   string `json:"minor,omitempty" doc:"URI of the reason, such as http://www.bsi.bund.de/ecard/api/1.1/resultminor/arl/unknownAOID"`
	Message string `json:"message,omitempty" doc:"English, for people"`
}

// PreservationOption is a control of dss:OptionalInputs. One that the function does not
// know is answered with arl/notSupported.
type PreservationOption struct {
	Name  string `json:"name" maxLength:"200" doc:"IncludeERS of ArchiveRetrieval, ERSFormat of ArchiveEvidence"`
	Value string `json:"value,omitempty" maxLength:"1000" doc:"Of both: urn:ietf:rfc:4998"`
}

// InfoRequest asks for profiles.
type InfoRequest struct {
	Profile string               `json:"profile,omitempty" maxLength:"1000" doc:"URI; absent: all"`
	Status  string               `json:"status,omitempty" enum:"active,inactive,all" doc:"Absent: active"`
	Options []PreservationOption `json:"options,omitempty" maxItems:"20"`
}

// PreservationProfile is how objects are preserved.
type PreservationProfile struct {
	Identifier string   `json:"identifier"`
	Status     string   `json:"status" enum:"active,inactive"`
	Formats    []string `json:"formats" doc:"Of objects that are archived"`
	Evidence   string   `json:"evidence" doc:"Form of evidence records"`
	Functions  []string `json:"functions" doc:"That do what they are called"`
}

// InfoResponse are the profiles.
type InfoResponse struct {
	Result   PreservationResult    `json:"result"`
	Profiles []PreservationProfile `json:"profiles"`
}

// SubmissionRequest is a new object: an XAIP, or bytes without one.
type SubmissionRequest struct {
	XAIP    []byte               `json:"xaip,omitempty" doc:"XAIP 1.3, at most 32 MiB"`
	Data    []PreservationData   `json:"data,omitempty" maxItems:"100" doc:"ArchiveData; not supported"`
	Options []PreservationOption `json:"options,omitempty" maxItems:"20"`
}

// PreservationData are bytes that are no XAIP.
type PreservationData struct {
	ID       string `json:"id,omitempty" maxLength:"200"`
	Type     string `json:"type" maxLength:"1000" doc:"URI"`
	MimeType string `json:"mime_type,omitempty" maxLength:"200"`
	Value    []byte `json:"value"`
}

// SubmissionResponse tells the AOID.
type SubmissionResponse struct {
	Result PreservationResult `json:"result"`
	AOID   string             `json:"aoid,omitempty"`
}

// UpdateRequest is the difference to the newest version of an object.
type UpdateRequest struct {
	DXAIP   []byte               `json:"dxaip" doc:"DXAIP 1.3 with the AOID in its header, at most 32 MiB"`
	Options []PreservationOption `json:"options,omitempty" maxItems:"20"`
}

// UpdateResponse tells the new version.
type UpdateResponse struct {
	Result    PreservationResult `json:"result"`
	VersionID string             `json:"version_id,omitempty" example:"V002"`
}

// RetrievalRequest names versions of an object.
type RetrievalRequest struct {
	AOID     string               `json:"aoid" maxLength:"200"`
	Versions []string             `json:"versions,omitempty" maxItems:"1000" doc:"Such as V001; ALL: all of them; absent: the newest"`
	Options  []PreservationOption `json:"options,omitempty" maxItems:"20"`
}

// RetrievalResponse is an object.
type RetrievalResponse struct {
	Result PreservationResult `json:"result"`
	XAIP   []byte             `json:"xaip,omitempty" doc:"XAIP 1.3"`
}

// EvidenceResponse are evidence records.
type EvidenceResponse struct {
	Result  PreservationResult `json:"result"`
	Records []VersionRecord    `json:"records"`
}

// VersionRecord is the evidence record of a version.
type VersionRecord struct {
	AOID      string `json:"aoid"`
	VersionID string `json:"version_id"`
	Record    []byte `json:"record" doc:"RFC 4998, DER"`
}

// DataRequest names parts of the newest version.
type DataRequest struct {
	AOID      string                 `json:"aoid" maxLength:"200"`
	Locations []PreservationLocation `json:"locations" minItems:"1" maxItems:"100"`
	Options   []PreservationOption   `json:"options,omitempty" maxItems:"20"`
}

// PreservationLocation is a place in an XAIP.
type PreservationLocation struct {
	Type  string `json:"type" maxLength:"1000" doc:"urn:muniment:object-id; others are not supported"`
	Value string `json:"value" maxLength:"1000" doc:"Identifier of an object, such as DO-01"`
}

// DataResponse are parts, in the order of the request.
type DataResponse struct {
	Result PreservationResult `json:"result"`
	Data   []LocatedData      `json:"data"`
}

// LocatedData is what was found at a place.
type LocatedData struct {
	Result   PreservationResult   `json:"result"`
	Location PreservationLocation `json:"location"`
	Value    []byte               `json:"value,omitempty"`
}

// TraceRequest asks what has happened to an object.
type TraceRequest struct {
	AOID    string               `json:"aoid" maxLength:"200"`
	Options []PreservationOption `json:"options,omitempty" maxItems:"20"`
}

// TraceResponse are events, the newest first.
type TraceResponse struct {
	Result PreservationResult `json:"result"`
	Events []Event            `json:"events"`
}

// DeletionRequest asks for an object to be deleted.
type DeletionRequest struct {
	AOID    string               `json:"aoid" maxLength:"200"`
	Reason  *DeletionReason      `json:"reason,omitempty"`
	Options []PreservationOption `json:"options,omitempty" maxItems:"20"`
}

// DeletionReason is a ReasonOfDeletion.
type DeletionReason struct {
	Requestor string `json:"requestor" maxLength:"500"`
	Info      string `json:"info" maxLength:"5000"`
}

// ResultOnly is an answer that is but a result.
type ResultOnly struct {
	Result PreservationResult `json:"result"`
}

// VerifyRequest is an XAIP or DXAIP that is to be judged.
type VerifyRequest struct {
	XAIP    []byte               `json:"xaip" doc:"At most 32 MiB; it need not be in the archive"`
	Record  []byte               `json:"record,omitempty" doc:"Evidence record about the last version (RFC 4998, DER), beside those in the package"`
	Options []PreservationOption `json:"options,omitempty" maxItems:"20"`
}

// VerifyResponse is what was found out, object by object.
type VerifyResponse struct {
	Result  PreservationResult `json:"result"`
	Objects []VerifiedObject   `json:"objects"`
}

// VerifiedObject is one object of a package.
type VerifiedObject struct {
	ID        string     `json:"id"`
	VersionID string     `json:"version_id,omitempty" doc:"Of an evidence record: what it is about"`
	Verdict   string     `json:"verdict" enum:"valid,invalid,indeterminate"`
	Detail    string     `json:"detail,omitempty" doc:"English, for experts"`
	Proven    *time.Time `json:"proven,omitempty" doc:"Of an evidence record: since when the objects are unchanged, if it is valid"`
	Test      bool       `json:"test,omitempty" doc:"A time stamp is one of a test authority: it proves nothing to others"`
}

// Bounds of the bodies with packages: base64 makes of 32 MiB a third more.
const (
	preservationBody     = 44 << 20
	preservationBodyTime = 2 * time.Minute
)

func preservation(o operations, s Service) {
	function := func(id, path, summary string) op {
		return op{id: id, method: http.MethodPost, path: "/preservation/" + path, tag: "preservation", summary: summary,
			problems: []Code{CodeRole, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}}
	}
	large := func(d op) op {
		d.body, d.bodyTime = preservationBody, preservationBodyTime
		return d
	}
	add(o, function("retrieveInfo", "retrieve-info", "RetrieveInfo: which preservation profiles there are"),
		func(ctx context.Context, in *body[InfoRequest]) (*body[InfoResponse], error) {
			return reply(s.RetrieveInfo(ctx, in.Body))
		})
	add(o, large(function("archiveSubmission", "archive-submission", "ArchiveSubmission (PreservePO): archive a new object")),
		func(ctx context.Context, in *body[SubmissionRequest]) (*body[SubmissionResponse], error) {
			return reply(s.ArchiveSubmission(ctx, in.Body))
		})
	add(o, large(function("archiveUpdate", "archive-update", "ArchiveUpdate (UpdatePOC): archive the next version of an object")),
		func(ctx context.Context, in *body[UpdateRequest]) (*body[UpdateResponse], error) {
			return reply(s.ArchiveUpdate(ctx, in.Body))
		})
	add(o, function("archiveRetrieval", "archive-retrieval", "ArchiveRetrieval (RetrievePO): get versions of an object back"),
		func(ctx context.Context, in *body[RetrievalRequest]) (*body[RetrievalResponse], error) {
			return reply(s.ArchiveRetrieval(ctx, in.Body))
		})
	add(o, function("archiveEvidence", "archive-evidence", "ArchiveEvidence: get the evidence records of versions of an object"),
		func(ctx context.Context, in *body[RetrievalRequest]) (*body[EvidenceResponse], error) {
			return reply(s.ArchiveEvidence(ctx, in.Body))
		})
	add(o, function("archiveData", "archive-data", "ArchiveData: get parts of the newest version of an object"),
		func(ctx context.Context, in *body[DataRequest]) (*body[DataResponse], error) {
			return reply(s.ArchiveData(ctx, in.Body))
		})
	add(o, function("archiveTrace", "archive-trace", "ArchiveTrace (RetrieveTrace): what has happened to an object"),
		func(ctx context.Context, in *body[TraceRequest]) (*body[TraceResponse], error) {
			return reply(s.ArchiveTrace(ctx, in.Body))
		})
	add(o, function("archiveDeletion", "archive-deletion", "ArchiveDeletion (DeletePO): refused in any case so far; the result says why"),
		func(ctx context.Context, in *body[DeletionRequest]) (*body[ResultOnly], error) {
			return reply(s.ArchiveDeletion(ctx, in.Body))
		})
	add(o, large(function("verifyPackage", "verify", "Verify (ValidateEvidence): judge a package and the evidence records in it")),
		func(ctx context.Context, in *body[VerifyRequest]) (*body[VerifyResponse], error) {
			return reply(s.VerifyPackage(ctx, in.Body))
		})
}
