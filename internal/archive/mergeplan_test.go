package archive

import (
	"math"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// Mail trickles in for years: few segments stay, and no byte is written often.
func TestMergingIsAmortised(t *testing.T) {
	t.Parallel()
	const arrivals, size = 60_000, 30 << 10
	var segments []*catalog.Segment
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	written, most := int64(0), 0
	for range arrivals {
		at = at.Add(time.Second)
		segments = append(segments, &catalog.Segment{ID: uid.New(at), RawSize: size, Frames: 1})
		for {
			chosen := chooseRun(segments, false)
			if len(chosen) == 0 {
				break
			}
			segments = replace(segments, chosen, &written)
		}
		most = max(most, len(segments))
	}
	total := int64(arrivals) * (size + frameWeight)
	if factor := float64(written) / float64(total); factor > 6 {
		t.Errorf("every byte is written %.1f times again", factor)
	}
	if limit := int(total/mergeDone) + 6*mergeAt; most > limit {
		t.Errorf("up to %d segments, want at most %d", most, limit)
	}
	for chosen := chooseRun(segments, true); len(chosen) > 0; chosen = chooseRun(segments, true) {
		segments = replace(segments, chosen, &written)
	}
	if n := int(total/mergeDone) + 1; len(segments) > n {
		t.Errorf("%d segments are left when forced, want at most %d", len(segments), n)
	}
}

// replace does what a run does.
func replace(segments, chosen []*catalog.Segment, written *int64) []*catalog.Segment {
	gone := map[*catalog.Segment]bool{}
	merged := &catalog.Segment{ID: uid.New(chosen[len(chosen)-1].ID.Time()), Compacted: true}
	for _, s := range chosen {
		gone[s] = true
		merged.RawSize += s.RawSize
		merged.Frames += s.Frames
	}
	*written += weight(merged)
	var out []*catalog.Segment
	for _, s := range segments {
		if !gone[s] {
			out = append(out, s)
		}
	}
	return append(out, merged)
}

func TestChooseRun(t *testing.T) {
	t.Parallel()
	seg := func(raw int64, compacted bool) *catalog.Segment {
		return &catalog.Segment{RawSize: raw, Frames: 1, Compacted: compacted}
	}
	list := func(n int, raw int64, compacted bool) (out []*catalog.Segment) {
		for range n {
			out = append(out, seg(raw, compacted))
		}
		return out
	}
	for _, tc := range []struct {
		name         string
		segments     []*catalog.Segment
		want, forced int
	}{
		{"none", nil, 0, 0},
		{"one fresh", list(1, 1000, false), 0, 1},
		{"one small and compacted", list(1, 1000, true), 0, 0},
		{"too few fresh", list(mergeAt-1, 1000, false), 0, mergeAt - 1},
		{"enough fresh", list(mergeAt, 1000, false), mergeAt, mergeAt},
		{"more than a run", list(20, 40<<20, false), 13, 13},
		{"a giant", list(mergeAt, 4<<30, false), 1, 1},
		{"too few compacted", list(mergeAt-1, 1000, true), 0, mergeAt - 1},
		{"enough compacted", list(mergeAt, 1000, true), mergeAt, mergeAt},
		{"done", list(20, mergeDone, true), 0, 0},
		{"several levels", append(append(list(7, 1000, true), list(7, 100_000, true)...), list(7, 10<<20, true)...), 0, 21},
		{"nothing but records", []*catalog.Segment{{Frames: math.MaxInt16, Compacted: true}}, 0, 0},
	} {
		if got := chooseRun(tc.segments, false); len(got) != tc.want {
			t.Errorf("%s: %d chosen, want %d", tc.name, len(got), tc.want)
		}
		if got := chooseRun(tc.segments, true); len(got) != tc.forced {
			t.Errorf("%s, forced: %d chosen, want %d", tc.name, len(got), tc.forced)
		}
	}
}
