package vault

import (
	"context"
	"errors"

	"github.com/muniment/muniment/internal/uid"
)

var errDraft = errors.New("not written yet")

// Vault keeps objects. All methods are safe for concurrent use unless they say
// otherwise.
type Vault struct{ cfg Config }

// Open checks the configuration and prepares the spool directory.
func Open(cfg Config) (*Vault, error) { return &Vault{cfg: cfg}, nil }

// Keyring holds the instance key.
type Keyring struct{}

// LoadKeyring reads the instance key file made by CreateKeyring. It refuses a
// file that others can read (mode must be 0600 or 0400) or that is damaged.
func LoadKeyring(path string) (*Keyring, error) { return nil, errDraft }

// CreateKeyring makes a new instance key and writes it durably to path with
// mode 0600. It fails (fs.ErrExist) if path exists.
func CreateKeyring(path string) (*Keyring, error) { return nil, errDraft }

// TenantInfo is what the vault keeps of a tenant, for rebuild.
type TenantInfo struct {
	ID uid.ID `json:"-"`
	// Data is whatever the caller needs to restore the tenant's row (JSON,
	// at most 64 KiB). It is encrypted with the instance key.
	Data []byte `json:"data"`
}

// CreateTenant makes the tenant's key, durably. blob.ErrExists if it has one.
func (v *Vault) CreateTenant(ctx context.Context, info TenantInfo) error { return errDraft }

// UpdateTenant replaces the tenant's Data; its key stays.
func (v *Vault) UpdateTenant(ctx context.Context, info TenantInfo) error { return errDraft }

// Tenants calls fn for every tenant that has a key, ascending by id. Damage
// to one key is passed to fn as a *CorruptError with only info.ID set.
func (v *Vault) Tenants(ctx context.Context, fn func(info TenantInfo, err error) error) error {
	return errDraft
}

// Prepared is an object ready for Write.
type Prepared struct{}

// AOID, Size of the original, its Sums, and the bytes that Write will store.
func (p *Prepared) AOID() uid.ID { return uid.ID{} }

// Size returns the bytes of the original.
func (p *Prepared) Size() int64 { return 0 }

// Sums returns the hashes of the original.
func (p *Prepared) Sums() Sums { return Sums{} }

// Stored returns the bytes Write will store at most.
func (p *Prepared) Stored() int64 { return 0 }

// Parts returns the SHA-256 of every part the message refers to, whether it is
// in this Prepared or was stored before. Without duplicates.
func (p *Prepared) Parts() []Sum { return nil }

// Close frees the temporary file of a large object. It must be called once,
// after Write or instead of it.
func (p *Prepared) Close() error { return nil }

// Prepare does everything that needs no order: it hashes, cuts, proves the
// re-assembly, compresses and encrypts. It holds at most about 20 MiB whatever
// the size of the object.
func (v *Vault) Prepare(ctx context.Context, tenant uid.ID, o Object) (*Prepared, error) {
	return nil, errDraft
}

// Write stores a batch as one new segment. When it returns nil everything is
// durable. After an error or a crash the segment is whole or absent; a whole one
// that no catalog knows was never acknowledged (see Scan, Remove).
// Frames come in the order: parts that are new, objs, records.
func (v *Vault) Write(ctx context.Context, tenant uid.ID, objs []*Prepared, recs []Record) (*Segment, error) {
	return nil, errDraft
}

// Content streams one original. Read returns the last bytes only after the
// SHA-256 of the whole has been found right; for objects up to 1 MiB, not
// even the first. Errors of Read and Open match ErrCorrupt, ErrErased, ErrNotFound.
type Content struct{}

// Size returns the bytes of the original.
func (c *Content) Size() int64 { return 0 }

// SHA256 returns the recorded hash of the original.
func (c *Content) SHA256() Sum { return Sum{} }

func (c *Content) Read(p []byte) (int, error) { return 0, errDraft }

// Close frees resources; it must be called.
func (c *Content) Close() error { return nil }

// Open opens a message or part for reading.
func (v *Vault) Open(ctx context.Context, tenant uid.ID, ref Ref, want Want) (*Content, error) {
	return nil, errDraft
}

// Meta returns Object.Meta of a message or Record.Data of a record.
func (v *Vault) Meta(ctx context.Context, tenant uid.ID, ref Ref) ([]byte, error) {
	return nil, errDraft
}

// Entry is what Scan tells of one frame.
type Entry struct {
	Frame  Frame
	Meta   []byte // of messages and records
	Parts  []Sum  // of messages: the parts they refer to
	Erased bool   // the key is gone: Meta, Parts and Frame.SHA256 are empty
	Err    error  // the frame is damaged: *CorruptError
}

// ListSegments returns every segment of the tenant from the names of its
// objects alone, ascending by ID: only ID, Size and CreatedAt are set.
func (v *Vault) ListSegments(ctx context.Context, tenant uid.ID) ([]Segment, error) {
	return nil, errDraft
}

// Scan calls fn for every frame of one segment but dictionaries, in order,
// without reading more of each than its head. For rebuild.
func (v *Vault) Scan(ctx context.Context, tenant, segment uid.ID, fn func(Entry) error) error {
	return errDraft
}

// Check reads the whole segment and its key object, and verifies every byte:
// its own check sum, every frame, every original re-assembled with
// its parts. It calls fn for every frame (Entry.Err tells of damage there)
// and returns a *CorruptError for damage of the whole.
func (v *Vault) Check(ctx context.Context, tenant, segment uid.ID, fn func(Entry) error) error {
	return errDraft
}

// CheckTenant verifies the tenant's key object.
func (v *Vault) CheckTenant(ctx context.Context, tenant uid.ID) error { return errDraft }

// Stray is an object of the blob store that belongs to no whole segment.
type Stray struct {
	Key  string
	What string
	// Harmless strays are left over from a crash and may go: RemoveStray.
	Harmless bool
}

// Strays lists what lies in the tenant's space and is not a key or a whole
// segment: keys without a segment (harmless), segments without keys
// (damage), unknown names.
func (v *Vault) Strays(ctx context.Context, tenant uid.ID, fn func(Stray) error) error {
	return errDraft
}

// Erase destroys the keys of frames, durably: from then on they are ErrErased,
// and nothing that the vault stores gives their content back. Dictionaries none
// of whose users is left go with them. Erasing again is no error. It must not run
// at the same time as Compact of the same frames.
func (v *Vault) Erase(ctx context.Context, tenant uid.ID, refs []Ref) error { return errDraft }

// Move tells where Compact has put a frame.
type Move struct {
	Kind     Kind
	AOID     uid.ID
	SHA256   Sum // messages and parts
	From, To Ref
}

// Compaction is what Compact has done.
type Compaction struct {
	Segments []*Segment // new ones, durable
	Moves    []Move
	Erased   []Ref // frames among the refs whose keys are gone; not copied
}

// Compact copies frames into new large segments, similar messages together,
// at the best level. It changes nothing that exists: the caller then commits the
// moves to its catalog in one transaction and calls Remove for segments of which
// nothing is left. A crash in between leaves segments that no catalog knows.
func (v *Vault) Compact(ctx context.Context, tenant uid.ID, refs []Ref) (*Compaction, error) {
	return nil, errDraft
}

// Remove deletes whole segments: old ones after a compaction, unknown ones after
// a crash. Their keys go first.
func (v *Vault) Remove(ctx context.Context, tenant uid.ID, segments ...uid.ID) error {
	return errDraft
}
