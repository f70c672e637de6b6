package vault_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// This file reads a vault from docs/format.md alone and uses nothing of package
// vault, so that neither can change without the other.

// outsider reads the archive in a directory.
type outsider struct {
	dir    string
	tenant [16]byte
	key    []byte
	parts  map[[32]byte][]byte
}

// outsiderFrame is one frame that could be opened.
type outsiderFrame struct {
	kind    byte
	aoid    [16]byte
	erased  bool
	sum     [32]byte
	meta    []byte // of a message, data of a record
	content []byte
	stream  []byte
	raw     []byte
}

var errOutside = errors.New("not as docs/format.md says")

func must(ok bool) error {
	if !ok {
		return errOutside
	}
	return nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// unsealed is the plaintext of sealed(derive(key, purpose, context), aad, plain).
func unsealed(key []byte, purpose string, context, aad, sealed []byte) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, key, nil, purpose+"\x00"+string(context), 32)
	if err != nil {
		return nil, err
	}
	a, err := gcm(k)
	if err != nil || len(sealed) < 28 {
		return nil, errors.Join(errOutside, err)
	}
	return a.Open(nil, sealed[:12], sealed[12:], aad)
}

func writtenID(id []byte) string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	bits := ""
	for _, b := range id {
		bits += fmt.Sprintf("%08b", b)
	}
	bits += "00"
	var s strings.Builder
	for ; bits != ""; bits = bits[5:] {
		n, err := strconv.ParseUint(bits[:5], 2, 5)
		if err != nil {
			panic(err)
		}
		s.WriteByte(alphabet[n])
	}
	return s.String()
}

// openTenant follows §3 and §4.
func openTenant(dir string, tenant [16]byte) (*outsider, string, error) {
	line, err := os.ReadFile(filepath.Join(dir, "instance.key"))
	if err != nil {
		return nil, "", err
	}
	f := strings.Split(strings.TrimSuffix(string(line), "\n"), ":")
	if len(line) != 106 || len(f) != 3 || f[0] != "muniment-instance-key-1" {
		return nil, "", errOutside
	}
	key, err := hex.DecodeString(f[1])
	id := sha256.Sum256(append([]byte("muniment instance key id 1"), key...))
	if err != nil || hex.EncodeToString(id[:8]) != f[2] {
		return nil, "", errors.Join(errOutside, err)
	}
	o := &outsider{dir: filepath.Join(dir, "blobs", "tenants", writtenID(tenant[:])), tenant: tenant, parts: map[[32]byte][]byte{}}
	b, err := os.ReadFile(filepath.Join(o.dir, "tenant.key"))
	if err != nil || len(b) < 16 || string(b[:8]) != "MUNTNT01" || !bytes.Equal(b[8:16], id[:8]) {
		return nil, "", errors.Join(errOutside, err)
	}
	plain, err := unsealed(key, "muniment tenant key 1", nil, append(b[:16:16], tenant[:]...), b[16:])
	if err != nil || len(plain) < 32 {
		return nil, "", errors.Join(errOutside, err)
	}
	o.key = plain[:32]
	return o, string(plain[32:]), nil
}

// cursor reads fields.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) bytes(n uint64) []byte {
	if uint64(len(c.b)) < n {
		c.err, c.b = errOutside, nil
		return make([]byte, min(n, 100))
	}
	p := c.b[:n]
	c.b = c.b[n:]
	return p
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.err = errOutside
		return 0
	}
	c.b = c.b[n:]
	return v
}

// outsiderEntry is an entry of an index.
type outsiderEntry struct {
	kind         byte
	dict         int
	stored, size uint64
	aoid         [16]byte
}

// segment follows §5 to §8 and returns the frames, not yet re-assembled.
func (o *outsider) segment(id [16]byte) ([]outsiderFrame, error) {
	b, err := os.ReadFile(filepath.Join(o.dir, "seg", writtenID(id[:])+".seg"))
	if err != nil || len(b) < 48+44 {
		return nil, errors.Join(errOutside, err)
	}
	end := len(b) - 44
	n := int(binary.BigEndian.Uint32(b[end:]))
	sum := sha256.Sum256(b[:end+4])
	head := b[:48]
	err = must(string(head[:8]) == "MUNSEG01" && bytes.Equal(head[8:24], o.tenant[:]) && bytes.Equal(head[24:40], id[:]) &&
		string(b[end+36:]) == "MUNEND01" && bytes.Equal(sum[:], b[end+4:end+36]) && n <= end-48)
	if err != nil {
		return nil, err
	}
	plain, err := unsealed(o.key, "muniment segment index 1", id[:], head, b[end-n:end])
	if err != nil {
		return nil, err
	}
	entries, err := outsiderIndex(plain)
	if err != nil {
		return nil, err
	}
	keys, err := o.frameKeys(id, len(entries))
	if err != nil {
		return nil, err
	}
	plains, err := o.plaintexts(entries, keys, b[48:end-n])
	if err != nil {
		return nil, err
	}
	return o.contents(entries, plains)
}

// plaintexts decrypts the frames of a segment; that of an erased one is nil.
func (o *outsider) plaintexts(entries []outsiderEntry, keys [][]byte, frames []byte) ([][]byte, error) {
	plains := make([][]byte, len(entries))
	body := cursor{b: frames}
	for i, e := range entries {
		sealed := body.bytes(e.stored)
		if keys[i] == nil {
			continue
		}
		var err error
		if plains[i], err = o.decrypt(keys[i], e, sealed); err != nil {
			return nil, fmt.Errorf("frame %d: %w", i, err)
		}
	}
	return plains, errors.Join(body.err, must(len(body.b) == 0))
}

// contents decompresses frames and remembers the parts.
func (o *outsider) contents(entries []outsiderEntry, plains [][]byte) ([]outsiderFrame, error) {
	frames := make([]outsiderFrame, len(entries))
	for i, e := range entries {
		frames[i] = outsiderFrame{kind: e.kind, aoid: e.aoid, erased: plains[i] == nil}
		if plains[i] == nil {
			continue
		}
		var dict []byte
		if e.dict >= 0 {
			x, err := outsiderContent(plains[e.dict], outsiderEntry{kind: 4}, nil)
			if err != nil || entries[e.dict].kind != 4 {
				return nil, errors.Join(errOutside, err)
			}
			dict = x.stream
		}
		x, err := outsiderContent(plains[i], e, dict)
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", i, err)
		}
		frames[i].sum, frames[i].raw, frames[i].stream = x.sum, x.raw, x.stream
		if e.kind != 1 && uint64(len(x.stream)) != e.size {
			return nil, errOutside
		}
		if e.kind == 2 {
			o.parts[x.sum] = x.stream
		}
	}
	return frames, nil
}

func outsiderIndex(plain []byte) ([]outsiderEntry, error) {
	c := cursor{b: plain}
	if c.bytes(1)[0]&^1 != 0 {
		return nil, errOutside
	}
	entries := make([]outsiderEntry, c.uvarint())
	for i := range entries {
		e := &entries[i]
		kind := c.bytes(1)[0]
		e.kind, e.dict = kind&0x7f, -1
		if kind&0x80 != 0 {
			e.dict = int(c.uvarint())
		}
		e.stored, e.size = c.uvarint(), c.uvarint()
		if e.kind == 1 || e.kind == 3 {
			e.aoid = [16]byte(c.bytes(16))
		}
	}
	return entries, errors.Join(c.err, must(len(c.b) == 0))
}

// frameKeys follows §6.
func (o *outsider) frameKeys(id [16]byte, count int) ([][]byte, error) {
	b, err := os.ReadFile(filepath.Join(o.dir, "seg", writtenID(id[:])+".key"))
	if err != nil || len(b) < 24 || string(b[:8]) != "MUNKEY01" || !bytes.Equal(b[8:24], id[:]) {
		return nil, errors.Join(errOutside, err)
	}
	plain, err := unsealed(o.key, "muniment frame keys 1", id[:], append(b[:24:24], o.tenant[:]...), b[24:])
	if err != nil {
		return nil, err
	}
	c := cursor{b: plain}
	n := c.uvarint()
	bits := c.bytes((n + 7) / 8)
	if n != uint64(count) {
		return nil, errOutside
	}
	keys := make([][]byte, n)
	for i := range keys {
		if bits[i/8]>>(i%8)&1 == 1 {
			keys[i] = c.bytes(32)
		}
	}
	return keys, errors.Join(c.err, must(len(c.b) == 0))
}

// decrypt follows §7.
func (o *outsider) decrypt(key []byte, e outsiderEntry, sealed []byte) ([]byte, error) {
	a, err := gcm(key)
	if err != nil {
		return nil, err
	}
	aad := append([]byte("MUNFRM01"), o.tenant[:]...)
	aad = append(append(aad, e.kind), e.aoid[:]...)
	var plain []byte
	for i := uint32(0); ; i++ {
		chunk := sealed[:min(len(sealed), 65536+16)]
		sealed = sealed[len(chunk):]
		nonce := binary.BigEndian.AppendUint32(make([]byte, 7), i)
		nonce = append(nonce, 0)
		if len(sealed) == 0 {
			nonce[11] = 1
		}
		if plain, err = a.Open(plain, nonce, chunk, aad); err != nil || len(sealed) == 0 {
			return plain, err
		}
	}
}

// outsiderContent follows §8.
func outsiderContent(plain []byte, e outsiderEntry, dict []byte) (f outsiderFrame, err error) {
	c := cursor{b: plain}
	whole := e.kind == 1 || e.kind == 2
	if whole {
		f.sum = [32]byte(c.bytes(32))
	}
	codec := c.bytes(1)[0]
	if whole {
		f.raw = c.bytes(c.uvarint())
	}
	f.stream = c.b
	if codec == 1 {
		opts := []zstd.DOption{zstd.WithDecoderMaxWindow(8 << 20)}
		if dict != nil {
			opts = append(opts, zstd.WithDecoderDicts(dict))
		}
		d, err := zstd.NewReader(nil, opts...)
		if err != nil {
			return f, err
		}
		defer d.Close()
		if f.stream, err = d.DecodeAll(c.b, nil); err != nil {
			return f, err
		}
	}
	return f, errors.Join(c.err, must(codec <= 1))
}

// assemble follows §9.
func (o *outsider) assemble(f *outsiderFrame) error {
	c := cursor{b: f.stream}
	f.meta = c.bytes(c.uvarint())
	ops := cursor{b: c.bytes(c.uvarint())}
	raw := cursor{b: f.raw}
	var out []byte
	for len(ops.b) > 0 && ops.err == nil {
		out = append(out, c.bytes(ops.uvarint())...)
		form := ops.bytes(1)[0]
		line, size := int(ops.uvarint()), ops.uvarint()
		var data []byte
		switch form / 2 {
		case 0:
			data = c.bytes(size)
		case 1:
			data = raw.bytes(size)
		case 2:
			data = o.parts[[32]byte(ops.bytes(32))]
		}
		if uint64(len(data)) != size {
			return errOutside
		}
		eol := "\n"
		if form%2 == 1 {
			eol = "\r\n"
		}
		s := base64.StdEncoding.EncodeToString(data)
		for len(s) > line {
			out = append(out, s[:line]+eol...)
			s = s[line:]
		}
		out = append(out, s...)
	}
	f.content = append(out, c.b...)
	return errors.Join(c.err, ops.err, raw.err, must(sha256.Sum256(f.content) == f.sum))
}
