package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/setting"
	"github.com/muniment/muniment/internal/uid"
)

// SealView is how objects are sealed. Secrets never come out with it.
type SealView struct {
	seal.Setting
	HasSecret map[string]bool // by the name of the authority
}

// SealDraft is how somebody wants objects to be sealed.
type SealDraft struct {
	seal.Setting
	// Secrets are the passwords, tokens or keys by the name of the authority. One
	// that is not among them stays, if it leads to the same server as before.
	Secrets map[string]string
}

// sealSecret is the name under which the secrets are sealed.
const sealSecret = "authorities"

// SealSetting returns how objects are sealed.
func (h *Handle) SealSetting(ctx context.Context) (*SealView, error) {
	if err := h.actor.Check(access.ManageEvidence); err != nil {
		return nil, err
	}
	return h.a.SealSetting(ctx)
}

// SetSealSetting sets how objects are sealed, and has pending batches tried at once.
// What is wrong is told as *setting.Errors joined.
func (h *Handle) SetSealSetting(ctx context.Context, d SealDraft) error {
	if err := h.actor.Check(access.ManageEvidence); err != nil {
		return err
	}
	return h.a.setSealSetting(ctx, d, h.event)
}

// SetSealSetting is Handle.SetSealSetting, for the operator on the command line.
func (a *Archive) SetSealSetting(ctx context.Context, d SealDraft) error {
	return a.setSealSetting(ctx, d, a.cliEvent)
}

// SealSetting returns how objects are sealed: as long as nobody has set anything, no
// authority is asked.
func (a *Archive) SealSetting(ctx context.Context) (*SealView, error) {
	v, _, err := a.sealSetting(ctx)
	return v, err
}

// SealSecrets returns the secrets of the authorities, by name.
func (a *Archive) SealSecrets(ctx context.Context) (map[string]string, error) {
	_, secrets, err := a.sealSetting(ctx)
	return secrets, err
}

func (a *Archive) sealSetting(ctx context.Context) (*SealView, map[string]string, error) {
	v, secrets := &SealView{Setting: seal.Default(), HasSecret: map[string]bool{}}, map[string]string{}
	row, err := a.catalog.SealSetting(ctx, uid.ID{})
	if errors.Is(err, catalog.ErrNotFound) {
		return v, secrets, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if v.Setting, err = seal.ParseSetting(row.Settings); err != nil {
		return nil, nil, fmt.Errorf("settings of sealing: %w", err)
	}
	if len(row.Secret) > 0 {
		b, err := a.vault.OpenInstance(sealSecret, row.Secret)
		if err != nil {
			return nil, nil, err
		}
		if err := json.Unmarshal(b, &secrets); err != nil {
			return nil, nil, fmt.Errorf("secrets of sealing: %w", err)
		}
	}
	for name := range secrets {
		v.HasSecret[name] = true
	}
	return v, secrets, nil
}

func (a *Archive) setSealSetting(ctx context.Context, d SealDraft, act describeAct) error {
	d.Setting = d.Normal()
	old, had, err := a.sealSetting(ctx)
	if err != nil {
		if len(rowErrors(err)) == 0 {
			return err
		}
		old, had = &SealView{}, nil // is set anew
	}
	errs := []error{d.Check()}
	secrets, details := map[string]string{}, map[string]string{}
	for i, x := range d.Authorities {
		secret, given := d.Secrets[x.Name]
		if !given {
			secret = oldSecret(old, had, x)
		}
		if err := x.CheckSecret(secret); err != nil {
			var f *setting.Error
			if errors.As(err, &f) {
				err = &setting.Error{Field: "authorities[" + strconv.Itoa(i) + "]." + f.Field, Text: f.Text}
			}
			errs = append(errs, err)
		}
		if secret != "" && x.Auth != seal.AuthNone {
			secrets[x.Name] = secret
			if given {
				details["secret."+x.Name] = "changed"
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	row := &catalog.SealSetting{}
	if row.Settings, err = json.Marshal(d.Setting); err != nil {
		return err
	}
	if len(secrets) > 0 {
		b, err := json.Marshal(secrets)
		if err != nil {
			return err
		}
		if row.Secret, err = a.vault.SealInstance(sealSecret, b); err != nil {
			return err
		}
	}
	addSealSettings(details, "before.", old.Setting)
	addSealSettings(details, "after.", d.Setting)
	if err := a.catalog.SetSealSetting(ctx, row, act("sealing.changed", "", details)); err != nil {
		return err
	}
	return a.catalog.HurrySeals(ctx, a.now())
}

// oldSecret is the stored secret of an authority, if it may be shown to that server.
func oldSecret(old *SealView, had map[string]string, x seal.Authority) string {
	for _, o := range old.Authorities {
		if o.Name == x.Name && o.SameServer(x) {
			return had[x.Name]
		}
	}
	return ""
}

// StoredSecret returns the stored secret of an authority if it is the same server as
// in the settings; empty otherwise.
func (a *Archive) StoredSecret(ctx context.Context, x seal.Authority) (string, error) {
	old, had, err := a.sealSetting(ctx)
	if err != nil {
		return "", err
	}
	return oldSecret(old, had, x), nil
}

// addSealSettings writes settings, of which none is secret, as details of an event.
func addSealSettings(details map[string]string, prefix string, s seal.Setting) {
	details[prefix+"interval"] = strconv.Itoa(s.Interval)
	for name, days := range map[string]int{"renew_certificate": s.RenewCertificate, "renew_algorithm": s.RenewAlgorithm} {
		if days > 0 {
			details[prefix+name] = strconv.Itoa(days)
		}
	}
	for i, x := range s.Authorities {
		at := prefix + strconv.Itoa(i+1) + "."
		for k, v := range map[string]string{"name": x.Name, "url": x.URL, "auth": x.Auth, "user": x.User, "policy": x.Policy, "ca": x.CA} {
			if v != "" {
				details[at+k] = v
			}
		}
		if x.Quota > 0 {
			details[at+"quota"] = strconv.FormatInt(x.Quota, 10)
		}
		if x.Disabled {
			details[at+"disabled"] = "yes"
		}
	}
}

// Catalogue says until when algorithms are trusted. It must not be changed.
func (a *Archive) Catalogue() *algo.Catalogue { return a.catalogue }

// AuthorityStates returns what the door that asks authorities remembers of them, by
// name; JSON. Damaged rows are missing: they are stored anew.
func (a *Archive) AuthorityStates(ctx context.Context) (map[string][]byte, error) {
	list, err := a.catalog.AuthorityStates(ctx)
	if len(rowErrors(err)) > 0 {
		a.log.Error("states of authorities are damaged", "error", err)
		err = nil
	}
	out := map[string][]byte{}
	for _, s := range list {
		out[s.Name] = s.State
	}
	return out, err
}

// SetAuthorityState stores it.
func (a *Archive) SetAuthorityState(ctx context.Context, name string, state []byte) error {
	return a.catalog.SetAuthorityState(ctx, &catalog.AuthorityState{Name: name, State: state})
}
