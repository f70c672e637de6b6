package tsp

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/der"
)

// nonceBytes is the length of a nonce (TSP-1 asks for 8 at least).
const nonceBytes = 16

// Request is a TimeStampReq (RFC 3161 §2.4.1). Certificates are always asked for.
type Request struct {
	Hash    algo.Hash
	Imprint []byte
	Policy  asn1.ObjectIdentifier // nil: any
	Nonce   *big.Int
	CertReq bool
}

// NewRequest returns a request for a stamp on a hash value, with a nonce from
// random.
func NewRequest(h algo.Hash, imprint []byte, policy asn1.ObjectIdentifier, random io.Reader) (Request, error) {
	if h == (algo.Hash{}) || len(imprint) != h.Size() {
		return Request{}, fmt.Errorf("time-stamp request: %d bytes are no value of %v", len(imprint), h)
	}
	nonce := make([]byte, nonceBytes)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return Request{}, fmt.Errorf("time-stamp request: nonce: %w", err)
	}
	nonce[0] = nonce[0]&0x7f | 0x40 // positive, and always of the same length
	return Request{Hash: h, Imprint: imprint, Policy: policy, Nonce: new(big.Int).SetBytes(nonce), CertReq: true}, nil
}

// Marshal returns the request in DER.
func (r Request) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			r.Hash.AppendID(b)
			b.AddASN1OctetString(r.Imprint)
		})
		if r.Policy != nil {
			b.AddASN1ObjectIdentifier(r.Policy)
		}
		if r.Nonce != nil {
			b.AddASN1BigInt(r.Nonce)
		}
		if r.CertReq {
			b.AddASN1Boolean(true)
		}
	})
	return b.Bytes()
}

// ParseRequest reads a request, as an authority must.
func ParseRequest(b []byte) (Request, error) {
	var r Request
	if err := der.Check(b); err != nil {
		return r, fmt.Errorf("time-stamp request: %w", err)
	}
	malformed := errors.New("time-stamp request: malformed")
	s := cryptobyte.String(b)
	var in, imprint, id, sum cryptobyte.String
	version := 0
	if !s.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1Integer(&version) || version != 1 || !in.ReadASN1(&imprint, cbasn1.SEQUENCE) ||
		!imprint.ReadASN1(&id, cbasn1.SEQUENCE) || !imprint.ReadASN1(&sum, cbasn1.OCTET_STRING) || !imprint.Empty() {
		return r, malformed
	}
	var err error
	if r.Hash, err = algo.ReadHashID(id); err != nil {
		return r, fmt.Errorf("time-stamp request: %w", err)
	}
	r.Imprint = sum
	if len(sum) != r.Hash.Size() {
		return r, malformed
	}
	if in.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) && !in.ReadASN1ObjectIdentifier(&r.Policy) {
		return r, malformed
	}
	if in.PeekASN1Tag(cbasn1.INTEGER) {
		r.Nonce = new(big.Int)
		if !in.ReadASN1Integer(r.Nonce) {
			return r, malformed
		}
	}
	if in.PeekASN1Tag(cbasn1.BOOLEAN) && !in.ReadASN1Boolean(&r.CertReq) {
		return r, malformed
	}
	return r, nil
}

// Terms are what an answer must keep to, beside the request.
type Terms struct {
	Skew      time.Duration // most difference of genTime from this computer's time
	Accuracy  time.Duration // most inaccuracy; 0: not looked at. Qualified stamps: 1 s
	Anchors   *Anchors
	Catalogue *algo.Catalogue // nil: the shipped one
}

// Accept takes the answer to the request apart and returns the token in it, if
// it is all that TSP-3 demands: granted, for this request, by a unit for time
// stamping with a path to an anchor, with a good signature, at about now. A
// refusal has its code in the error. Revocation is looked at as far as the
// token brings data.
func (r Request) Accept(answer []byte, now time.Time, terms Terms) (*Token, error) {
	raw, err := tokenOf(answer)
	if err != nil {
		return nil, err
	}
	t, err := ParseToken(raw)
	if err != nil {
		return nil, err
	}
	i := t.Info
	switch {
	case i.HashErr != nil:
		return nil, fmt.Errorf("%w: %w", CodeImprintAlg, i.HashErr)
	case i.Hash != r.Hash:
		return nil, fmt.Errorf("%w: %v instead of %v", CodeImprintAlg, i.Hash, r.Hash)
	case !bytes.Equal(i.Imprint, r.Imprint):
		return nil, fmt.Errorf("%w: another value was stamped", CodeImprint)
	case r.Nonce != nil && (i.Nonce == nil || i.Nonce.Cmp(r.Nonce) != 0):
		return nil, fmt.Errorf("%w: the answer belongs to another request", CodeNonce)
	case r.Policy != nil && !i.Policy.Equal(r.Policy):
		return nil, fmt.Errorf("%w: %v instead of %v", CodePolicy, i.Policy, r.Policy)
	case i.GenTime.Sub(now).Abs() > terms.Skew:
		return nil, fmt.Errorf("%w: the stamp says %s, this computer %s; check its clock", CodeSkew, i.GenTime.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case terms.Accuracy > 0 && i.Accuracy == nil:
		return nil, fmt.Errorf("%w: the stamp does not tell; at most %v is allowed", CodeAccuracy, terms.Accuracy)
	case terms.Accuracy > 0 && *i.Accuracy > terms.Accuracy:
		return nil, fmt.Errorf("%w: %v, at most %v is allowed", CodeAccuracy, *i.Accuracy, terms.Accuracy)
	case r.CertReq && len(t.Certificates) == 0:
		return nil, fmt.Errorf("%w: no certificate inside", CodeNoCert)
	}
	result := Verify(t, Options{At: later(now, i.GenTime), Anchors: terms.Anchors, Revocation: RevocationIfPresent, Catalogue: terms.Catalogue})
	for _, f := range result.Findings {
		if f.Verdict != evidence.Valid {
			return nil, fmt.Errorf("%w: %s", f.Code, f.Detail)
		}
	}
	return t, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tokenOf takes a TimeStampResp (RFC 3161 §2.4.2) apart.
func tokenOf(answer []byte) ([]byte, error) {
	if len(answer) > MaxToken {
		return nil, fmt.Errorf("%w: answer of %d bytes, the limit is %d", CodeTooLarge, len(answer), MaxToken)
	}
	if err := der.Check(answer); err != nil {
		return nil, fmt.Errorf("%w: %w", CodeAnswer, err)
	}
	s := cryptobyte.String(answer)
	var in, info, token, texts, text cryptobyte.String
	status := 0
	if !s.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Integer(&status) {
		return nil, fmt.Errorf("%w: no TimeStampResp", CodeAnswer)
	}
	if status != 0 && status != 1 {
		why := ""
		if info.PeekASN1Tag(cbasn1.SEQUENCE) && info.ReadASN1(&texts, cbasn1.SEQUENCE) && texts.ReadASN1(&text, cbasn1.UTF8String) {
			why = ": " + fmt.Sprintf("%.200q", string(text))
		}
		return nil, fmt.Errorf("%w: the authority refused with status %d%s", CodeStatus, status, why)
	}
	if !in.ReadASN1Element(&token, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, fmt.Errorf("%w: granted, but without a token", CodeAnswer)
	}
	return token, nil
}
