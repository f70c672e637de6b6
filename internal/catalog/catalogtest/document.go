package catalogtest

import (
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// testDocuments keeps the same bytes as mail and as the documents of several owners:
// each is known as what it is, and none can be there twice.
func testDocuments(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	b := batch("same", 3)
	for i, m := range b.Messages {
		m.SHA256 = b.Messages[0].SHA256
		if i > 0 {
			m.Document = [32]byte{byte(i)}
			m.Facts = catalog.Facts{Version: 1, Subject: "Invoice", File: &catalog.File{Name: "a.pdf", Type: "application/pdf", Date: "1999-12-31"}}
		}
	}
	e.commit(t, tenant, b)
	for i, m := range b.Messages {
		back := got(e.Message(ctx, tenant, m.AOID))(t)
		same(t, "document", back.Document, m.Document)
		same(t, "file", back.Facts.File, m.Facts.File)
		same(t, "number", back.Seq, int64(i+1))
	}
	same(t, "known as mail", got(e.Known(ctx, tenant, [][32]byte{b.Messages[0].SHA256, {1}}))(t), map[[32]byte]uid.ID{b.Messages[0].SHA256: b.Messages[0].AOID})
	same(t, "known as documents", got(e.KnownDocuments(ctx, tenant, [][32]byte{{1}, {2}, {3}, b.Messages[0].SHA256}))(t),
		map[[32]byte]uid.ID{{1}: b.Messages[1].AOID, {2}: b.Messages[2].AOID})
	same(t, "documents across the wall", got(e.KnownDocuments(ctx, other, [][32]byte{{1}}))(t), map[[32]byte]uid.ID{})
	again := batch("again", 1)
	again.Messages[0].Document = [32]byte{2}
	mustBe(t, "the same document twice", e.Commit(ctx, tenant, again), catalog.ErrTaken)
	mail := batch("mail", 1)
	mail.Messages[0].SHA256 = b.Messages[0].SHA256
	mustBe(t, "the same mail twice", e.Commit(ctx, tenant, mail), catalog.ErrTaken)
	e.commit(t, other, batch("same", 1))
}
