package brainpool

import (
	"encoding/asn1"
	"math/big"
	"sync"
)

// table lists the curves (RFC 5639 §3.4, §3.6, §3.7, the twisted ones too; object identifiers
// of §4.1), with the numbers in hexadecimal digits as they are printed there.
var table = sync.OnceValue(func() []*curve {
	return []*curve{
		newCurve("brainpoolP256r1", 7, [6]string{
			"a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377", // p
			"7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9", // a
			"26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6", // b
			"8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262", // x of the base point
			"547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997", // y of the base point
			"a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7", // its order
		}),
		newCurve("brainpoolP256t1", 8, [6]string{
			"a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377", // p
			"a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5374", // a
			"662c61c430d84ea4fe66a7733d0b76b7bf93ebc4af2f49256ae58101fee92b04", // b
			"a3e8eb3cc1cfe7b7732213b23a656149afa142c47aafbc2b79a191562e1305f4", // x of the base point
			"2d996c823439c56d7f7b22e14644417e69bcb6de39d027001dabe8f35b25c9be", // y of the base point
			"a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7", // its order
		}),
		newCurve("brainpoolP384r1", 11, [6]string{
			"8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53", // p
			"7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8c7dd22ce2826", // a
			"04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab78696fa504c11", // b
			"1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87b2e247d4af1e", // x of the base point
			"8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e4646217791811142820341263c5315", // y of the base point
			"8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565", // its order
		}),
		newCurve("brainpoolP384t1", 12, [6]string{
			"8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53", // p
			"8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec50", // a
			"7f519eada7bda81bd826dba647910f8c4b9346ed8ccdc64e4b1abd11756dce1d2074aa263b88805ced70355a33b471ee", // b
			"18de98b02db9a306f2afcd7235f72a819b80ab12ebd653172476fecd462aabffc4ff191b946a5f54d8d0aa2f418808cc", // x of the base point
			"25ab056962d30651a114afd2755ad336747f93475b7a1fca3b88f2b6a208ccfe469408584dc2b2912675bf5b9e582928", // y of the base point
			"8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565", // its order
		}),
		newCurve("brainpoolP512r1", 13, [6]string{
			"aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3", // p
			"7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca", // a
			"3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94cadc083e67984050b75ebae5dd2809bd638016f723", // b
			"81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d50d1687b93b97d5f7c6d5047406a5e688b352209bcb9f822", // x of the base point
			"7dde385d566332ecc0eabfa9cf7822fdf209f70024a57b1aa000c55b881f8111b2dcde494a5f485e5bca4bd88a2763aed1ca2b2fa8f0540678cd1e0f3ad80892", // y of the base point
			"aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069", // its order
		}),
		newCurve("brainpoolP512t1", 14, [6]string{
			"aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3", // p
			"aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f0", // a
			"7cbbbcf9441cfab76e1890e46884eae321f70c0bcb4981527897504bec3e36a62bcdfa2304976540f6450085f2dae145c22553b465763689180ea2571867423e", // b
			"640ece5c12788717b9c1ba06cbc2a6feba85842458c56dde9db1758d39c0313d82ba51735cdb3ea499aa77a7d6943a64f7a3f25fe26f06b51baa2696fa9035da", // x of the base point
			"5b534bd595f5af0fa2c892376c84ace1bb4e3019b71634c01131159cae03cee9d9932184beef216bd71df2dadf86a627306ecff96dbb8bace198b61e00f8b332", // y of the base point
			"aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069", // its order
		}),
	}
})

// curve is y² = x³ + ax + b over the integers modulo p, with a base point of prime order n.
// The cofactor is 1, so that every point on the curve but infinity is of order n.
type curve struct {
	name             string
	oid              asn1.ObjectIdentifier
	p, a, b, x, y, n *big.Int
}

func newCurve(name string, number int, digits [6]string) *curve {
	var v [6]*big.Int
	for i, d := range digits {
		v[i], _ = new(big.Int).SetString(d, 16) // a test checks each
	}
	return &curve{name: name, oid: asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, number}, p: v[0], a: v[1], b: v[2], x: v[3], y: v[4], n: v[5]}
}

// holds reports whether (x, y) is on the curve; both must be of 0 to p-1.
func (c *curve) holds(x, y *big.Int) bool {
	if x.Sign() < 0 || y.Sign() < 0 || x.Cmp(c.p) >= 0 || y.Cmp(c.p) >= 0 {
		return false
	}
	right := c.mul(x, x)
	right = c.mul(right.Add(right, c.a), x)
	right.Add(right, c.b)
	return right.Mod(right, c.p).Cmp(c.mul(y, y)) == 0
}

// point is in Jacobian coordinates: x/z², y/z³; z = 0 is infinity. Its numbers are not
// changed.
type point struct{ x, y, z *big.Int }

func (c *curve) mul(a, b *big.Int) *big.Int {
	r := new(big.Int).Mul(a, b)
	return r.Mod(r, c.p)
}

// less returns a - n·b modulo p.
func (c *curve) less(a *big.Int, n int64, b *big.Int) *big.Int {
	r := new(big.Int).Mul(b, big.NewInt(n))
	return r.Mod(r.Sub(a, r), c.p)
}

// double returns 2u.
func (c *curve) double(u point) point {
	yy, zz := c.mul(u.y, u.y), c.mul(u.z, u.z)
	s := c.mul(u.x, yy) // a quarter of the usual S
	m := c.mul(c.mul(zz, zz), c.a)
	m = c.less(m, -3, c.mul(u.x, u.x))
	x := c.less(c.mul(m, m), 8, s)
	y := c.less(c.mul(m, c.less(new(big.Int).Lsh(s, 2), 1, x)), 8, c.mul(yy, yy))
	z := c.mul(u.y, u.z)
	return point{x, y, c.less(z, -1, z)}
}

// add returns u + v.
func (c *curve) add(u, v point) point {
	switch {
	case u.z.Sign() == 0:
		return v
	case v.z.Sign() == 0:
		return u
	}
	uu, vv := c.mul(u.z, u.z), c.mul(v.z, v.z)
	u1, s1 := c.mul(u.x, vv), c.mul(c.mul(u.y, vv), v.z)
	h := c.less(c.mul(v.x, uu), 1, u1)
	r := c.less(c.mul(c.mul(v.y, uu), u.z), 1, s1)
	if h.Sign() == 0 {
		if r.Sign() == 0 {
			return c.double(u)
		}
		return point{big.NewInt(1), big.NewInt(1), new(big.Int)}
	}
	hh := c.mul(h, h)
	hhh, w := c.mul(hh, h), c.mul(u1, hh)
	x := c.less(c.less(c.mul(r, r), 1, hhh), 2, w)
	y := c.less(c.mul(r, c.less(w, 1, x)), 1, c.mul(s1, hhh))
	return point{x, y, c.mul(c.mul(u.z, v.z), h)}
}

// sum returns the x coordinate of i·base + j·(x, y) modulo p; nil if that is infinity.
func (c *curve) sum(i, j, x, y *big.Int) *big.Int {
	one := big.NewInt(1)
	base, key := point{c.x, c.y, one}, point{x, y, one}
	both, at := c.add(base, key), point{one, one, new(big.Int)}
	for k := max(i.BitLen(), j.BitLen()) - 1; k >= 0; k-- {
		at = c.double(at)
		switch i.Bit(k) + 2*j.Bit(k) {
		case 1:
			at = c.add(at, base)
		case 2:
			at = c.add(at, key)
		case 3:
			at = c.add(at, both)
		}
	}
	if at.z.Sign() == 0 {
		return nil
	}
	inverse := new(big.Int).ModInverse(at.z, c.p)
	return c.mul(at.x, c.mul(inverse, inverse))
}
