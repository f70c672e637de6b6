// Package evidence holds the words that all parts of the evidence share: the
// verdict, the finding, and the metadata member of an archived version. The
// work is done below it, each package a leaf that can be read by itself:
//
//	der        refuses what is not DER
//	algo       hash and signature algorithms, and until when each is trusted
//	tsp        RFC 3161: requests, answers, tokens and their verification
//	ers        RFC 4998: hash trees, evidence records, renewal, verification
//	inspect    writes what a verification has found out, for people
//	offline    verifies records that lie in files
//	tspclient  asks authorities over HTTP
//	tsa        an authority for tests and the demo, which says so
//
// None of them knows a server, a database or the archive: the offline verifier
// links the first six, the event log and the trusted lists, and nothing else. Only tspclient speaks to the network,
// through an http.Client that it is given.
//
//	verdict.go    Verdict, Finding, Findings
//	metadata.go   Metadata: the second member of every group
//	canonical.go  the one way in which a JSON value is written
package evidence
