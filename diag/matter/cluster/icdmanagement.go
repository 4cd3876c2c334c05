package cluster

import (
	"time"

	"threadmap/diag"
)

const (
	icdIdleModeDuration                 = 0x0000
	icdActiveModeDuration               = 0x0001
	icdActiveModeThreshold              = 0x0002
	icdRegisteredClients                = 0x0003
	icdICDCounter                       = 0x0004
	icdUserActiveModeTriggerHint        = 0x0006
	icdUserActiveModeTriggerInstruction = 0x0007
	icdOperatingMode                    = 0x0008
)

// decodeICDManagement reads cluster 0x0046. RegisteredClients counts those the
// reader was shown: the list is scoped to its fabric and needs Administer.
func decodeICDManagement(r *reader, rep *diag.Report) {
	var icd diag.ICD
	if v, known := r.uint(icdIdleModeDuration, "IdleModeDuration", 1<<32-1); known {
		icd.IdleModeDuration = diag.Some(time.Duration(v) * time.Second)
	}
	if v, known := r.uint(icdActiveModeDuration, "ActiveModeDuration", 1<<32-1); known {
		icd.ActiveModeDuration = diag.Some(time.Duration(v) * time.Millisecond)
	}
	if v, known := r.uint(icdActiveModeThreshold, "ActiveModeThreshold", 1<<16-1); known {
		icd.ActiveModeThreshold = diag.Some(time.Duration(v) * time.Millisecond)
	}
	val, p := r.value(icdRegisteredClients)
	if l := r.list(val, 1<<16-1, p.String()+" RegisteredClients"); l != nil {
		icd.RegisteredClients = diag.Some(uint16(len(l)))
	}
	if v, known := r.uint(icdUserActiveModeTriggerHint, "UserActiveModeTriggerHint", 1<<32-1); known {
		icd.UserActiveModeTriggerHint = diag.Some(uint32(v))
	}
	icd.UserActiveModeTriggerInstruction = r.text(icdUserActiveModeTriggerInstruction, "UserActiveModeTriggerInstruction")
	if v, known := r.uint(featureMap, "FeatureMap", 1<<32-1); known {
		icd.FeatureMap = diag.Some(uint32(v))
		icd.CheckIn = diag.Some(v&1 != 0)
		if v&4 == 0 { // no LongIdleTimeSupport: OperatingMode does not exist
			icd.LIT = diag.Some(false)
		}
	}
	if v, known := r.uint(icdOperatingMode, "OperatingMode", 1); known {
		icd.LIT = diag.Some(v == 1)
	}
	if icd != (diag.ICD{}) {
		rep.ICD = diag.Some(icd)
	}
}
