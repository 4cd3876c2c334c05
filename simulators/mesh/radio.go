package mesh

import "threadmap/diag"

// noiseFloor is the receiver's noise, in dBm: OpenThread's simulation uses it,
// and its captures show margin = RSSI + 100.
const noiseFloor = -100

// maxPathCost is the largest path cost a Thread router keeps; dearer is
// unreachable.
const maxPathCost = 15

// LinkQuality is the quality (0..3) of a link margin in dB (Thread: above 20
// is 3, above 10 is 2, above 2 is 1).
func LinkQuality(margin uint8) uint8 {
	switch {
	case margin > 20:
		return 3
	case margin > 10:
		return 2
	case margin > 2:
		return 1
	}
	return 0
}

// LinkCost is the cost of a link of which each end receives the other with the
// given qualities: the worse one counts (1, 2, 4 for quality 3, 2, 1). 0 is
// no link.
func LinkCost(in, out uint8) int {
	switch min(in, out) {
	case 3:
		return 1
	case 2:
		return 2
	case 1:
		return 4
	}
	return 0
}

// Hear is the Direction of a signal of rssi dBm, without errors.
func Hear(rssi int8) Direction {
	margin := uint8(max(int(rssi)-noiseFloor, 0))
	return Direction{LQ: LinkQuality(margin), RSSI: rssi, LastRSSI: rssi, Margin: margin}
}

// withErrors adds the error rates that a link of that margin tends to have.
func (d Direction) withErrors() Direction {
	if d.Margin < 30 {
		short := 30 - int(d.Margin)
		d.FrameError = diag.Rate(short * short * 30)        // 41 % at no margin at all
		d.MessageError = diag.Rate(short * short * 30 / 16) // most frames are repeated with success
	}
	return d
}

// log2x100 is 100·log2(v) for v ≥ 1, by linear interpolation between powers of
// two: integers only, so that every processor computes the same home.
func log2x100(v int) int {
	k := 0
	for v>>k > 1 {
		k++
	}
	return 100*k + 100*(v-1<<k)/(1<<k)
}

// rssiAt is the strength in dBm over a distance in centimetres and through
// walls and floors: 45 dB at one metre, 30 dB a decade, 5 dB a wall, 13 dB a
// floor.
func rssiAt(cm, walls, floors int) int {
	loss := 45
	if cm > 100 {
		loss += 9 * (log2x100(cm) - log2x100(100)) / 100
	}
	return max(8-loss-5*walls-13*floors, -128)
}
