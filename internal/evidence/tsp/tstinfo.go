package tsp

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// Info is what an authority signs (TSTInfo, RFC 3161 §2.4.2).
type Info struct {
	Policy     asn1.ObjectIdentifier
	Hash       algo.Hash // of the imprint; zero if it is not supported, then HashErr says so
	HashErr    error
	Imprint    []byte
	Serial     *big.Int
	GenTime    time.Time      // UTC
	Accuracy   *time.Duration // nil if the token does not tell
	Ordering   bool
	Nonce      *big.Int // nil if there is none
	Name       []byte   // DER of the authority's name, nil if there is none
	Statements []asn1.ObjectIdentifier
	Unknown    []asn1.ObjectIdentifier // critical extensions that are not understood
}

// oidQTST is esi4-qtstStatement-1 (ETSI EN 319 422 §9.1).
func oidQTST() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{0, 4, 0, 19422, 1, 1} }

// QualifiedStatement reports whether the authority states that this is a
// qualified time stamp (QTS-1). Only a trusted list tells whether that is so.
func (i Info) QualifiedStatement() bool {
	for _, s := range i.Statements {
		if s.Equal(oidQTST()) {
			return true
		}
	}
	return false
}

func parseInfo(b cryptobyte.String) (Info, error) {
	var i Info
	var in, imprint, id, sum, at cryptobyte.String
	version := 0
	if !b.ReadASN1(&in, cbasn1.SEQUENCE) || !b.Empty() || !in.ReadASN1Integer(&version) || version != 1 {
		return i, errors.New("TSTInfo: version")
	}
	i.Serial = new(big.Int)
	if !in.ReadASN1ObjectIdentifier(&i.Policy) || !in.ReadASN1(&imprint, cbasn1.SEQUENCE) || !in.ReadASN1Integer(i.Serial) ||
		!in.ReadASN1(&at, cbasn1.GeneralizedTime) {
		return i, errors.New("TSTInfo: policy, messageImprint, serialNumber or genTime")
	}
	if !imprint.ReadASN1(&id, cbasn1.SEQUENCE) || !imprint.ReadASN1(&sum, cbasn1.OCTET_STRING) || !imprint.Empty() {
		return i, errors.New("TSTInfo: messageImprint")
	}
	i.Imprint = sum
	if i.Hash, i.HashErr = algo.ReadHashID(id); i.HashErr != nil && !errors.Is(i.HashErr, algo.ErrUnsupported) {
		return i, fmt.Errorf("TSTInfo: %w", i.HashErr)
	}
	if i.HashErr == nil && len(sum) != i.Hash.Size() {
		return i, fmt.Errorf("TSTInfo: imprint of %d bytes for %v", len(sum), i.Hash)
	}
	var err error
	if i.GenTime, err = generalizedTime(string(at)); err != nil {
		return i, fmt.Errorf("TSTInfo: genTime: %w", err)
	}
	return i, i.parseOptional(in)
}

func (i *Info) parseOptional(in cryptobyte.String) error {
	var part cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&part, &has, cbasn1.SEQUENCE) {
		return errors.New("TSTInfo: accuracy")
	}
	if has {
		a, err := parseAccuracy(part)
		if err != nil {
			return err
		}
		i.Accuracy = &a
	}
	if in.PeekASN1Tag(cbasn1.BOOLEAN) && !in.ReadASN1Boolean(&i.Ordering) {
		return errors.New("TSTInfo: ordering")
	}
	if in.PeekASN1Tag(cbasn1.INTEGER) {
		i.Nonce = new(big.Int)
		if !in.ReadASN1Integer(i.Nonce) {
			return errors.New("TSTInfo: nonce")
		}
	}
	if !in.ReadOptionalASN1(&part, &has, contextTag(0)) {
		return errors.New("TSTInfo: tsa")
	}
	if has {
		i.Name = part
	}
	part = nil
	if !in.ReadOptionalASN1(&part, &has, contextTag(1)) || !in.Empty() {
		return errors.New("TSTInfo: extensions")
	}
	for !part.Empty() {
		if err := i.parseExtension(&part); err != nil {
			return err
		}
	}
	return nil
}

func (i *Info) parseExtension(all *cryptobyte.String) error {
	var ext, value, seq cryptobyte.String
	var oid asn1.ObjectIdentifier
	critical := false
	if !all.ReadASN1(&ext, cbasn1.SEQUENCE) || !ext.ReadASN1ObjectIdentifier(&oid) ||
		ext.PeekASN1Tag(cbasn1.BOOLEAN) && !ext.ReadASN1Boolean(&critical) || !ext.ReadASN1(&value, cbasn1.OCTET_STRING) || !ext.Empty() {
		return errors.New("TSTInfo: extension")
	}
	if !oid.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}) { // qcStatements, RFC 3739 §3.2.6
		if critical {
			i.Unknown = append(i.Unknown, oid)
		}
		return nil
	}
	if !value.ReadASN1(&seq, cbasn1.SEQUENCE) || !value.Empty() {
		return errors.New("TSTInfo: qcStatements")
	}
	for !seq.Empty() {
		var statement cryptobyte.String
		if !seq.ReadASN1(&statement, cbasn1.SEQUENCE) || !statement.ReadASN1ObjectIdentifier(&oid) {
			return errors.New("TSTInfo: qcStatements")
		}
		i.Statements = append(i.Statements, oid)
	}
	return nil
}

// parseAccuracy reads seconds, milliseconds and microseconds.
func parseAccuracy(in cryptobyte.String) (time.Duration, error) {
	seconds := int64(0)
	if in.PeekASN1Tag(cbasn1.INTEGER) && !in.ReadASN1Integer(&seconds) {
		return 0, errors.New("TSTInfo: accuracy")
	}
	d := time.Duration(min(max(seconds, 0), 1<<31)) * time.Second
	for _, u := range []struct {
		tag  uint8
		unit time.Duration
	}{{0, time.Millisecond}, {1, time.Microsecond}} {
		var n int64
		if in.PeekASN1Tag(cbasn1.Tag(u.tag).ContextSpecific()) {
			if !in.ReadASN1Int64WithTag(&n, cbasn1.Tag(u.tag).ContextSpecific()) || n < 0 || n > 999 {
				return 0, errors.New("TSTInfo: accuracy")
			}
			d += time.Duration(n) * u.unit
		}
	}
	if seconds < 0 || !in.Empty() {
		return 0, errors.New("TSTInfo: accuracy")
	}
	return d, nil
}

// maxFraction bounds the digits of a fraction of a second. What is finer than a
// nanosecond is read and left out.
const maxFraction = 32

// generalizedTime reads YYYYMMDDhhmmss[.f…]Z (RFC 3161 §2.4.2).
func generalizedTime(s string) (time.Time, error) {
	whole, isUTC := strings.CutSuffix(s, "Z")
	head, fraction, dot := strings.Cut(whole, ".")
	if !isUTC || len(head) != 14 || dot && (fraction == "" || len(fraction) > maxFraction || strings.Trim(fraction, "0123456789") != "" || strings.HasSuffix(fraction, "0")) {
		return time.Time{}, fmt.Errorf("%q is not a time as DER writes it", s)
	}
	t, err := time.Parse("20060102150405", head)
	if err != nil {
		return time.Time{}, err
	}
	if dot {
		ns := 0
		for _, c := range (fraction + "000000000")[:9] {
			ns = ns*10 + int(c-'0')
		}
		t = t.Add(time.Duration(ns))
	}
	return t, nil
}
