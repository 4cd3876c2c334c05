package redact

import (
	"regexp"
	"strings"

	"threadmap/diag"
)

// Words that a file could have made up are kept only where they are of the
// vocabulary.

func sourceName(s string) string {
	switch s {
	case "mdns", "dnssd", "otbr", "thread", "matter", "matter-server", "matterserver", "home-assistant", "homeassistant", "dump", "file", "simulated", "snapshot":
		return s
	}
	return "other"
}

func state(s diag.State) diag.State {
	switch s {
	case diag.StateAnswered, diag.StateFailed, diag.StateSkipped:
		return s
	}
	return diag.StateFailed
}

func stage(s diag.Stage) diag.Stage {
	switch s {
	case diag.StageResolve, diag.StageConnect, diag.StageHandshake, diag.StageAsk, diag.StageParse:
		return s
	}
	return diag.StageAsk
}

func role(r diag.Role) diag.Role {
	switch r {
	case diag.RoleDetached, diag.RoleSleepyEndDevice, diag.RoleEndDevice, diag.RoleREED, diag.RoleRouter, diag.RoleLeader:
		return r
	}
	return diag.RoleUnknown
}

func transport(t diag.Transport) diag.Transport {
	switch t {
	case diag.TransportThread, diag.TransportWiFi, diag.TransportEthernet:
		return t
	}
	return diag.TransportUnknown
}

// withheld stands for text that may quote a stranger.
const withheld = "(its words are withheld)"

// reasons are the words by which an error is known, in the order in which they
// are looked for, and how a redacted report says it. Errors quote URLs, hosts and
// what peers said, so nothing of one is copied.
var reasons = []struct{ has, says string }{
	{"not asked", "it was not asked"},
	{"did not stop within", "it did not stop in time"},
	{"internal error", "an internal error of threadmap"},
	{"dropped", "more than a scan may hold"},
	{"did not answer", "it did not answer"},
	{"no answer", "it did not answer"},
	{"nobody answer", "it did not answer"},
	{"silent", "it did not answer"},
	{"timed out", "it did not answer in time"},
	{"timeout", "it did not answer in time"},
	{"deadline", "it did not answer in time"},
	{"in time", "it did not answer in time"},
	{"connection refused", "the connection was refused"},
	{"connection reset", "the connection was broken off"},
	{"no route to host", "there is no route to it"},
	{"unreachable", "it can't be reached"},
	{"no such host", "its name is not known"},
	{"no such file", "there is no such file"},
	{"permission", "no permission"},
	{"certificate", "its certificate is not trusted"},
	{"wrong key", "the credential was refused"},
	{"credential", "about its credential"},
	{"token", "about its token"},
	{"commissioner", "about the role of commissioner"},
	{"being added", "a device was being added"},
	{"stopped", "it was stopped"},
	{"damaged", "it is damaged"},
	{"larger than", "it is too large"},
	{"too large", "it is too large"},
	{"multicast", "about multicast"},
	{"refused", "it refused"},
}

// status is an answer of HTTP that means no.
var status = regexp.MustCompile(`\b(?:status|HTTP|http)\b[^0-9]{0,8}([45][0-9][0-9])\b`)

func reason(s string) string {
	if len(s) > 4096 {
		s = s[:4096]
	}
	low := strings.ToLower(s)
	said := ""
	for _, r := range reasons {
		if strings.Contains(low, r.has) {
			said = r.says
			break
		}
	}
	if m := status.FindStringSubmatch(s); m != nil {
		return strings.TrimSpace("HTTP status " + m[1] + " " + withheld)
	}
	if said == "" {
		return withheld
	}
	return said
}

// maxMakers bounds what a maker says of its product, in bytes.
const maxMakers = 80

// addressLike is what no maker would write in the name of a model or a version:
// long rows of hexadecimal digits, MAC and IP addresses of a LAN, URLs.
var addressLike = regexp.MustCompile(`(?i)[0-9a-f]{12,}|\b[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5,}|[0-9a-f]{0,4}:[0-9a-f]{0,4}:[0-9a-f:]*|\b(?:10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}\b|://|\.local\b|@`)

// makers keeps a maker's own words for product and versions, unless they hold an
// address.
func makers(s string) string {
	if len(s) > maxMakers || addressLike.MatchString(s) {
		return ""
	}
	return s
}

var counterNames = func() map[diag.Counter]bool {
	out := map[diag.Counter]bool{}
	for _, c := range []diag.Counter{
		diag.DetachedRoleCount, diag.ChildRoleCount, diag.RouterRoleCount, diag.LeaderRoleCount, diag.AttachAttemptCount, diag.PartitionIDChangeCount,
		diag.BetterPartitionAttachAttemptCount, diag.ParentChangeCount, diag.TxTotalCount, diag.TxUnicastCount, diag.TxBroadcastCount, diag.TxAckRequestedCount,
		diag.TxAckedCount, diag.TxNoAckRequestedCount, diag.TxDataCount, diag.TxDataPollCount, diag.TxBeaconCount, diag.TxBeaconRequestCount, diag.TxOtherCount,
		diag.TxRetryCount, diag.TxDirectMaxRetryExpiryCount, diag.TxIndirectMaxRetryExpiryCount, diag.TxErrCcaCount, diag.TxErrAbortCount,
		diag.TxErrBusyChannelCount, diag.RxTotalCount, diag.RxUnicastCount, diag.RxBroadcastCount, diag.RxDataCount, diag.RxDataPollCount, diag.RxBeaconCount,
		diag.RxBeaconRequestCount, diag.RxOtherCount, diag.RxAddressFilteredCount, diag.RxDestAddrFilteredCount, diag.RxDuplicatedCount, diag.RxErrNoFrameCount,
		diag.RxErrUnknownNeighborCount, diag.RxErrInvalidSrcAddrCount, diag.RxErrSecCount, diag.RxErrFcsCount, diag.RxErrOtherCount, diag.OverrunCount,
		diag.IfInUnknownProtos, diag.IfInErrors, diag.IfOutErrors, diag.IfInUcastPkts, diag.IfInBroadcastPkts, diag.IfInDiscards, diag.IfOutUcastPkts,
		diag.IfOutBroadcastPkts, diag.IfOutDiscards, diag.DisabledRoleCount, diag.TrackedMillis, diag.DisabledMillis, diag.DetachedMillis, diag.ChildMillis,
		diag.RouterMillis, diag.LeaderMillis,
	} {
		out[c] = true
	}
	return out
}()
