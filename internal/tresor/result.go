package tresor

import "errors"

// Major is the class of a result.
type Major string

// Classes of results. The prefix is that of the eCard framework (BSI TR-03112-1),
// which TR-ESOR uses.
const (
	OK      Major = "http://www.bsi.bund.de/ecard/api/1.1/resultmajor#ok"
	Warning Major = "http://www.bsi.bund.de/ecard/api/1.1/resultmajor#warning"
	Failure Major = "http://www.bsi.bund.de/ecard/api/1.1/resultmajor#error"
)

// minors is the prefix of all reasons.
const minors = "http://www.bsi.bund.de/ecard/api/1.1/resultminor"

// Minor is the reason of a result, a URI.
type Minor string

// Reasons of results (TR-ESOR Annex E, C.2).
const (
	NoMinor               Minor = ""
	UnknownAOID           Minor = minors + "/arl/unknownAOID"
	UnknownVersionID      Minor = minors + "/arl/unknownVersionID"
	UnknownURI            Minor = minors + "/arl/unknownURI"
	NotSupported          Minor = minors + "/arl/notSupported"
	MissingReason         Minor = minors + "/arl/missingReasonOfDeletion"
	PartlySuccessful      Minor = minors + "/arl/requestOnlyPartlySuccessfulWarning"
	XAIPWrong             Minor = minors + "/arl/XAIP_NOK"
	XAIPExpired           Minor = minors + "/arl/XAIP_NOK_EXPIRED"
	XAIPSubmissionTime    Minor = minors + "/arl/XAIP_NOK_SUBMTIME"
	XAIPEvidence          Minor = minors + "/arl/XAIP_NOK_ER"
	DXAIPWrong            Minor = minors + "/arl/DXAIP_NOK"
	DXAIPAOID             Minor = minors + "/arl/DXAIP_NOK_AOID"
	DXAIPVersion          Minor = minors + "/arl/DXAIP_NOK_VERSION"
	DXAIPExpired          Minor = minors + "/arl/DXAIP_NOK_EXPIRED"
	DXAIPSubmissionTime   Minor = minors + "/arl/DXAIP_NOK_SUBMTIME"
	DXAIPEvidence         Minor = minors + "/arl/DXAIP_NOK_ER"
	ParameterError        Minor = minors + "/al/common#parameterError"
	InternalError         Minor = minors + "/al/common#internalError"
	HashNotSuitable       Minor = minors + "/il/algorithm#hashAlgorithmNotSuitable"
	InvalidSignatureMinor Minor = minors + "/sal#invalidSignature"
)

// Result is what every function answers with (dss:Result).
type Result struct {
	Major   Major
	Minor   Minor
	Message string // English, for people
}

// Succeeded is a result without remarks.
func Succeeded() Result { return Result{Major: OK} }

// Failed is a result that nothing came of.
func Failed(m Minor, message string) Result {
	return Result{Major: Failure, Minor: m, Message: message}
}

// Partly is a result of which a part is missing.
func Partly(message string) Result {
	return Result{Major: Warning, Minor: PartlySuccessful, Message: message}
}

// Refused tells why a package was not archived, by what Read or Check have found;
// update says that it is a DXAIP.
func Refused(err error, update bool) Result {
	minor := XAIPWrong
	switch {
	case errors.Is(err, ErrExpired):
		minor = XAIPExpired
	case errors.Is(err, ErrSubmissionTime):
		minor = XAIPSubmissionTime
	case errors.Is(err, ErrUnsupported):
		return Failed(NotSupported, err.Error())
	}
	if update {
		minor = map[Minor]Minor{XAIPWrong: DXAIPWrong, XAIPExpired: DXAIPExpired, XAIPSubmissionTime: DXAIPSubmissionTime}[minor]
	}
	return Failed(minor, err.Error())
}
