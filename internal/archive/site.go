package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/crypto/acme/autocert"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/site"
)

// Names of settings of the installation.
const (
	siteSetting = "site"
	acmeSetting = "acme/" // and what is kept
)

// SiteView is how people reach the installation. The key of the certificate never
// comes out with it.
type SiteView struct {
	site.Settings
	HasKey bool
}

// SiteDraft is what somebody wants the site to be.
type SiteDraft struct {
	site.Settings
	// Key is that of an own certificate, PEM; nil leaves the old one.
	Key []byte
}

// Site returns the settings; nothing is set at first.
func (h *Handle) Site(ctx context.Context) (*SiteView, error) {
	if err := h.actor.Check(access.ManageSite); err != nil {
		return nil, err
	}
	return h.a.Site(ctx)
}

// SetSite sets how people reach the installation. What is wrong is told as
// *setting.Errors joined.
func (h *Handle) SetSite(ctx context.Context, d SiteDraft) error {
	if err := h.actor.Check(access.ManageSite); err != nil {
		return err
	}
	return h.a.setSite(ctx, d, h.event)
}

// SetSite is Handle.SetSite, for the operator on the command line.
func (a *Archive) SetSite(ctx context.Context, d SiteDraft) error {
	return a.setSite(ctx, d, a.cliEvent)
}

// Site is Handle.Site for the server itself and the command line.
func (a *Archive) Site(ctx context.Context) (*SiteView, error) {
	set, key, err := a.SiteSettings(ctx)
	return &SiteView{Settings: set, HasKey: len(key) > 0}, err
}

// SiteSettings returns the settings with the key of an own certificate, for the
// server itself.
func (a *Archive) SiteSettings(ctx context.Context) (site.Settings, []byte, error) {
	none := site.Settings{TLS: site.Off}
	row, err := a.catalog.InstanceSetting(ctx, siteSetting)
	if errors.Is(err, catalog.ErrNotFound) {
		return none, nil, nil
	}
	if err != nil {
		return none, nil, err
	}
	set, err := site.Parse(row.Settings)
	if err != nil || len(row.Secret) == 0 {
		return set, nil, err
	}
	key, err := a.vault.OpenInstance(siteSetting, row.Secret)
	return set, key, err
}

func (a *Archive) setSite(ctx context.Context, d SiteDraft, act describeAct) error {
	d.Settings = d.Normal()
	old, key, err := a.SiteSettings(ctx)
	if err != nil && len(rowErrors(err)) == 0 {
		return err
	}
	if d.Key == nil && old.TLS == site.Own {
		d.Key = key
	}
	if d.TLS != site.Own {
		d.Key = nil
	}
	if err := d.Check(d.Key, a.now()); err != nil {
		return err
	}
	row := &catalog.InstanceSetting{Name: siteSetting}
	if row.Settings, err = json.Marshal(d.Settings); err != nil {
		return err
	}
	if len(d.Key) > 0 {
		if row.Secret, err = a.vault.SealInstance(siteSetting, d.Key); err != nil {
			return err
		}
	}
	details := map[string]string{}
	addSite(details, "before.", old)
	addSite(details, "after.", d.Settings)
	return a.catalog.SetInstanceSetting(ctx, row, act("site.changed", "", details))
}

// addSite writes settings as details of an event; of a certificate its SHA-256.
func addSite(details map[string]string, prefix string, s site.Settings) {
	all := map[string]string{"host": s.Host, "tls": s.TLS, "directory": s.Directory, "email": s.Email}
	if s.Certificate != "" {
		sum := sha256.Sum256([]byte(s.Certificate))
		all["certificate"] = hex.EncodeToString(sum[:])
	}
	for k, v := range all {
		if v != "" {
			details[prefix+k] = v
		}
	}
}

// CertificateCache keeps the keys and certificates of ACME in the catalog, sealed with
// the instance key, so that all servers of an installation share them.
func (a *Archive) CertificateCache() autocert.Cache { return certificateCache{a} }

type certificateCache struct{ a *Archive }

// Get implements autocert.Cache.
func (c certificateCache) Get(ctx context.Context, key string) ([]byte, error) {
	row, err := c.a.catalog.InstanceSetting(ctx, acmeSetting+key)
	if errors.Is(err, catalog.ErrNotFound) || len(rowErrors(err)) > 0 {
		return nil, autocert.ErrCacheMiss // what is damaged is asked for anew
	}
	if err != nil {
		return nil, err
	}
	return c.a.vault.OpenInstance(acmeSetting+key, row.Secret)
}

// Put implements autocert.Cache.
func (c certificateCache) Put(ctx context.Context, key string, data []byte) error {
	sealed, err := c.a.vault.SealInstance(acmeSetting+key, data)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	return c.a.catalog.SetInstanceSetting(ctx, &catalog.InstanceSetting{Name: acmeSetting + key, Settings: []byte("{}"), Secret: sealed})
}

// Delete implements autocert.Cache.
func (c certificateCache) Delete(ctx context.Context, key string) error {
	err := c.a.catalog.DeleteInstanceSetting(ctx, acmeSetting+key)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	return err
}
