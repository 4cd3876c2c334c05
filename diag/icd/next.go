package icd

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// An experiment is something that a person can do, and what it would show.
type experiment struct {
	do   string
	cost float64 // trouble and harm, in bits that it must gain first
	// rung is that of the observers that it would add: with them there it adds
	// nothing any more; 9: it always does.
	rung int
	// shows sorts causes by what would be seen; causes that it says nothing of
	// are in no list.
	shows [][]string
	when  func(*view, *Verdict) bool // nil: always possible
}

// experiments stand from cheap and harmless to costly.
var experiments = []experiment{
	{do: "Press the device's button (or open and close it) and say whether the controller shows it.", cost: 0.05, rung: 9,
		shows: [][]string{{"N2", "N8", "N9"}, {"R1", "N10", "N5", "R4", "R6", "R11", "R12", "N1", "N3", "N4", "R3", "R14", "R15", "N7"}},
		when:  func(v *view, _ *Verdict) bool { return len(v.by["user press"]) == 0 }},
	{do: "Wake the controller's computer and keep it awake.", cost: 0.3, rung: 9,
		shows: [][]string{{"N3"}, {"R1", "N10", "N5", "R4", "R11", "R12", "N1", "N4"}}},
	{do: "Ping the device's addresses from this machine.", cost: 0.1, rung: 1,
		shows: [][]string{{"N6", "R17", "R20", "R8", "R7", "R19"}, {"H1"}, {"R9", "R10", "N4", "R1", "N10", "R2", "R3", "N3", "R11", "R12", "N5", "R4", "R6", "N1", "R14", "N2", "N8", "N9"}, {"R15", "N7"}}},
	{do: "Look whether this machine has a route to the mesh's prefix (`ip -6 route`), and ping the device from the border router too.", cost: 0.2, rung: 9,
		shows: [][]string{{"H1"}, {"R7"}, {"R19"}, {"R8", "R17", "R20", "N6"}}},
	{do: "Hand over the Thread credential (`threadmap login thread`), so that the device's parent can be asked.", cost: 0.3, rung: 2,
		shows: [][]string{{"N6"}, {"R17"}, {"R20"}, {"R8"}, {"R7"}, {"R19"}, {"R13"}, {"R9", "R10", "H1", "N4", "R1", "N10", "R2", "R3", "N3", "R11", "R12", "N5", "R4", "R6", "N1", "R14", "R15", "N7", "N2", "N8", "N9"}}},
	{do: "Let threadmap join the device as one more controller (`threadmap pair CODE`) and restart the device while it watches.", cost: 0.5, rung: 3,
		shows: [][]string{{"R1", "N10"}, {"R11"}, {"R12", "N1", "N3", "N4"}, {"R2", "R3"}, {"N5", "R4", "R6", "R14"}, {"R15"}, {"N7"}, {"N2"}, {"N8"}, {"N9"}, {"N6"}}},
	{do: "While `threadmap icd` listens, restart another Thread device that comes back by itself; ten minutes later restart this one.", cost: 0.55, rung: 9,
		shows: [][]string{{"N10"}, {"R1", "R3"}},
		when: func(_ *view, v *Verdict) bool {
			return slices.ContainsFunc(v.Causes, func(c CauseFound) bool { return c.ID == "N10" && c.Confidence > Low })
		}},
	{do: "Turn on the controller's debug log and record it while the device restarts.", cost: 0.6, rung: 4,
		shows: [][]string{{"R1", "N10", "N5"}, {"R11"}, {"R12"}, {"N1"}, {"R4"}, {"R6"}, {"R2", "R3"}, {"R14"}, {"N9"}, {"N3", "N4"}}},
	{do: "Take the battery out for ten seconds while `threadmap icd` watches.", cost: 0.7, rung: 9,
		shows: [][]string{{"R1", "N10", "N5"}, {"R3", "R2", "R11", "R12", "N1", "N4", "N3"}, {"R20", "R17", "R9", "R13", "R14", "R4", "R6"}, {"N6"}, {"R7", "R8"}, {"N2"}}},
	{do: "Restart the controller (its app, server or hub).", cost: 0.9, rung: 9,
		shows: [][]string{{"R1", "N10", "N5", "R4", "R6", "R12", "N1", "R3", "R2", "R14"}, {"R11", "R9", "R10", "N2", "N8", "N9", "N4", "R15", "H1", "R7", "R8", "R19", "R17", "R20", "N6"}}},
	{do: "Switch all border routers but one off for some minutes.", cost: 1.5, rung: 9,
		shows: [][]string{{"R8", "R7", "R11", "N1", "N10"}, {"R12", "R1", "N5", "R4", "R6", "R19", "H1", "N6", "R17", "R20"}},
		when:  func(v *view, _ *Verdict) bool { return len(v.borderRouters()) > 1 }},
}

// next chooses the experiment that would separate the remaining causes best for
// its cost.
func (v *view) next(out *Verdict, h *history) *Step {
	if _, works := out.Works(); works {
		return nil
	}
	if len(out.Causes) == 0 {
		if _, unhappy := h.complaint(); out.Healthy == nil && !unhappy && len(v.all) > 0 {
			return &Step{Do: experiments[0].do, Because: "nothing is seen broken; a press that arrives would show that all links hold"}
		}
		if len(out.Causes) == 0 && out.Link == 0 && out.Healthy != nil {
			return nil
		}
	}
	weight := map[string]float64{}
	for _, c := range out.Causes {
		weight[c.ID] = []float64{0, 1, 3, 9}[c.Confidence]
	}
	if len(weight) == 0 { // something is wrong, and nothing known explains it: all may
		for _, c := range Causes {
			if !slices.ContainsFunc(out.Excluded, func(e Exclusion) bool { return e.ID == c.ID }) {
				weight[c.ID] = 1
			}
		}
	}
	if len(out.Causes) > 0 && out.Causes[0].Confidence == High {
		c := CauseByID(out.Causes[0].ID)
		return &Step{Do: mends[c.ID], Because: "it is as good as certain: " + titled(c.ID)}
	}
	var best *experiment
	bestGain := 0.0
	for i := range experiments {
		e := &experiments[i]
		if v.standsOn(e.rung) || e.when != nil && !e.when(v, out) {
			continue
		}
		if gain := e.gain(weight) - e.cost; best == nil && gain > 0 || gain > bestGain+1e-9 {
			best, bestGain = e, gain
		}
	}
	if best == nil {
		if len(out.Await) > 0 {
			a := out.Await[len(out.Await)-1]
			return &Step{Do: fmt.Sprintf("Wait until %s.", a.NotAfter), Because: "nothing that a person could do tells the remaining causes apart; until then this may happen by itself: " + a.What}
		}
		if len(out.Causes) > 0 {
			return &Step{Do: mends[out.Causes[0].ID], Because: "it mends what is likeliest, and harms nothing else"}
		}
		return nil
	}
	sets := best.separates(weight)
	return &Step{Do: best.do, Because: inWords(sets), Separates: sets}
}

// gain is what the experiment is expected to tell, in bits.
func (e *experiment) gain(weight map[string]float64) float64 {
	total, before := 0.0, 0.0
	ids := sortedKeys(weight)
	for _, id := range ids {
		total += weight[id]
	}
	for _, id := range ids {
		before -= share(weight[id] / total)
	}
	after, left := 0.0, total
	part := func(members []string) {
		sum := 0.0
		for _, id := range members {
			sum += weight[id]
		}
		if sum == 0 {
			return
		}
		for _, id := range members {
			after -= float64(sum/total) * share(weight[id]/sum)
		}
	}
	named := map[string]bool{}
	for _, outcome := range e.shows {
		part(outcome)
		for _, id := range outcome {
			named[id] = true
			left -= weight[id]
		}
	}
	var rest []string // those that it says nothing of stay as they are, with each other
	for _, id := range ids {
		if !named[id] {
			rest = append(rest, id)
		}
	}
	part(rest)
	if len(rest) > 0 && left < total && len(rest) < len(ids) {
		// It may show nothing for them: count their separation from others half.
		return float64(before-after) / 2
	}
	return before - after
}

// share is p·log2 p, rounded so that all machines agree.
func share(p float64) float64 {
	if p <= 0 {
		return 0
	}
	return math.Round(float64(p*math.Log2(p))*1e9) / 1e9
}

// separates are the sets of causes that the experiment would tell apart.
func (e *experiment) separates(weight map[string]float64) (sets [][]string) {
	for _, outcome := range e.shows {
		var ids []string
		for _, id := range outcome {
			if weight[id] > 0 {
				ids = append(ids, id)
			}
		}
		if len(ids) > 0 {
			sets = append(sets, ids)
		}
	}
	return sets
}

// How many sets, and causes of one, a sentence names.
const maxSets, maxOfSet = 3, 2

// inWords says what is told apart, by the causes' titles.
func inWords(sets [][]string) string {
	if len(sets) == 1 {
		return "it shows whether it is this: " + oneOf(sets[0])
	}
	var said []string
	for i, ids := range sets {
		if i == maxSets {
			said = append(said, fmt.Sprintf("and %d more", len(sets)-i))
			break
		}
		said = append(said, oneOf(ids))
	}
	return "it tells apart: " + strings.Join(said, "; ")
}

// oneOf is "“this” (R1) or “that” (N5)".
func oneOf(ids []string) string {
	var said []string
	for i, id := range ids {
		if i == maxOfSet && len(ids) > maxOfSet+1 {
			said = append(said, fmt.Sprintf("one of %d more", len(ids)-i))
			break
		}
		said = append(said, titled(id))
	}
	return strings.Join(said, " or ")
}

// titled is a cause as a person reads it.
func titled(id string) string {
	if c := CauseByID(id); c != nil {
		return "“" + c.Title + "” (" + c.ID + ")"
	}
	return id
}

func sortedKeys(m map[string]float64) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// mends says what to do against a cause that is sure.
var mends = map[string]string{
	"N6":  "Put in a new battery, clean its contacts, and restart the device; if it goes on, update its firmware.",
	"R17": "Bring the lost router back, or put a mains-powered Thread device near; then restart the device.",
	"R20": "Take the device's battery out for ten seconds: it then looks for a parent again. Update its firmware.",
	"R8":  "Bring the halves together: a mains-powered Thread device between them, or restart the border router of the smaller half.",
	"H1":  "Let this machine accept routes from router advertisements (net.ipv6.conf.<interface>.accept_ra_rt_info_max_plen=64 and accept_ra).",
	"R7":  "Restart the device, so that it takes an address of the present prefix; then find out why two border routers disagree on it.",
	"R19": "Restart the device's parent, then the device.",
	"R9":  "Restart the device, so that it registers again now; else it does so within two hours.",
	"R10": "Restart the border router, and update it.",
	"N4":  "Remove the old controller from the device (its list of connected services), or bring that controller back.",
	"N10": "Restart the border router and update it; where there is another, try whether the device comes back with this one switched off.",
	"R1":  "Update the device's firmware; until then let its controller subscribe anew after each restart.",
	"R3":  "Update the device's firmware; a restart of the device makes it try once more.",
	"R2":  "Wait for the next attempt, or restart the device, which makes it try at once.",
	"N3":  "Keep the controller's computer awake, or move the controller to one that does not sleep.",
	"R11": "Use one border router only for a test; else check the routes to the mesh's prefix on the controller's machine.",
	"R12": "Restart the controller, so that both sides open a new session.",
	"R13": "Wait a minute: it then takes new sessions.",
	"R15": "Let the controller register for the device's Check-Ins, by an update or by adding the device again.",
	"N5":  "Restart the hub, or switch the device off for more than a minute and on again, so that its name appears newly.",
	"R4":  "Restart the controller, which makes it try at once; else wait for its next attempt.",
	"R6":  "Restart the device, so that its name is announced anew, or restart the controller.",
	"N1":  "Restart the device with all border routers but one switched off, and report it to the controller's maker.",
	"R14": "Restart each sleeping device once.",
	"N7":  "Remove the registration that changed the mode (`threadmap icd cleanup`, where it was ours).",
	"N2":  "Restart the controller, so that it takes event numbers from the beginning; update the device's firmware.",
	"N8":  "Lower the subscription's MaxInterval, or update the device's firmware.",
	"N9":  "Report it to the controller's maker, with the observations.",
}
