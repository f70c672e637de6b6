package archive

import "github.com/muniment/muniment/internal/catalog"

// Segments are merged like the runs of a log-structured merge tree: mergeAt of
// one level become one of a higher level, so that every byte is written again at
// most once per level, however the mail trickles in.
const (
	mergeAt     = 8         // segments of one level that are worth a run
	mergeRun    = 512 << 20 // weight of one run: similar messages find each other
	mergeDone   = 64 << 20  // weight from which a compacted segment stays as it is
	frameWeight = 4 << 10   // what a frame counts beside its bytes: rows move with it
)

// Levels of segments that are not merged any more, and that never were.
const (
	levelDone  = -1
	levelFresh = 0
)

func weight(s *catalog.Segment) int64 { return s.RawSize + int64(s.Frames)*frameWeight }

// level puts a segment among those of about its weight. The weight of a level is
// mergeAt times that of the one below it.
func level(s *catalog.Segment) int {
	w := weight(s)
	switch {
	case !s.Compacted:
		return levelFresh
	case w >= mergeDone:
		return levelDone
	}
	n := levelFresh + 1
	for w >= mergeAt*frameWeight {
		w /= mergeAt
		n++
	}
	return n
}

// chooseRun returns the segments that are to be merged next, none if that does
// not pay. segments are ascending by age. force merges whatever is not yet
// large, even if there are few of them.
func chooseRun(segments []*catalog.Segment, force bool) []*catalog.Segment {
	levels := map[int][]*catalog.Segment{}
	top := levelFresh
	for _, s := range segments {
		n := level(s)
		if n == levelDone {
			continue
		}
		if force {
			n = levelFresh
		}
		top = max(top, n)
		levels[n] = append(levels[n], s)
	}
	if force {
		all := upTo(levels[levelFresh], mergeRun)
		if len(all) == 1 && all[0].Compacted {
			return nil
		}
		return all
	}
	for n := levelFresh; n <= top; n++ {
		if len(levels[n]) >= mergeAt {
			return upTo(levels[n], mergeRun)
		}
	}
	return nil
}

// upTo cuts a list where its weight reaches limit; the first always stays.
func upTo(list []*catalog.Segment, limit int64) []*catalog.Segment {
	sum := int64(0)
	for i, s := range list {
		if sum >= limit {
			return list[:i]
		}
		sum += weight(s)
	}
	return list
}
