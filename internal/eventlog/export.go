package eventlog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// exportFormat begins the first line of an exported log.
const exportFormat = "muniment log 1 "

// ExportWriter writes a whole log into a file, so that a stranger can compute
// everything again. Lines end with a line feed:
//
//	muniment log 1 ORIGIN SIZE
//	canonical leaf of event 0
//	…
//	(empty line)
//	a receipt of exactly this size
//
// The hash of a leaf is SHA-256(0x00 ‖ line without its line feed), that of an
// inner node SHA-256(0x01 ‖ left ‖ right): RFC 9162 §2.1.
type ExportWriter struct {
	w    *bufio.Writer
	size int64
	next int64
}

// NewExportWriter begins a log of size events.
func NewExportWriter(w io.Writer, origin string, size int64) (*ExportWriter, error) {
	e := &ExportWriter{w: bufio.NewWriter(w), size: size}
	_, err := fmt.Fprintf(e.w, "%s%s %d\n", exportFormat, origin, size)
	return e, err
}

// Leaf writes the next event.
func (e *ExportWriter) Leaf(encoded []byte) error {
	e.next++
	_, err := e.w.Write(append(encoded[:len(encoded):len(encoded)], '\n'))
	return err
}

// Close ends the file with a receipt.
func (e *ExportWriter) Close(r *Receipt) error {
	if e.next != e.size {
		return fmt.Errorf("exported %d events of %d", e.next, e.size)
	}
	b, err := r.Encode()
	if err != nil {
		return err
	}
	if err := e.w.WriteByte('\n'); err != nil {
		return err
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.w.Flush()
}

// Export is an exported log that was computed again: every leaf is in canonical
// form, numbered without gaps and of the same log, and together they have the
// root that the receipt signs.
type Export struct {
	Receipt *OpenReceipt
	// Heads are those of the sizes that were asked for, as far as the log had them.
	Heads map[int64]Head
}

// ReadExport computes an exported log again. heads are the sizes whose heads are
// wanted; each is called with every event, if it is not nil.
func ReadExport(r io.Reader, heads []int64, each func(*Leaf) error) (*Export, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	origin, size, err := exportHeader(in)
	if err != nil {
		return nil, err
	}
	_, tenant, err := splitOrigin(origin)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	out := &Export{Heads: map[int64]Head{}}
	wanted := map[int64]bool{}
	for _, h := range heads {
		wanted[h] = true
	}
	var tree Frontier
	if wanted[0] {
		out.Heads[0] = tree.Head()
	}
	for seq := range size {
		line, err := exportLine(in)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", seq, err)
		}
		l, err := ParseLeaf([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("event %d: %w: %w", seq, ErrFormat, err)
		}
		if l.Seq != seq || l.Tenant != tenant {
			return nil, fmt.Errorf("event %d: %w: it is number %d of the log of %s", seq, ErrProof, l.Seq, l.Tenant)
		}
		tree.Append(LeafHash([]byte(line)), nil)
		if wanted[seq+1] {
			out.Heads[seq+1] = tree.Head()
		}
		if each != nil {
			if err := each(l); err != nil {
				return nil, err
			}
		}
	}
	return out, out.seal(in, origin, tree.Head())
}

// seal compares what was computed with the receipt at the end.
func (e *Export) seal(in *bufio.Reader, origin string, head Head) error {
	if line, err := exportLine(in); err != nil || line != "" {
		return fmt.Errorf("%w: after the last event an empty line is missing", ErrFormat)
	}
	b, err := io.ReadAll(io.LimitReader(in, maxReceipt+1))
	if err != nil {
		return err
	}
	r, err := ParseReceipt(b)
	if err != nil {
		return err
	}
	if e.Receipt, err = r.Open(); err != nil {
		return err
	}
	if e.Receipt.Origin != origin || e.Receipt.Head != head {
		return fmt.Errorf("the events do not have the root that is signed: %w", ErrProof)
	}
	e.Heads[head.Size] = head
	return nil
}

func exportHeader(in *bufio.Reader) (origin string, size int64, err error) {
	line, err := exportLine(in)
	rest, ok := strings.CutPrefix(line, exportFormat)
	origin, number, _ := strings.Cut(rest, " ")
	if err == nil && ok {
		size, err = strconv.ParseInt(number, 10, 64)
	}
	if err == nil && (!ok || strconv.FormatInt(size, 10) != number || sized(size) != nil) {
		err = errors.New("no exported event log")
	}
	if err != nil {
		return "", 0, fmt.Errorf("%w: first line: %w", ErrFormat, err)
	}
	return origin, size, nil
}

// exportLine reads a line without its end.
func exportLine(in *bufio.Reader) (string, error) {
	b, err := in.ReadSlice('\n')
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return string(b[:len(b)-1]), nil
}
