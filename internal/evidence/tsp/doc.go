// Package tsp is the time-stamp protocol (RFC 3161, with RFC 5816): it makes
// requests, refuses answers that are not as they should be, completes a token
// with the data that its later verification needs, and verifies tokens at any
// time in their life. The verification is our own, in Go; why is in
// docs/decisions/0008-own-time-stamp-verification.md. Package tspclient talks
// to authorities.
//
// A token's bytes are kept as they are for ever, because renewals hash them.
// The only time they change is Enrich, directly after they arrived.
//
//	codes.go       the code of every error and finding
//	token.go       Token: ContentInfo, SignedData, SignerInfo (RFC 5652)
//	tstinfo.go     Info: TSTInfo, qcStatements
//	names.go       the name of the authority
//	signer.go      whose signature it is and whether it fits
//	path.go        from the signer to an anchor (RFC 5280)
//	revocation.go  what CRLs and OCSP responses say
//	ocsp.go        OCSP requests and responses (RFC 6960)
//	verify.go      Verify: all of it together, at a secured date
//	cache.go       Cache: tokens shared by many records are verified once
//	basis.go       the rules of the profile Basis-ERS
//	testmark.go    how stamps of the test authority are recognised
//	request.go     requests, and what an answer must hold
//	sidecar.go     Sidecar: what is kept beside a token
//	fetch.go       Fetcher: getting certificates, CRLs and OCSP responses
//	enrich.go      Enrich: adding to a token before its first use
package tsp
