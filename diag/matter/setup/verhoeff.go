package setup

// Verhoeff's check digit (Core 5.1.4) calculates in the group of the ten
// symmetries of a pentagon: 0 to 4 turn it, 5 to 9 turn it over. Each place
// has its own permutation of the digits, so it notices all single wrong digits
// and all swaps of neighbours.

// permutation is applied once for each place from the right.
var permutation = [10]uint8{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}

// compose is a, then b.
func compose(a, b uint8) uint8 {
	turn := (a + b) % 5
	if a >= 5 {
		turn = (a + 5 - b%5) % 5
	}
	if (a >= 5) != (b >= 5) {
		turn += 5
	}
	return turn
}

// fold composes the digits, the last one with the permutation applied first
// times.
func fold(digits []uint8, first int) (c uint8) {
	for i := range digits {
		d := digits[len(digits)-1-i]
		for range (first + i) % 8 {
			d = permutation[d]
		}
		c = compose(c, d)
	}
	return c
}

// verhoeffOK reports whether the last of the digits is their check digit.
func verhoeffOK(digits []uint8) bool { return fold(digits, 0) == 0 }

// verhoeffDigit is the check digit to append. It stands in the place without a
// permutation, and undoes what the others make.
func verhoeffDigit(digits []uint8) uint8 {
	c := fold(digits, 1)
	if c >= 5 {
		return c // turned over once more
	}
	return (5 - c) % 5
}
