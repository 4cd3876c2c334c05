package icd

import (
	"fmt"
	"strconv"
	"strings"
)

// A Wake is one way in which a person wakes a device that sleeps: a bit of
// UserActiveModeTriggerHint (Matter core specification, 9.16.5.2).
type Wake struct {
	Bit  uint8
	Name string // as in the specification

	takes argument
	with  string // what to do, %s: the instruction
	do    string // what to do where there is no instruction
}

// An argument is what UserActiveModeTriggerInstruction says beside the bit.
type argument uint8

const (
	wakeNothing argument = iota
	wakeWords            // text of the maker
	wakeNumber           // of seconds, or of times
	wakeColor            // RRGGBB
)

// Wakes are all ways, in the order of their bits.
var Wakes = [...]Wake{
	{0, "PowerCycle", wakeNothing, "", "take its power away and give it back: battery out for ten seconds, then in again"},
	{1, "SettingsMenu", wakeNothing, "", "use the menu of its own settings"},
	{2, "CustomInstruction", wakeWords, "do as its maker says: %s", "do as its maker says, which the device does not tell: look into its manual"},
	{3, "DeviceManual", wakeNothing, "", "do as its manual says"},
	{4, "ActuateSensor", wakeNothing, "", "let its sensor notice something: open the door, walk past it, press what it watches"},
	{5, "ActuateSensorSeconds", wakeNumber, "let its sensor notice something for %s seconds", "let its sensor notice something for some seconds"},
	{6, "ActuateSensorTimes", wakeNumber, "let its sensor notice something %s times, one after the other", "let its sensor notice something several times, one after the other"},
	{7, "ActuateSensorLightsBlink", wakeColor, "let its sensor notice something until its light blinks in the color #%s", "let its sensor notice something until its light blinks"},
	{8, "ResetButton", wakeNothing, "", "press its reset button, shortly"},
	{9, "ResetButtonLightsBlink", wakeColor, "hold its reset button until its light blinks in the color #%s", "hold its reset button until its light blinks, and no longer"},
	{10, "ResetButtonSeconds", wakeNumber, "hold its reset button for %s seconds, and no longer", "hold its reset button for some seconds: its manual says how long"},
	{11, "ResetButtonTimes", wakeNumber, "press its reset button %s times, shortly", "press its reset button several times, shortly"},
	{12, "SetupButton", wakeNothing, "", "press its setup button, shortly"},
	{13, "SetupButtonSeconds", wakeNumber, "hold its setup button for %s seconds", "hold its setup button for some seconds: its manual says how long"},
	{14, "SetupButtonLightsBlink", wakeColor, "hold its setup button until its light blinks in the color #%s", "hold its setup button until its light blinks"},
	{15, "SetupButtonTimes", wakeNumber, "press its setup button %s times, shortly", "press its setup button several times, shortly"},
	{16, "AppDefinedButton", wakeNothing, "", "press the button that its app names"},
}

// WakeBy says how a person wakes a device, by its attributes
// UserActiveModeTriggerHint and UserActiveModeTriggerInstruction: one line for
// each bit that is set and known, in their order. The instruction is the device's
// own words; one that is not what its bit calls for is not repeated.
func WakeBy(hint uint32, instruction string) []string {
	var out []string
	for _, w := range Wakes {
		if hint&(1<<w.Bit) == 0 {
			continue
		}
		if s, ok := w.argument(instruction); ok {
			out = append(out, fmt.Sprintf(w.with, s))
		} else {
			out = append(out, w.do)
		}
	}
	return out
}

// argument is the instruction as the bit calls for it.
func (w Wake) argument(s string) (string, bool) {
	s = strings.TrimSpace(s)
	switch w.takes {
	case wakeWords:
		return "“" + quote(s) + "”", s != ""
	case wakeNumber:
		n, err := strconv.ParseUint(s, 10, 16)
		return strconv.FormatUint(n, 10), err == nil && n > 0
	case wakeColor:
		_, err := strconv.ParseUint(s, 16, 32)
		return strings.ToUpper(s), err == nil && len(s) == 6
	}
	return "", false
}
