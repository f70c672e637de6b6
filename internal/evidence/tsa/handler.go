package tsa

import (
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net/http"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// maxQuery is the most bytes of a request to the authority.
const maxQuery = 64 << 10

// Handler serves the authority: POST / for time stamps, GET /crl, GET /root,
// POST /ocsp.
func (a *Authority) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", a.serveStamp)
	mux.HandleFunc("GET /root", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, "application/pkix-cert", a.root.Cert.Raw, nil)
	})
	mux.HandleFunc("GET /crl", func(w http.ResponseWriter, _ *http.Request) {
		b, err := a.CRL()
		reply(w, "application/pkix-crl", b, err)
	})
	mux.HandleFunc("POST /ocsp", a.serveOCSP)
	return mux
}

func reply(w http.ResponseWriter, kind string, b []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(b)
}

func (a *Authority) serveStamp(w http.ResponseWriter, q *http.Request) {
	b, err := io.ReadAll(io.LimitReader(q.Body, maxQuery))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r, err := tsp.ParseRequest(b)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := a.Answer(r)
	reply(w, "application/timestamp-reply", answer, err)
}

func (a *Authority) serveOCSP(w http.ResponseWriter, q *http.Request) {
	b, err := io.ReadAll(io.LimitReader(q.Body, maxQuery))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, serial, err := asked(b)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	basic, err := a.OCSP(id, serial)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var out cryptobyte.Builder
	out.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid(1, 3, 6, 1, 5, 5, 7, 48, 1, 1))
				b.AddASN1OctetString(basic)
			})
		})
	})
	answer, err := out.Bytes()
	reply(w, "application/ocsp-response", answer, err)
}

// asked returns the CertID of the only request, in DER, and the serial number.
func asked(b []byte) ([]byte, *big.Int, error) {
	s := cryptobyte.String(b)
	var in, id, whole, skip cryptobyte.String
	for range 4 { // OCSPRequest, TBSRequest, requestList, Request
		if !s.ReadASN1(&in, cbasn1.SEQUENCE) {
			return nil, nil, errors.New("no OCSP request")
		}
		s = in
	}
	serial := new(big.Int)
	if !s.ReadASN1Element(&whole, cbasn1.SEQUENCE) {
		return nil, nil, errors.New("no OCSP request")
	}
	id = append(id, whole...)
	if !whole.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1(&skip, cbasn1.SEQUENCE) || !in.ReadASN1(&skip, cbasn1.OCTET_STRING) ||
		!in.ReadASN1(&skip, cbasn1.OCTET_STRING) || !in.ReadASN1Integer(serial) {
		return nil, nil, errors.New("no OCSP request")
	}
	return id, serial, nil
}

// OCSP returns a BasicOCSPResponse on the certificate with the CertID (DER) and
// the serial number, signed by the root itself.
func (a *Authority) OCSP(id []byte, serial *big.Int) ([]byte, error) {
	now := a.o.Now().UTC().Truncate(time.Second)
	generalized := func(b *cryptobyte.Builder, t time.Time) {
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(t.Format("20060102150405Z"))) })
	}
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	a.mu.Lock()
	defer a.mu.Unlock()
	var tbs cryptobyte.Builder
	tbs.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag(1), func(b *cryptobyte.Builder) { b.AddBytes(a.root.Cert.RawSubject) })
		generalized(b, now)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(id)
				revoked := false
				for _, e := range a.revoked {
					if !revoked && e.SerialNumber.Cmp(serial) == 0 {
						revoked = true
						b.AddASN1(tag(1), func(b *cryptobyte.Builder) {
							generalized(b, e.RevocationTime)
							if e.ReasonCode > 0 {
								b.AddASN1(tag(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(e.ReasonCode)) })
							}
						})
					}
				}
				if !revoked {
					b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
				}
				generalized(b, now)
				b.AddASN1(tag(0), func(b *cryptobyte.Builder) { generalized(b, now.Add(7*24*time.Hour)) })
			})
		})
	})
	signed, err := tbs.Bytes()
	if err != nil {
		return nil, err
	}
	sig, err := a.sign(a.root.Key, signed)
	if err != nil {
		return nil, err
	}
	alg, err := a.certSignatureID()
	if err != nil {
		return nil, err
	}
	var out cryptobyte.Builder
	out.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(signed)
		b.AddBytes(alg)
		b.AddASN1BitString(sig)
		b.AddASN1(tag(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(a.root.Cert.Raw) })
		})
	})
	return out.Bytes()
}

// certSignatureID is signatureID where the hash must be part of it.
func (a *Authority) certSignatureID() ([]byte, error) {
	if a.o.Scheme != algo.RSA {
		return a.signatureID()
	}
	last := map[algo.Hash]int{algo.SHA256: 11, algo.SHA384: 12, algo.SHA512: 13}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, last[a.o.Hash]})
		b.AddASN1NULL()
	})
	return b.Bytes()
}
