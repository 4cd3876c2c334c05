package mesh

// A kind says what a generated device does in the mesh.
type kind uint8

const (
	borderRouter kind = iota
	mains             // a full Thread device: router, REED or end device
	receiverOn        // a minimal device with its receiver on
	sleepy
)

// A device is an entry of the catalogue that generators draw from.
type device struct {
	word, vendor, model, firmware, stack string
	version                              uint16
	kind                                 kind
}

// The catalogue: makers, models and versions as devices of 2025 and 2026 give
// them in their diagnostics.
var (
	homePod   = device{"HomePod", "Apple Inc.", "HomePod mini", "26.1", "", 5, borderRouter}
	appleTV   = device{"Apple TV", "Apple Inc.", "Apple TV 4K", "26.1", "", 5, borderRouter}
	nestHub   = device{"Nest Hub", "Google Inc.", "Nest Hub", "1.68.491", "OPENTHREAD/3ae741f95; FUCHSIA", 5, borderRouter}
	otbr2025  = device{"OTBR", "OpenThread", "BorderRouter", "0.3.0", "OPENTHREAD/thread-reference-20250612-1416-ga90042774; POSIX", 5, borderRouter}
	otbr2026  = device{"OTBR", "Home Assistant", "SkyConnect", "2.18.0", "OPENTHREAD/a90042774; POSIX; Aug 12 2026", 5, borderRouter}
	smartPlug = device{"plug", "Eve Systems", "Eve Energy 20EBO8301", "3.5.0", "OPENTHREAD/2aeb8b833; NRF52840", 4, mains}
	bulb      = device{"bulb", "Nanoleaf", "Essentials A19 NL67", "4.1.3", "OPENTHREAD/20191113-02129; EFR32", 4, mains}
	ceiling   = device{"ceiling light", "Signify", "Hue Ceiling 3417", "1.122.8", "SL-OPENTHREAD/2.5.0.0_GitHub; EFR32", 5, mains}
	outlet    = device{"outlet", "IKEA of Sweden", "GRILLPLATS plug", "1.0.18", "SL-OPENTHREAD/2.6.1.0; EFR32", 5, mains}
	thermo    = device{"thermostat", "Eve Systems", "Eve Thermo 20EBP1701", "3.2.4", "OPENTHREAD/2aeb8b833; NRF52840", 4, sleepy}
	contact   = device{"window sensor", "Aqara", "Door and Window Sensor P2", "1.0.2.0", "SL-OPENTHREAD/2.3.1.0; EFR32", 4, sleepy}
	motion    = device{"motion sensor", "Eve Systems", "Eve Motion 20EBY9901", "3.5.1", "OPENTHREAD/2aeb8b833; NRF52840", 4, sleepy}
	button    = device{"button", "IKEA of Sweden", "BILRESA dual button", "1.5.4", "SL-OPENTHREAD/2.6.1.0; EFR32", 5, sleepy}
	climate   = device{"climate sensor", "IKEA of Sweden", "TIMMERFLOTTE", "1.0.7", "SL-OPENTHREAD/2.6.1.0; EFR32", 5, sleepy}
	lock      = device{"lock", "Yale", "Assure Lock 2", "1.2.30", "SL-OPENTHREAD/2.4.0.0; EFR32", 4, sleepy}
	smoke     = device{"smoke alarm", "X-Sense", "XS01-M", "1.0.9", "OPENTHREAD/7bdeb9bba; NRF52840", 4, sleepy}
	leak      = device{"leak sensor", "IKEA of Sweden", "KLIPPBOK", "1.0.4", "SL-OPENTHREAD/2.6.1.0; EFR32", 5, sleepy}
	valve     = device{"water valve", "Eve Systems", "Eve Aqua 20EBN4101", "3.2.1", "OPENTHREAD/2aeb8b833; NRF52840", 4, sleepy}
	blind     = device{"blind", "Eve Systems", "MotionBlinds Upgrade Kit", "2.1.2", "OPENTHREAD/2aeb8b833; NRF52840", 4, sleepy}
	airMeter  = device{"air monitor", "IKEA of Sweden", "ALPSTUGA", "1.0.12", "SL-OPENTHREAD/2.6.1.0; EFR32", 5, receiverOn}
)

// A room is a cell of a home's floor plan.
type room struct {
	name    string
	x, y, z int // column, row, storey
}

// The rooms of the generated home: two storeys of four by two rooms.
var rooms = []room{
	{"Kitchen", 0, 0, 0}, {"Living room", 1, 0, 0}, {"Hall", 2, 0, 0}, {"Office", 3, 0, 0},
	{"Dining room", 0, 1, 0}, {"Utility room", 1, 1, 0}, {"Bathroom", 2, 1, 0}, {"Garage", 3, 1, 0},
	{"Bedroom", 0, 0, 1}, {"Kids room", 1, 0, 1}, {"Landing", 2, 0, 1}, {"Guest room", 3, 0, 1},
	{"Studio", 0, 1, 1}, {"Ensuite", 1, 1, 1}, {"Attic", 2, 1, 1}, {"Balcony", 3, 1, 1},
}
