package archive

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// An evidence record covers a message as a group of members (RFC 4998 §3.2.1):
//
//	original  the bytes
//	metadata  what the vault's record tells of its arrival, in canonical JSON
//	report    the journal report in which it came, if it came in one
//
// That of a version of a package covers, in place of the original, each part that its
// manifest protects.
//
// The metadata can be made from the vault again at any time, byte for byte: it holds
// nothing that can change. docs/format-evidence.md, "Members", specifies it.

// Names of members.
const (
	memberOriginal = "original"
	memberReport   = "report"
)

// firstVersion is the version of an archived object. Only packages have others: what is
// archived is never replaced.
const firstVersion = 1

// packageMembers is the first byte of Message.Members of a version of a package. It
// tells that the original is none of its members: parts of it are.
const packageMembers = 'P'

// reportSums are what is known of a journal report.
type reportSums struct {
	sha256 [32]byte
	sha512 [64]byte
	size   int64
}

// sumsOfReport returns the sums of the report in which a message came, nil if it
// came in none. whole is set if its SHA-512 is not known: records of former releases
// lack it, and it has to be computed from the report.
func sumsOfReport(j *catalog.Journal) (r *reportSums, whole bool, err error) {
	if j == nil || j.SHA256 == "" {
		return nil, false, nil
	}
	r = &reportSums{size: j.Size}
	b, err := hex.DecodeString(j.SHA256)
	if err != nil || len(b) != len(r.sha256) {
		return nil, false, fmt.Errorf("journal report: %.70q is no SHA-256", j.SHA256)
	}
	copy(r.sha256[:], b)
	if j.SHA512 == "" {
		return r, true, nil
	}
	if b, err = hex.DecodeString(j.SHA512); err != nil || len(b) != len(r.sha512) {
		return nil, false, fmt.Errorf("journal report: %.140q is no SHA-512", j.SHA512)
	}
	copy(r.sha512[:], b)
	return r, false, nil
}

// membersOf makes Message.Members.
func membersOf(metadata []byte, report *reportSums, rec *record) []byte {
	m := sha256.Sum256(metadata)
	if v := rec.version(); v != nil {
		return v.members(m)
	}
	out := m[:]
	if report != nil {
		out = append(out, report.sha256[:]...)
	}
	return out
}

// group lists the SHA-256 of all members of a message: of its original, and of what
// Message.Members tells.
func group(original, members []byte) [][]byte {
	if len(members)%sha256.Size == 1 && members[0] == packageMembers {
		return slices.Collect(slices.Chunk(members[1:], sha256.Size))
	}
	return append([][]byte{original}, slices.Collect(slices.Chunk(members, sha256.Size))...)
}

// setMembers fills row.Members of a message that is being archived. meta is rec as
// it rests in the vault.
func setMembers(row *catalog.Message, rec *record, meta []byte) error {
	if !validText(rec) { // bytes that are no UTF-8 come back as others
		var err error
		if rec, err = decodeRecord(meta); err != nil {
			return err
		}
	}
	report, whole, err := sumsOfReport(rec.Capture.Journal)
	if err != nil {
		return err
	}
	if whole {
		return errors.New("journal report without SHA-512")
	}
	metadata, err := metadataMember(row, rec, report)
	row.Members = membersOf(metadata, report, rec)
	return err
}

// validText reports whether all text of rec that the metadata takes over is UTF-8.
func validText(rec *record) bool {
	c := &rec.Capture
	list := append([]string{rec.Class, c.From}, c.To...)
	for _, s := range list {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// protected is what an evidence record covers beside the original.
type protected struct {
	metadata []byte
	report   *reportSums
	record   *record
}

// protected makes the members of a message anew from the vault.
func (a *Archive) protected(ctx context.Context, row *catalog.Message) (*protected, error) {
	meta, err := a.meta(ctx, row)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", row.AOID, err)
	}
	rec, err := decodeRecord(meta)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", row.AOID, err)
	}
	return a.protectedBy(ctx, row, rec)
}

func (a *Archive) protectedBy(ctx context.Context, row *catalog.Message, rec *record) (*protected, error) {
	report, whole, err := sumsOfReport(rec.Capture.Journal)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", row.AOID, err)
	}
	if whole {
		r := &reportReader{ctx: ctx, a: a, tenant: row.Tenant, left: rec.Capture.Report, free: func() {}}
		h256, h512 := sha256.New(), sha512.New()
		_, err := io.Copy(io.MultiWriter(h256, h512), r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("journal report of message %s: %w", row.AOID, err)
		}
		if [32]byte(h256.Sum(nil)) != report.sha256 {
			return nil, fmt.Errorf("journal report of message %s: %w", row.AOID, vault.ErrCorrupt)
		}
		report.sha512 = [64]byte(h512.Sum(nil))
	}
	p := &protected{report: report, record: rec}
	p.metadata, err = metadataMember(row, rec, report)
	return p, err
}

// meta reads what the vault keeps beside a message. A compaction may move it
// meanwhile.
func (a *Archive) meta(ctx context.Context, row *catalog.Message) ([]byte, error) {
	for {
		b, err := a.vault.Meta(ctx, row.Tenant, vault.Ref{Segment: row.Segment, Frame: row.Frame})
		if !errors.Is(err, vault.ErrNotFound) {
			return b, err
		}
		now, again := a.catalog.Message(ctx, row.Tenant, row.AOID)
		if again != nil || now.Segment == row.Segment && now.Frame == row.Frame {
			return nil, err
		}
		row = now
	}
}

// fillMembers computes the members of messages whose rows lack them, and stores
// them. What cannot be read is missing in the answer, and in the error.
func (a *Archive) fillMembers(ctx context.Context, tenant uid.ID, aoids []uid.ID) (map[uid.ID][]byte, error) {
	rows, err := a.catalog.Messages(ctx, tenant, aoids)
	bad := []error{}
	if err != nil {
		if len(rowErrors(err)) == 0 {
			return nil, err
		}
		bad = append(bad, err)
	}
	out := make(map[uid.ID][]byte, len(rows))
	for _, row := range rows {
		if len(row.Members) > 0 {
			out[row.AOID] = row.Members
			continue
		}
		p, err := a.protected(ctx, row)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			bad = append(bad, err)
			continue
		}
		out[row.AOID] = membersOf(p.metadata, p.report, p.record)
	}
	if err := a.catalog.SetMembers(ctx, tenant, out); err != nil {
		return nil, err
	}
	return out, errors.Join(bad...)
}
