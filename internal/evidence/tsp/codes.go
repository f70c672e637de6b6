package tsp

import "github.com/muniment/muniment/internal/evidence"

// What can be wrong with a token or an answer as such. Each is an error for
// errors.Is, and the code of a finding.
const (
	CodeMalformed     evidence.Code = "token-malformed"                 // not DER, or not the structure of RFC 5652 and RFC 3161
	CodeTooLarge      evidence.Code = "token-too-large"                 // more than MaxToken bytes
	CodeContentType   evidence.Code = "token-content-type"              // eContentType is not id-ct-TSTInfo
	CodeSigners       evidence.Code = "token-signers"                   // not exactly one SignerInfo
	CodeSignedAttrs   evidence.Code = "token-signed-attributes"         // contentType or messageDigest is missing, twice, or wrong
	CodeSigningCert   evidence.Code = "token-signing-certificate"       // ESSCertID is missing or names another certificate
	CodeName          evidence.Code = "token-name"                      // the name it tells is none of the certificate's
	CodeNoSigner      evidence.Code = "token-signer-unknown"            // the signer's certificate is nowhere
	CodeSignature     evidence.Code = "token-signature"                 // the signature does not fit
	CodeUnsupported   evidence.Code = "token-algorithm-unsupported"     // this program cannot check it
	CodeKeyUsage      evidence.Code = "token-extended-key-usage"        // not time stamping, critical and alone
	CodeNotYetOrMore  evidence.Code = "token-signer-not-valid"          // certificate was not valid when it signed
	CodeNoAnchor      evidence.Code = "token-no-anchor"                 // no path to a trust anchor
	CodePath          evidence.Code = "token-path"                      // a path exists but breaks a rule
	CodeExpired       evidence.Code = "token-certificate-expired"       // a certificate of the path ended before the secured date
	CodeRevoked       evidence.Code = "token-certificate-revoked"       // revoked before it signed, or compromised
	CodeRevokedLater  evidence.Code = "token-certificate-revoked-later" // revoked after it signed, for a harmless reason: a remark
	CodeNoRevocation  evidence.Code = "token-no-revocation-data"        // nobody says whether it was revoked
	CodeOldRevocation evidence.Code = "token-revocation-data-older"     // the data are older than the token: a remark
	CodeAlgorithm     evidence.Code = "token-algorithm-ended"           // no longer trusted at the secured date
	CodeWeakKey       evidence.Code = "token-short-key"                 // RSA below 3000 bits: a remark
	CodeTimeBound     evidence.Code = "time-bound"                      // the verification was given up
)

// What can be wrong with an answer to a request (TSP-3), beside the above.
const (
	CodeStatus      evidence.Code = "answer-status"         // neither granted nor granted with modifications
	CodeAnswer      evidence.Code = "answer-malformed"      // no TimeStampResp
	CodeHTTP        evidence.Code = "answer-http"           // the transport failed, or its status is not 200
	CodeMediaType   evidence.Code = "answer-media-type"     // not application/timestamp-reply
	CodeNonce       evidence.Code = "answer-nonce"          // not the nonce that was sent
	CodeImprint     evidence.Code = "answer-imprint"        // not the hash that was sent
	CodeImprintAlg  evidence.Code = "answer-imprint-hash"   // not the hash algorithm that was sent
	CodePolicy      evidence.Code = "answer-policy"         // not the policy that was asked for
	CodeSkew        evidence.Code = "answer-time"           // genTime is too far from this computer's time
	CodeAccuracy    evidence.Code = "answer-accuracy"       // less accurate than is allowed
	CodeNoCert      evidence.Code = "answer-no-certificate" // the certificate that was asked for is missing
	CodeQuota       evidence.Code = "authority-quota"       // no token is left to be spent
	CodeBackOff     evidence.Code = "authority-back-off"    // it failed a short time ago
	CodeNoAuthority evidence.Code = "authority-none"        // none is configured
)

// The rules of BSI TR-ESOR Basis-ERS (annex A3.4) that concern a token.
const (
	CodeBasisVersion    evidence.Code = "basis-ers-version"           // CMS version 3, 5 only with OCSP inside
	CodeBasisDigests    evidence.Code = "basis-ers-digest-algorithms" // empty
	CodeBasisCerts      evidence.Code = "basis-ers-certificates"      // empty, or other than X.509
	CodeBasisCRLs       evidence.Code = "basis-ers-crls"              // empty
	CodeBasisOCSP       evidence.Code = "basis-ers-ocsp"              // not BasicOCSPResponse, without certificates, not byName
	CodeBasisSigner     evidence.Code = "basis-ers-signer"            // SignerInfo version 1 with issuer and serial
	CodeBasisAttributes evidence.Code = "basis-ers-attributes"        // signed attributes; V1 is forbidden
	CodeBasisUnsigned   evidence.Code = "basis-ers-unsigned"          // unsigned attributes are forbidden
)
