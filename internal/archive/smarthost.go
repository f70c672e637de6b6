package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// ErrNoSmarthost is returned (wrapped) when mail is to be sent and nobody has set
// how.
var ErrNoSmarthost = errors.New("no smarthost is set: the archive cannot send mail")

// SmarthostView is the settings of the smarthost. The password never comes out
// with them.
type SmarthostView struct {
	remote.Smarthost
	HasSecret bool
}

// SmarthostDraft is what somebody wants the smarthost to be.
type SmarthostDraft struct {
	remote.Smarthost
	// Secret is the password; nil leaves the old one, an empty one removes it.
	Secret []byte
}

// smarthostSecret is the name under which the password is sealed.
const smarthostSecret = "smarthost"

// Smarthost returns the settings. ErrNoSmarthost if nothing is set.
func (h *Handle) Smarthost(ctx context.Context) (*SmarthostView, error) {
	if err := h.actor.Check(access.ManageMail); err != nil {
		return nil, err
	}
	return h.a.Smarthost(ctx, uid.ID{})
}

// SetSmarthost sets how mail of the installation leaves, and has everything that
// waits tried at once. What is wrong is told as *setting.Errors joined.
func (h *Handle) SetSmarthost(ctx context.Context, d SmarthostDraft) error {
	if err := h.actor.Check(access.ManageMail); err != nil {
		return err
	}
	return h.a.setSmarthost(ctx, d, h.event)
}

// RemoveSmarthost has no mail leave any more; what waits stays. ErrNoSmarthost if
// nothing is set.
func (h *Handle) RemoveSmarthost(ctx context.Context) error {
	if err := h.actor.Check(access.ManageMail); err != nil {
		return err
	}
	return h.a.removeSmarthost(ctx, h.event)
}

// SetSmarthost is Handle.SetSmarthost, for the operator on the command line.
func (a *Archive) SetSmarthost(ctx context.Context, d SmarthostDraft) error {
	return a.setSmarthost(ctx, d, a.cliEvent)
}

// RemoveSmarthost is Handle.RemoveSmarthost, for the operator on the command line.
func (a *Archive) RemoveSmarthost(ctx context.Context) error {
	return a.removeSmarthost(ctx, a.cliEvent)
}

// Smarthost returns how mail of a tenant leaves; the zero tenant is the
// installation. At present all mail leaves by that of the installation: this is
// the place for those that a tenant or reseller sets. ErrNoSmarthost.
func (a *Archive) Smarthost(ctx context.Context, tenant uid.ID) (*SmarthostView, error) {
	_, v, err := a.smarthost(ctx, tenant)
	return v, err
}

// SmarthostSecret returns the password to Smarthost; nil if there is none.
func (a *Archive) SmarthostSecret(ctx context.Context, tenant uid.ID) ([]byte, error) {
	row, _, err := a.smarthost(ctx, tenant)
	if err != nil || len(row.Secret) == 0 {
		return nil, err
	}
	return a.vault.OpenInstance(smarthostSecret, row.Secret)
}

func (a *Archive) smarthost(ctx context.Context, _ uid.ID) (*catalog.Smarthost, *SmarthostView, error) {
	row, err := a.catalog.Smarthost(ctx, uid.ID{})
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil, ErrNoSmarthost
	}
	if err != nil {
		return nil, nil, err
	}
	set, err := remote.ParseSmarthost(row.Settings)
	if err != nil {
		return nil, nil, fmt.Errorf("settings of the smarthost: %w", err)
	}
	return row, &SmarthostView{Smarthost: set, HasSecret: len(row.Secret) > 0}, nil
}

// describeAct makes the event of an act.
type describeAct func(action, object string, details map[string]string) *catalog.Event

func (a *Archive) setSmarthost(ctx context.Context, d SmarthostDraft, act describeAct) error {
	if err := d.Check(); err != nil {
		return err
	}
	old, oldView, err := a.smarthost(ctx, uid.ID{})
	damaged := len(rowErrors(err)) > 0 // is set anew
	if err != nil && !damaged && !errors.Is(err, ErrNoSmarthost) {
		return err
	}
	b, err := json.Marshal(d.Smarthost)
	if err != nil {
		return err
	}
	row := &catalog.Smarthost{Settings: b}
	switch {
	case d.Secret == nil && old != nil:
		row.Secret = old.Secret
	case len(d.Secret) > 0:
		if row.Secret, err = a.vault.SealInstance(smarthostSecret, d.Secret); err != nil {
			return err
		}
	}
	details := map[string]string{}
	if oldView != nil {
		addSettings(details, "before.", oldView.Smarthost)
	}
	addSettings(details, "after.", d.Smarthost)
	if d.Secret != nil {
		details["password"] = "changed"
	}
	if err := a.catalog.SetSmarthost(ctx, row, act("smarthost.changed", "", details)); err != nil {
		return err
	}
	return a.catalog.HurryOutbox(ctx, a.now())
}

func (a *Archive) removeSmarthost(ctx context.Context, act describeAct) error {
	_, old, err := a.smarthost(ctx, uid.ID{})
	if err != nil && len(rowErrors(err)) == 0 {
		return err
	}
	details := map[string]string{}
	if old != nil {
		addSettings(details, "before.", old.Smarthost)
	}
	return a.catalog.DeleteSmarthost(ctx, uid.ID{}, act("smarthost.removed", "", details))
}

// addSettings writes settings, of which none is secret, as details of an event.
func addSettings(details map[string]string, prefix string, s remote.Smarthost) {
	all := map[string]string{"host": s.Host, "port": fmt.Sprint(s.UsualPort()), "tls": s.TLS, "ca": s.CA, "pin": s.Pin, "user": s.User, "from": s.From, "name": s.Name}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if all[k] != "" {
			details[prefix+k] = all[k]
		}
	}
}
