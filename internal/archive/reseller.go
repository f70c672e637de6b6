package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// Limits of a new reseller for whom nothing else is said.
const (
	DefaultCustomers = 50
	DefaultMailboxes = 500
)

// Bounds of a logo. It is shown some 30 pixels high.
const (
	MaxLogo    = 256 << 10 // bytes
	logoPixels = 1600      // wide or high
)

// ResellerView is a reseller with what its tenants use together.
type ResellerView struct {
	catalog.Reseller
	Tenants   int
	Mailboxes int   // this month
	Stored    int64 // bytes
	Limits    []LimitUse
}

// Resellers lists the resellers: all for an operator, its own for one of a reseller's
// staff.
func (h *Handle) Resellers(ctx context.Context) ([]ResellerView, error) {
	if err := h.actor.Check(access.ManageBranding); err != nil {
		return nil, err
	}
	list, err := h.a.resellerViews(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(v ResellerView) bool { return !h.looksAfter(v.ID) }), nil
}

func (a *Archive) resellerViews(ctx context.Context) ([]ResellerView, error) {
	tenants, err := a.tenantViews(ctx)
	if err != nil {
		return nil, err
	}
	return a.resellerUses(ctx, tenants)
}

// resellerUses lists the resellers with what they use of tenants.
func (a *Archive) resellerUses(ctx context.Context, tenants []TenantView) ([]ResellerView, error) {
	list, err := a.catalog.Resellers(ctx)
	if err := a.sound("resellers", err); err != nil {
		return nil, err
	}
	out := make([]ResellerView, len(list))
	for i, r := range list {
		v := &out[i]
		v.Reseller = *r
		for _, t := range tenants {
			if t.Care.Reseller == r.ID {
				v.Tenants++
				v.Mailboxes += t.Usage.Mailboxes
				v.Stored += t.Usage.StoredBytes
			}
		}
		v.Limits = []LimitUse{limitUse("customers", int64(v.Tenants), int64(r.Limits.Customers)),
			limitUse("mailboxes", int64(v.Mailboxes), int64(r.Limits.Mailboxes)), limitUse("storage", v.Stored, r.Limits.Storage)}
	}
	return out, nil
}

// Reseller returns one of Resellers. catalog.ErrNotFound.
func (h *Handle) Reseller(ctx context.Context, id uid.ID) (*ResellerView, error) {
	list, err := h.Resellers(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].ID == id {
			return &list[i], nil
		}
	}
	return nil, fmt.Errorf("reseller %s: %w", id, catalog.ErrNotFound)
}

// NewReseller describes a reseller to be made.
type NewReseller struct {
	Slug   string
	Name   string
	Host   string
	Limits *catalog.Limits // nil: DefaultCustomers and DefaultMailboxes
}

// CreateReseller makes a reseller. A *FieldError says what is wrong.
func (h *Handle) CreateReseller(ctx context.Context, n NewReseller) (*catalog.Reseller, error) {
	if err := h.actor.Check(access.ManageResellers); err != nil {
		return nil, err
	}
	if !slugForm.MatchString(n.Slug) {
		return nil, wrongField("slug", "want 1 to 63 of a-z, 0-9 and -, not at the ends")
	}
	if n.Name = strings.TrimSpace(n.Name); n.Name == "" {
		n.Name = n.Slug
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	r := &catalog.Reseller{ID: uid.New(now), Slug: n.Slug, Name: n.Name, Host: n.Host, CreatedAt: now,
		Limits: catalog.Limits{Customers: DefaultCustomers, Mailboxes: DefaultMailboxes}}
	if n.Limits != nil {
		r.Limits = *n.Limits
	}
	if err := checkReseller(r); err != nil {
		return nil, err
	}
	details := map[string]string{"slug": r.Slug, "name": r.Name, "host": r.Host, "customers": strconv.Itoa(r.Limits.Customers), "mailboxes": strconv.Itoa(r.Limits.Mailboxes)}
	err := h.a.catalog.CreateReseller(ctx, r, h.event("reseller.created", r.ID.String(), details))
	if errors.Is(err, catalog.ErrTaken) {
		return nil, h.takenReseller(ctx, r)
	}
	return r, err
}

// takenReseller says what of r another reseller has.
func (h *Handle) takenReseller(ctx context.Context, r *catalog.Reseller) error {
	if other, err := h.a.catalog.ResellerBySlug(ctx, r.Slug); err == nil && other.ID != r.ID {
		return wrongField("slug", "is in use")
	}
	return wrongField("host", "is in use")
}

var (
	colourForm = regexp.MustCompile(`^#[0-9a-f]{6}$`)
	hostForm   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$`)
)

func checkReseller(r *catalog.Reseller) error {
	r.Host = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(r.Host), "."))
	b := &r.Branding
	b.Accent = strings.ToLower(strings.TrimSpace(b.Accent))
	b.Name, b.ReplyTo, b.Support = strings.TrimSpace(b.Name), strings.TrimSpace(b.ReplyTo), strings.TrimSpace(b.Support)
	if err := checkName(r.Name); err != nil || r.Name == "" {
		return wrongField("name", "want a name in one line, at most %d bytes", maxName)
	}
	if r.Host != "" && (len(r.Host) > 253 || !hostForm.MatchString(r.Host) || net.ParseIP(r.Host) != nil) {
		return wrongField("host", "want a host name such as archive.example.com")
	}
	if err := checkName(b.Name); err != nil {
		return inField("branding.name", err)
	}
	if b.Accent != "" && !colourForm.MatchString(b.Accent) {
		return wrongField("branding.accent", "want a colour such as #0b5b5c")
	}
	if b.Accent != "" && contrastToWhite(b.Accent) < minContrast {
		return wrongField("branding.accent", "is too light: white letters on it cannot be read; take a darker one")
	}
	for field, address := range map[string]string{"branding.reply_to": b.ReplyTo, "branding.support": b.Support} {
		if address != "" && remote.MailAddress(address) != nil {
			return wrongField(field, "is no mail address such as support@example.com")
		}
	}
	return checkLimits(r.Limits)
}

// minContrast is what WCAG 2.2 asks of letters (1.4.3).
const minContrast = 4.5

// contrastToWhite is the contrast of a colour and white (WCAG 2.2, "contrast ratio").
func contrastToWhite(colour string) float64 {
	n, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		return 0
	}
	light := 0.0
	for i, weight := range [...]float64{0.0722, 0.7152, 0.2126} { // blue, green, red
		light += weight * linear(float64(n>>(8*i)&0xff)/255)
	}
	return 1.05 / (light + 0.05)
}

// linear undoes the gamma of sRGB.
func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// ResellerChange is what somebody changes of a reseller; nil stays as it is.
type ResellerChange struct {
	Name, Host *string
	Limits     *catalog.Limits // for an operator only
	Branding   *catalog.Branding
	Logo       []byte // PNG; nil: stays, empty: is removed
}

// ChangeReseller changes a reseller: an operator any, one of its staff how it looks. A
// *FieldError says what is wrong.
func (h *Handle) ChangeReseller(ctx context.Context, id uid.ID, c ResellerChange) error {
	if err := h.actor.Check(access.ManageBranding); err != nil {
		return err
	}
	if !h.looksAfter(id) {
		return fmt.Errorf("reseller %s: %w", id, catalog.ErrNotFound)
	}
	if c.Limits != nil || c.Host != nil || c.Name != nil {
		if err := h.actor.Check(access.ManageResellers); err != nil {
			return err
		}
	}
	r, err := h.a.catalog.Reseller(ctx, id)
	if err != nil {
		return err
	}
	details := map[string]string{}
	logo, err := applyReseller(details, r, &c)
	if err != nil || len(details) == 0 {
		return err
	}
	err = h.a.catalog.UpdateReseller(ctx, r, logo, h.event("reseller.changed", id.String(), details))
	if errors.Is(err, catalog.ErrTaken) {
		return h.takenReseller(ctx, r)
	}
	return err
}

// applyReseller changes r and writes what was before and after into details.
func applyReseller(details map[string]string, r *catalog.Reseller, c *ResellerChange) (logo []byte, err error) {
	old := *r
	changed := *r
	if c.Name != nil {
		changed.Name = strings.TrimSpace(*c.Name)
	}
	if c.Host != nil {
		changed.Host = *c.Host
	}
	if c.Limits != nil {
		changed.Limits = *c.Limits
	}
	if c.Branding != nil {
		changed.Branding = *c.Branding
		changed.Branding.Logo = old.Branding.Logo
	}
	switch {
	case c.Logo == nil:
	case len(c.Logo) == 0:
		changed.Branding.Logo = ""
	default:
		if logo, err = cleanLogo(c.Logo); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(append(r.ID[:], logo...)) // of this reseller's alone
		changed.Branding.Logo = hex.EncodeToString(sum[:16])
	}
	if err := checkReseller(&changed); err != nil {
		return nil, err
	}
	for name, v := range map[string][2]*string{
		"name": {&old.Name, &changed.Name}, "host": {&old.Host, &changed.Host}, "branding.name": {&old.Branding.Name, &changed.Branding.Name},
		"branding.accent": {&old.Branding.Accent, &changed.Branding.Accent}, "branding.reply_to": {&old.Branding.ReplyTo, &changed.Branding.ReplyTo},
		"branding.support": {&old.Branding.Support, &changed.Branding.Support}, "branding.logo": {&old.Branding.Logo, &changed.Branding.Logo},
	} {
		changeText(details, name, v[0], v[1])
	}
	changeNumber(details, "customers", &old.Limits.Customers, changed.Limits.Customers)
	changeNumber(details, "mailboxes", &old.Limits.Mailboxes, changed.Limits.Mailboxes)
	changeNumber(details, "storage", &old.Limits.Storage, changed.Limits.Storage)
	*r = changed
	return logo, nil
}

// cleanLogo returns a picture as PNG with nothing in it but the picture.
func cleanLogo(b []byte) ([]byte, error) {
	if len(b) > MaxLogo {
		return nil, wrongField("logo", "is larger than %d KiB", MaxLogo>>10)
	}
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, wrongField("logo", "is no PNG picture")
	}
	if c.Width > logoPixels || c.Height > logoPixels || c.Width < 1 || c.Height < 1 {
		return nil, wrongField("logo", "is larger than %d by %d pixels", logoPixels, logoPixels)
	}
	var picture image.Image
	if picture, err = png.Decode(bytes.NewReader(b)); err != nil {
		return nil, wrongField("logo", "is no PNG picture that can be read")
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("logo: %w", err)
	}
	return out.Bytes(), nil
}

// Staff lists the users of a reseller. catalog.ErrNotFound for others'.
func (h *Handle) Staff(ctx context.Context, reseller uid.ID) ([]*catalog.User, error) {
	if _, err := h.Reseller(ctx, reseller); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Staff(ctx, reseller)
	return list, h.a.sound("staff", err)
}

// AddStaff makes a user who administers the tenants of a reseller.
func (h *Handle) AddStaff(ctx context.Context, reseller uid.ID, n NewUser) (*catalog.User, error) {
	if err := h.actor.Check(access.ManageResellers); err != nil {
		return nil, err
	}
	login := normalLogin(n.Login)
	if !loginForm.MatchString(login) {
		return nil, wrongField("login", "want up to 128 letters, digits and . _ @ + -, starting with a letter or digit")
	}
	if err := h.a.checkOperatorPassword(login, n.Name, n.Password); err != nil {
		return nil, inField("password", err)
	}
	if n.Name = strings.TrimSpace(n.Name); n.Name == "" {
		n.Name = login
	}
	if err := checkName(n.Name); err != nil {
		return nil, inField("name", err)
	}
	hash, err := h.a.hasher.Hash(ctx, n.Password)
	if err != nil {
		return nil, err
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	u := &catalog.User{ID: uid.New(now), Login: login, Name: n.Name, Role: string(access.RoleReseller), PasswordHash: hash, Language: n.Language, CreatedAt: now}
	err = h.a.catalog.AddStaff(ctx, reseller, u, h.event("staff.added", u.ID.String(), map[string]string{"reseller": reseller.String(), "login": login}))
	if errors.Is(err, catalog.ErrTaken) {
		return nil, wrongField("login", "is in use")
	}
	return u, err
}

// Logo returns the picture with a hash, as PNG, to everybody. catalog.ErrNotFound.
func (a *Archive) Logo(ctx context.Context, hash string) ([]byte, error) {
	return a.catalog.Logo(ctx, hash)
}
