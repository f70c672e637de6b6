package trustlist

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// xmlSpace is the namespace that the prefix xml always means.
const xmlSpace = "http://www.w3.org/XML/1998/namespace"

type kind int

const (
	element kind = iota
	text
	instruction
)

// node is an element, a text or a processing instruction. Comments are left out:
// neither the canonical form nor the list has a use for them.
type node struct {
	kind     kind
	prefix   string
	space    string // namespace
	local    string // of an instruction: its target
	data     string // of texts and instructions
	attrs    []attr
	declared []declaration
	parent   *node
	children []*node
}

type attr struct{ prefix, space, local, value string }

type declaration struct{ prefix, space string }

// parse reads a document. One with a document type is refused: it could define
// entities and default attributes.
func parse(b []byte) (*node, error) {
	if len(b) > maxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrList, len(b), maxBytes)
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	p := &parser{d: xml.NewDecoder(bytes.NewReader(b))}
	p.d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(label, "utf-8") {
			return in, nil
		}
		return nil, fmt.Errorf("character set %.20q", label)
	}
	if err := p.run(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	return p.root, nil
}

type parser struct {
	d       *xml.Decoder
	root    *node
	current *node
	depth   int
	count   int
}

func (p *parser) run() error {
	for {
		t, err := p.d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := p.token(t); err != nil {
			return err
		}
	}
	if p.root == nil || p.current != nil {
		return errors.New("the document is not complete")
	}
	return nil
}

func (p *parser) token(t xml.Token) error {
	if p.count++; p.count > maxNodes {
		return fmt.Errorf("more than %d nodes", maxNodes)
	}
	switch t := t.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		if p.current == nil || p.current.prefix != t.Name.Space || p.current.local != t.Name.Local {
			return fmt.Errorf("element %.60q ends where it did not begin", t.Name.Local)
		}
		p.current = p.current.parent
		p.depth--
	case xml.CharData:
		if p.current == nil {
			if len(bytes.TrimSpace(t)) > 0 {
				return errors.New("text outside of the document")
			}
			return nil
		}
		p.add(&node{kind: text, data: string(t)})
	case xml.ProcInst:
		if p.current != nil {
			p.add(&node{kind: instruction, local: t.Target, data: string(t.Inst)})
		} else if t.Target != "xml" {
			return errors.New("a processing instruction outside of the document")
		}
	case xml.Directive:
		return errors.New("a document type is not allowed")
	}
	return nil
}

func (p *parser) add(n *node) {
	n.parent = p.current
	p.current.children = append(p.current.children, n)
}

func (p *parser) start(t xml.StartElement) error {
	if p.depth++; p.depth > maxDepth {
		return fmt.Errorf("elements in each other more than %d deep", maxDepth)
	}
	if len(t.Attr) > maxAttrs {
		return fmt.Errorf("an element with %d attributes", len(t.Attr))
	}
	n := &node{prefix: t.Name.Space, local: t.Name.Local, parent: p.current}
	if err := n.take(t.Attr); err != nil {
		return err
	}
	var ok bool
	if n.space, ok = n.lookup(n.prefix); !ok {
		return fmt.Errorf("prefix %.60q is not declared", n.prefix)
	}
	switch {
	case p.current != nil:
		p.add(n)
	case p.root == nil:
		p.root = n
	default:
		return errors.New("more than one root")
	}
	p.current = n
	return nil
}

// take reads attributes and declarations.
func (n *node) take(list []xml.Attr) error {
	for _, a := range list {
		value := whiteSpace.Replace(a.Value) // XML 1.0 §3.3.3
		switch {
		case a.Name.Space == "xmlns":
			if value == "" || a.Name.Local == "xml" || a.Name.Local == "xmlns" {
				return fmt.Errorf("declaration of the prefix %.60q", a.Name.Local)
			}
			n.declared = append(n.declared, declaration{a.Name.Local, value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			n.declared = append(n.declared, declaration{"", value})
		default:
			n.attrs = append(n.attrs, attr{prefix: a.Name.Space, local: a.Name.Local, value: value})
		}
	}
	seen := map[[2]string]bool{}
	for i := range n.attrs {
		a := &n.attrs[i]
		if a.prefix != "" {
			var ok bool
			if a.space, ok = n.lookup(a.prefix); !ok {
				return fmt.Errorf("prefix %.60q is not declared", a.prefix)
			}
		}
		if seen[[2]string{a.space, a.local}] {
			return fmt.Errorf("attribute %.60q twice", a.local)
		}
		seen[[2]string{a.space, a.local}] = true
	}
	for i, d := range n.declared {
		for _, other := range n.declared[:i] {
			if d.prefix == other.prefix {
				return fmt.Errorf("prefix %.60q declared twice", d.prefix)
			}
		}
	}
	return nil
}

// whiteSpace is what literal white space in an attribute becomes. A reference such
// as &#10; would stay, but the decoder does not tell them apart: then a signature
// does not hold, which is the safe side.
var whiteSpace = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

// lookup returns the namespace of a prefix. No prefix without a declaration is no
// namespace.
func (n *node) lookup(prefix string) (string, bool) {
	if prefix == "xml" {
		return xmlSpace, true
	}
	for ; n != nil; n = n.parent {
		for _, d := range n.declared {
			if d.prefix == prefix {
				return d.space, true
			}
		}
	}
	return "", prefix == ""
}

// is reports whether n is the element of a name.
func (n *node) is(space, local string) bool {
	return n.kind == element && n.space == space && n.local == local
}

// all returns the children of a name.
func (n *node) all(space, local string) (list []*node) {
	for _, c := range n.children {
		if c.is(space, local) {
			list = append(list, c)
		}
	}
	return list
}

// path goes down by local names in a namespace; nil if there is nothing.
func (n *node) path(space string, names ...string) *node {
	for _, name := range names {
		if n == nil {
			return nil
		}
		list := n.all(space, name)
		if len(list) == 0 {
			return nil
		}
		n = list[0]
	}
	return n
}

// content is the text of an element, without what surrounds it; "" for nil.
func (n *node) content() string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for _, c := range n.children {
		if c.kind == text {
			b.WriteString(c.data)
		}
	}
	return strings.TrimSpace(b.String())
}

func (n *node) attr(space, local string) string {
	for _, a := range n.attrs {
		if a.space == space && a.local == local {
			return a.value
		}
	}
	return ""
}

// walk calls do for n and every element below it.
func (n *node) walk(do func(*node)) {
	if n.kind != element {
		return
	}
	do(n)
	for _, c := range n.children {
		c.walk(do)
	}
}
