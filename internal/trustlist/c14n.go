package trustlist

import (
	"cmp"
	"slices"
	"strings"
)

// canonical returns the exclusive canonical form (W3C Exclusive XML
// Canonicalization 1.0, without comments) of an element and all below it but
// without, which is left out. inclusive are prefixes that are treated as the
// inclusive form treats them.
func canonical(n, without *node, inclusive []string) []byte {
	c := &canonicaliser{without: without, inclusive: inclusive}
	c.element(n, map[string]string{})
	return []byte(c.out.String())
}

// whole returns the inclusive canonical form of an element (W3C Canonical XML 1.0,
// without comments), which references without transforms mean.
func whole(n *node) []byte {
	c := &canonicaliser{all: true}
	apex := *n
	for p := n.parent; p != nil; p = p.parent { // §2.4: what xml: says above is said here
		for _, a := range p.attrs {
			if a.space == xmlSpace && !slices.ContainsFunc(apex.attrs, func(b attr) bool { return b.space == xmlSpace && b.local == a.local }) {
				apex.attrs = append(slices.Clip(apex.attrs), a)
			}
		}
	}
	c.element(&apex, map[string]string{})
	return []byte(c.out.String())
}

type canonicaliser struct {
	all       bool // declarations that nobody uses as well
	out       strings.Builder
	without   *node
	inclusive []string
}

var (
	textEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	attrEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

// element writes n. rendered are the declarations that its ancestors in the output
// have made.
func (c *canonicaliser) element(n *node, rendered map[string]string) {
	name := qualified(n.prefix, n.local)
	c.out.WriteString("<" + name)
	declared := c.declarations(n, rendered)
	if len(declared) > 0 {
		again := make(map[string]string, len(rendered)+len(declared))
		for k, v := range rendered {
			again[k] = v
		}
		rendered = again
	}
	for _, d := range declared {
		rendered[d.prefix] = d.space
		c.out.WriteString(" xmlns")
		if d.prefix != "" {
			c.out.WriteString(":" + d.prefix)
		}
		c.out.WriteString(`="` + attrEscape.Replace(d.space) + `"`)
	}
	attrs := slices.Clone(n.attrs)
	slices.SortFunc(attrs, func(a, b attr) int { return cmp.Or(cmp.Compare(a.space, b.space), cmp.Compare(a.local, b.local)) })
	for _, a := range attrs {
		c.out.WriteString(" " + qualified(a.prefix, a.local) + `="` + attrEscape.Replace(a.value) + `"`)
	}
	c.out.WriteString(">")
	for _, child := range n.children {
		switch {
		case child == c.without:
		case child.kind == element:
			c.element(child, rendered)
		case child.kind == text:
			c.out.WriteString(textEscape.Replace(child.data))
		default:
			c.out.WriteString("<?" + child.local)
			if child.data != "" {
				c.out.WriteString(" " + strings.ReplaceAll(child.data, "\r", "&#xD;"))
			}
			c.out.WriteString("?>")
		}
	}
	c.out.WriteString("</" + name + ">")
}

// declarations lists what n has to declare: the prefixes that it and its attributes
// use and those that are treated inclusively, unless the output has them already.
func (c *canonicaliser) declarations(n *node, rendered map[string]string) []declaration {
	used := []string{n.prefix}
	for _, a := range n.attrs {
		if a.prefix != "" {
			used = append(used, a.prefix)
		}
	}
	for _, p := range c.inclusive {
		if p == "#default" {
			p = ""
		}
		if _, ok := n.lookup(p); ok {
			used = append(used, p)
		}
	}
	for p := n; c.all && p != nil; p = p.parent {
		for _, d := range p.declared {
			used = append(used, d.prefix)
		}
	}
	slices.Sort(used)
	var list []declaration
	for _, prefix := range slices.Compact(used) {
		if prefix == "xml" {
			continue
		}
		space, _ := n.lookup(prefix)
		if have, ok := rendered[prefix]; ok && have == space || !ok && prefix == "" && space == "" {
			continue
		}
		list = append(list, declaration{prefix, space})
	}
	return list
}

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}
