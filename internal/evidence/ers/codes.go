package ers

import "github.com/muniment/muniment/internal/evidence"

// The codes of findings about a record; those about its tokens are tsp's.
const (
	CodeMalformed    evidence.Code = "record-malformed"          // not DER, or not the structure of RFC 4998
	CodeTooLarge     evidence.Code = "record-too-large"          // beyond a limit of this program
	CodeVersion      evidence.Code = "record-version"            // not 1
	CodeAlgorithms   evidence.Code = "record-digest-algorithms"  // a used hash is not listed
	CodeEncrypted    evidence.Code = "record-encryption-info"    // covers encrypted data, which is not supported
	CodeUnsupported  evidence.Code = "hash-unsupported"          // this program cannot compute it
	CodeHashMismatch evidence.Code = "hash-differs-from-imprint" // digestAlgorithm is not the imprint's
	CodeHashChanged  evidence.Code = "hash-changes-in-chain"     // two hashes in one chain
	CodeHashEnded    evidence.Code = "hash-ended"                // no longer trusted at the secured date
	CodeRoot         evidence.Code = "root-differs"              // the tree does not lead to the imprint
	CodeRehashed     evidence.Code = "single-value-hashed-again" // third form of a record of one hash: a remark
	CodeMember       evidence.Code = "member-not-covered"        // the data are not those that were stamped
	CodeNoData       evidence.Code = "no-data"                   // nothing was given to compare with
	CodeNoHash       evidence.Code = "member-hash-unknown"       // data are given as hash values of another algorithm
	CodeUnreadable   evidence.Code = "member-unreadable"         // reading the data failed
	CodeGroup        evidence.Code = "group-incomplete"          // not exactly the members of the group
	CodePartial      evidence.Code = "group-shown-in-part"       // fewer members given than covered: a remark
	CodeUnnamed      evidence.Code = "tree-without-first-list"   // an empty reduced hash tree or list
	CodeRenewal      evidence.Code = "renewal-does-not-cover"    // does not cover the stamp before
	CodeSorted       evidence.Code = "renewal-sorted"            // concatenated sorted, not as the text has it: a remark
	CodeOrder        evidence.Code = "times-not-ascending"       // a renewal is earlier than what it renews
	CodeSameTime     evidence.Code = "times-equal"               // a renewal of the same second, as authorities tell only seconds: a remark
	CodeFuture       evidence.Code = "time-in-the-future"        // the stamp is later than the time of the verification
	CodeTest         evidence.Code = "test-authority"            // a stamp of the test authority: proves nothing
	CodeQualified    evidence.Code = "qualification"             // what the trusted list says: a remark
	CodeBasis        evidence.Code = "basis-ers-record"          // breaks a rule of Basis-ERS
	CodeTimeBound    evidence.Code = "time-bound"                // the verification was given up
)
