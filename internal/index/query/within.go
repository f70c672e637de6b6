package query

import "time"

// Within narrows q to what limit finds as well, if it is not nil, and to documents of
// a time, From <= date < To, where a zero bound is open. Text, chips and marks stay
// those of q: whoever typed it is told of nothing else.
func (q *Query) Within(limit *Query, from, to time.Time) *Query {
	var nodes []Node
	if q.root != nil {
		nodes = append(nodes, q.root)
	}
	if limit != nil && limit.root != nil {
		nodes = append(nodes, limit.root)
	}
	if !from.IsZero() || !to.IsZero() {
		nodes = append(nodes, &Date{Field: FieldDate, From: from, To: to})
	}
	narrow := *q
	narrow.root = flattened(nodes)
	return &narrow
}

// flattened joins trees of which all must match.
func flattened(nodes []Node) Node {
	switch nodes = flatten(nodes, false); len(nodes) {
	case 0:
		return nil
	case 1:
		return nodes[0]
	}
	return &And{Nodes: nodes}
}
