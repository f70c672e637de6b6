package tsa

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Parts is all that a token is made of. The authority fills it in for a
// request; Alter may change it.
type Parts struct {
	Status      int // of the answer
	ContentType asn1.ObjectIdentifier
	Policy      asn1.ObjectIdentifier
	Hash        algo.Hash
	Imprint     []byte
	Serial      *big.Int
	GenTime     time.Time
	Accuracy    time.Duration // 0: not told
	Nonce       *big.Int
	Qualified   bool // states to be qualified, which is never true here

	Unit         Unit              // signs
	Named        *x509.Certificate // in the signing certificate attributes
	V1, V2       bool              // which of those attributes
	Certificates []*x509.Certificate
	CRLs         [][]byte
	Signers      int                   // copies of the SignerInfo
	AttrType     asn1.ObjectIdentifier // in the contentType attribute; nil: none
	Digest       []byte                // in the messageDigest attribute; nil: none
	Unordered    bool                  // the attributes are not sent in the order of DER
	Signature    []byte                // nil: the right one
	Content      []byte                // TSTInfo; nil: made from the fields above

	Token  []byte // nil: made from the fields above
	Answer []byte // nil: made from Status and Token
}

func oid(n ...int) asn1.ObjectIdentifier { return n }

// Issue answers a request with a token, which is returned without the answer
// around it.
func (a *Authority) Issue(r tsp.Request) ([]byte, error) {
	p := a.parts(r)
	if err := a.build(&p); err != nil {
		return nil, err
	}
	return p.Token, nil
}

// Answer answers a request with a TimeStampResp.
func (a *Authority) Answer(r tsp.Request) ([]byte, error) {
	p := a.parts(r)
	if err := a.build(&p); err != nil {
		return nil, err
	}
	if p.Answer != nil {
		return p.Answer, nil
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(p.Status)) })
		if p.Status < 2 {
			b.AddBytes(p.Token)
		}
	})
	return b.Bytes()
}

func (a *Authority) parts(r tsp.Request) Parts {
	a.mu.Lock()
	a.serial++
	p := Parts{ContentType: oid(1, 2, 840, 113549, 1, 9, 16, 1, 4), Policy: tsp.TestPolicy(), Hash: r.Hash, Imprint: r.Imprint, Serial: big.NewInt(a.serial),
		GenTime: a.o.Now().UTC().Truncate(time.Millisecond), Accuracy: time.Second, Nonce: r.Nonce, Unit: a.unit, V2: true, Signers: 1}
	a.mu.Unlock()
	p.AttrType = p.ContentType
	p.Named = p.Unit.Cert
	if r.CertReq {
		p.Certificates = []*x509.Certificate{p.Unit.Cert, a.root.Cert}
	}
	if a.Alter != nil {
		a.Alter(&p)
	}
	return p
}

// build makes the token.
func (a *Authority) build(p *Parts) error {
	if p.Token != nil {
		return nil
	}
	var err error
	if p.Content == nil {
		if p.Content, err = p.info(); err != nil {
			return fmt.Errorf("test authority: %w", err)
		}
	}
	signer, err := a.signerInfo(p)
	if err != nil {
		return fmt.Errorf("test authority: %w", err)
	}
	var b cryptobyte.Builder
	seq := func(b *cryptobyte.Builder, f func(*cryptobyte.Builder)) { b.AddASN1(cbasn1.SEQUENCE, f) }
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	seq(&b, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid(1, 2, 840, 113549, 1, 7, 2))
		b.AddASN1(tag(0), func(b *cryptobyte.Builder) {
			seq(b, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(3)
				b.AddASN1(cbasn1.SET, a.o.Hash.AppendID)
				seq(b, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(p.ContentType)
					b.AddASN1(tag(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(p.Content) })
				})
				var certs [][]byte
				for _, c := range p.Certificates {
					certs = append(certs, c.Raw)
				}
				addSet(b, tag(0), certs)
				addSet(b, tag(1), p.CRLs)
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					for range p.Signers {
						b.AddBytes(signer)
					}
				})
			})
		})
	})
	if p.Token, err = b.Bytes(); err != nil {
		return fmt.Errorf("test authority: %w", err)
	}
	return nil
}

// addSet writes a SET OF in DER; nothing if it is empty.
func addSet(b *cryptobyte.Builder, tag cbasn1.Tag, elements [][]byte) {
	if len(elements) == 0 {
		return
	}
	elements = slices.Clone(elements)
	slices.SortFunc(elements, bytes.Compare)
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, e := range elements {
			b.AddBytes(e)
		}
	})
}

// info returns the TSTInfo.
func (p *Parts) info() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(p.Policy)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			p.Hash.AppendID(b)
			b.AddASN1OctetString(p.Imprint)
		})
		b.AddASN1BigInt(p.Serial)
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) {
			b.AddBytes([]byte(p.GenTime.UTC().Format("20060102150405.999999999Z")))
		})
		if p.Accuracy > 0 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				if s := p.Accuracy / time.Second; s > 0 {
					b.AddASN1Int64(int64(s))
				}
				if ms := p.Accuracy % time.Second / time.Millisecond; ms > 0 {
					b.AddASN1Int64WithTag(int64(ms), cbasn1.Tag(0).ContextSpecific())
				}
			})
		}
		if p.Nonce != nil {
			b.AddASN1BigInt(p.Nonce)
		}
		if p.Qualified {
			b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oid(1, 3, 6, 1, 5, 5, 7, 1, 3))
					b.AddASN1OctetString([]byte{0x30, 0x0b, 0x30, 0x09, 0x06, 0x07, 0x04, 0x00, 0x81, 0x97, 0x5e, 0x01, 0x01}) // QTS-1
				})
			})
		}
	})
	return b.Bytes()
}

// signerInfo returns the SignerInfo with its signature.
func (a *Authority) signerInfo(p *Parts) ([]byte, error) {
	if p.Digest == nil {
		p.Digest = a.o.Hash.Sum(p.Content)
	}
	attrs, err := a.attributes(p)
	if err != nil {
		return nil, err
	}
	var signed cryptobyte.Builder
	addSet(&signed, cbasn1.SET, attrs)
	message, err := signed.Bytes()
	if err != nil {
		return nil, err
	}
	if p.Signature == nil {
		if p.Signature, err = a.sign(p.Unit.Key, message); err != nil {
			return nil, err
		}
	}
	id, err := a.signatureID()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(p.Unit.Cert.RawIssuer)
			b.AddASN1BigInt(p.Unit.Cert.SerialNumber)
		})
		a.o.Hash.AppendID(b)
		sent := cbasn1.Tag(0).ContextSpecific().Constructed()
		if p.Unordered {
			slices.SortFunc(attrs, func(x, y []byte) int { return bytes.Compare(y, x) })
			b.AddASN1(sent, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(attrs, nil)) })
		} else {
			addSet(b, sent, attrs)
		}
		b.AddBytes(id)
		b.AddASN1OctetString(p.Signature)
	})
	return b.Bytes()
}

// attributes returns the signed attributes, each in DER.
func (a *Authority) attributes(p *Parts) ([][]byte, error) {
	var all [][]byte
	var errs []error
	add := func(id asn1.ObjectIdentifier, value func(*cryptobyte.Builder)) {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			b.AddASN1(cbasn1.SET, value)
		})
		raw, err := b.Bytes()
		all, errs = append(all, raw), append(errs, err)
	}
	if p.AttrType != nil {
		add(oid(1, 2, 840, 113549, 1, 9, 3), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(p.AttrType) })
	}
	add(oid(1, 2, 840, 113549, 1, 9, 4), func(b *cryptobyte.Builder) { b.AddASN1OctetString(p.Digest) })
	named := func(sum []byte) func(*cryptobyte.Builder) {
		return func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // SigningCertificate
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // certs
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum) })
				})
			})
		}
	}
	if p.V1 {
		add(oid(1, 2, 840, 113549, 1, 9, 16, 2, 12), named(algo.SHA1.Sum(p.Named.Raw)))
	}
	if p.V2 {
		add(oid(1, 2, 840, 113549, 1, 9, 16, 2, 47), named(algo.SHA256.Sum(p.Named.Raw)))
	}
	return all, errors.Join(errs...)
}

func (a *Authority) sign(key crypto.Signer, message []byte) ([]byte, error) {
	var opts crypto.SignerOpts = a.o.Hash.Crypto()
	if a.o.Scheme == algo.PSS {
		opts = &rsa.PSSOptions{SaltLength: a.o.Hash.Size(), Hash: a.o.Hash.Crypto()}
	}
	return key.Sign(rand.Reader, a.o.Hash.Sum(message), opts)
}

// signatureID returns the AlgorithmIdentifier of the signatures.
func (a *Authority) signatureID() ([]byte, error) {
	var b cryptobyte.Builder
	h := a.o.Hash
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		switch a.o.Scheme {
		case algo.ECDSA:
			last := map[algo.Hash][]int{algo.SHA256: {1, 2, 840, 10045, 4, 3, 2}, algo.SHA384: {1, 2, 840, 10045, 4, 3, 3}, algo.SHA512: {1, 2, 840, 10045, 4, 3, 4}, algo.SHA3_256: {2, 16, 840, 1, 101, 3, 4, 3, 10}}
			b.AddASN1ObjectIdentifier(last[h])
		case algo.PSS:
			b.AddASN1ObjectIdentifier(oid(1, 2, 840, 113549, 1, 1, 10))
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
				b.AddASN1(tag(0), h.AppendID)
				b.AddASN1(tag(1), func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oid(1, 2, 840, 113549, 1, 1, 8))
						h.AppendID(b)
					})
				})
				b.AddASN1(tag(2), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(h.Size())) })
			})
		default:
			b.AddASN1ObjectIdentifier(oid(1, 2, 840, 113549, 1, 1, 1)) // rsaEncryption; the hash is the digest's
			b.AddASN1NULL()
		}
	})
	return b.Bytes()
}
