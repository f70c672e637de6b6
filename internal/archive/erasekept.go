package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// ErrKept is matched by a *KeptError.
var ErrKept = errors.New("must not be deleted")

// KeptMessage is a message that must stay, and why.
type KeptMessage struct {
	AOID  uid.ID
	Class string
	Due   time.Time
	Holds []uid.ID
	// With are messages without which it cannot be deleted.
	With []uid.ID
	// Missing says that it is not there.
	Missing bool
}

// KeptError refuses a deletion. It names every message that stands in the way.
type KeptError struct{ List []KeptMessage }

// Error implements error.
func (e *KeptError) Error() string {
	s := fmt.Sprintf("%d messages must not be deleted", len(e.List))
	for i, k := range e.List {
		if i == 5 {
			return s + "; …"
		}
		s += "; " + k.String()
	}
	return s
}

// Is makes it match ErrKept.
func (e *KeptError) Is(target error) bool { return target == ErrKept }

// String says why a message must stay.
func (k KeptMessage) String() string {
	switch {
	case k.Missing:
		return fmt.Sprintf("%s is not there", k.AOID)
	case len(k.Holds) > 0:
		return fmt.Sprintf("%s (class %s) is on hold %s", k.AOID, k.Class, k.Holds[0])
	case len(k.With) > 0:
		return fmt.Sprintf("%s came or belongs together with %s: delete them in one request", k.AOID, k.With[0])
	}
	return fmt.Sprintf("%s (class %s) is kept until %s", k.AOID, k.Class, k.Due.Format(time.DateOnly))
}

// mayGo returns what is known of the retention of messages, or a *KeptError that names all
// that must stay: those on hold, those that are not there, and those that judge refuses.
func (a *Archive) mayGo(ctx context.Context, tenant uid.ID, list []uid.ID, judge func(uid.ID, Retained) *KeptMessage) (map[uid.ID]Retained, error) {
	kept, err := a.retained(ctx, tenant, list)
	if err != nil {
		return nil, err
	}
	refused := &KeptError{}
	for _, id := range list {
		r, there := kept[id]
		switch {
		case !there:
			refused.List = append(refused.List, KeptMessage{AOID: id, Missing: true})
		case len(r.Holds) > 0:
			refused.List = append(refused.List, KeptMessage{AOID: id, Class: r.Class, Due: r.Due, Holds: r.Holds})
		default:
			if k := judge(id, r); k != nil {
				refused.List = append(refused.List, *k)
			}
		}
	}
	if len(refused.List) > 0 {
		return nil, refused
	}
	return kept, nil
}
