package tresor

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// element is one element with what is in it.
type element struct {
	name     xml.Name
	attrs    []xml.Attr // without declarations of namespaces
	children []*element
	text     []byte
	opaque   bool // what is in it was passed over
	filled   bool // if opaque: there was something
	where    string
}

// attr returns an attribute without a namespace.
func (e *element) attr(name string) (string, bool) {
	for _, a := range e.attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

// child returns the first child of a name; nil: there is none.
func (e *element) child(name xml.Name) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// value is the text of the first child of a name, "" if there is none.
func (e *element) value(name xml.Name) string {
	if c := e.child(name); c != nil {
		return string(c.text)
	}
	return ""
}

// faulty makes an ErrFormat that names the place.
func (e *element) faulty(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrFormat, e.where, fmt.Sprintf(format, args...))
}

// growing builds the tree of a document.
type growing struct {
	d     *xml.Decoder
	count int
	stack []*element
	root  *element
}

// parse reads a document into a tree. No entity is looked up anywhere: document type
// declarations are refused, and only the five entities of XML itself are known.
func parse(r io.Reader) (*element, error) {
	in := &io.LimitedReader{R: r, N: MaxSize + 1}
	g := &growing{d: xml.NewDecoder(in)}
	g.d.CharsetReader = func(label string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("encoding %.40q: only UTF-8 is read", label)
	}
	for {
		t, err := g.d.Token()
		if in.N <= 0 {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrFormat, MaxSize)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if err := g.take(t); err != nil {
			return nil, err
		}
	}
	if g.root == nil {
		return nil, fmt.Errorf("%w: no element", ErrFormat)
	}
	return g.root, nil
}

func (g *growing) take(t xml.Token) error {
	switch t := t.(type) {
	case xml.Directive:
		return fmt.Errorf("%w: document type declarations are not allowed", ErrFormat)
	case xml.ProcInst:
		if t.Target != "xml" {
			return fmt.Errorf("%w: processing instruction %.40q is not allowed", ErrFormat, t.Target)
		}
	case xml.StartElement:
		return g.begin(t)
	case xml.EndElement:
		g.stack = g.stack[:len(g.stack)-1]
	case xml.CharData:
		return g.write(t)
	}
	return nil
}

// write takes text. A byte order mark may be before the root.
func (g *growing) write(t xml.CharData) error {
	if len(g.stack) == 0 {
		if len(bytes.TrimSpace(bytes.TrimPrefix(t, []byte("\xef\xbb\xbf")))) > 0 {
			return fmt.Errorf("%w: text outside of the root element", ErrFormat)
		}
		return nil
	}
	if e := g.stack[len(g.stack)-1]; !e.opaque {
		e.text = append(e.text, t...)
	} else if len(bytes.TrimSpace(t)) > 0 {
		e.filled = true
	}
	return nil
}

func (g *growing) begin(t xml.StartElement) error {
	g.count++
	switch {
	case g.count > maxElements:
		return fmt.Errorf("%w: more than %d elements", ErrFormat, maxElements)
	case len(g.stack) >= maxDepth:
		return fmt.Errorf("%w: elements are nested more than %d times", ErrFormat, maxDepth)
	case len(t.Attr) > maxAttrs:
		return fmt.Errorf("%w: <%.60s> has more than %d attributes", ErrFormat, t.Name.Local, maxAttrs)
	case len(g.stack) == 0 && g.root != nil:
		return fmt.Errorf("%w: more than one root element", ErrFormat)
	}
	e := &element{name: t.Name, where: t.Name.Local}
	for i, a := range t.Attr {
		if len(a.Value) > maxText {
			return fmt.Errorf("%w: attribute %.60q of <%.60s> is longer than %d bytes", ErrFormat, a.Name.Local, t.Name.Local, maxText)
		}
		for _, b := range t.Attr[:i] {
			if a.Name == b.Name {
				return fmt.Errorf("%w: <%.60s> has the attribute %.60q twice", ErrFormat, t.Name.Local, a.Name.Local)
			}
		}
		if a.Name.Space != xmlnsPrefix && (a.Name.Space != "" || a.Name.Local != xmlnsPrefix) {
			e.attrs = append(e.attrs, a)
		}
	}
	if len(g.stack) == 0 {
		g.root = e
	} else {
		parent := g.stack[len(g.stack)-1]
		if e.where = parent.where + "/" + t.Name.Local; len(e.where) > 500 {
			e.where = t.Name.Local
		}
		e.opaque = parent.opaque || opaque(t.Name)
		if parent.opaque {
			parent.filled = true
		} else {
			parent.children = append(parent.children, e)
		}
	}
	g.stack = append(g.stack, e)
	return nil
}

// blank reports whether there is nothing but space between the children.
func (e *element) blank() bool { return strings.TrimSpace(string(e.text)) == "" }
