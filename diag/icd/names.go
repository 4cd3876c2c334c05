package icd

import (
	"strconv"
	"strings"
)

const matterService = "_matter._tcp"

// instanceOf is the instance label of an mDNS name, in upper case.
func instanceOf(name string) string {
	if i := strings.Index(strings.ToLower(name), "._matter"); i >= 0 {
		name = name[:i]
	}
	return strings.ToUpper(strings.TrimSuffix(name, "."))
}

// isOperational reports whether an announcement is that of a Matter node.
func isOperational(w *Announce) bool {
	return strings.HasPrefix(strings.ToLower(w.Service), matterService) ||
		strings.Contains(strings.ToLower(w.Instance), matterService) ||
		w.Service == "" && isInstance(w.Instance)
}

func isInstance(name string) bool { _, _, ok := splitInstance(instanceOf(name)); return ok }

// splitInstance reads "<compressed fabric id>-<node id>", 16 digits each.
func splitInstance(instance string) (fabric, node string, ok bool) {
	fabric, node, ok = strings.Cut(instance, "-")
	return fabric, node, ok && isHex16(fabric) && isHex16(node)
}

func isHex16(s string) bool {
	if len(s) != 16 {
		return false
	}
	_, err := strconv.ParseUint(s, 16, 64)
	return err == nil
}

func decimal(hex string) string {
	n, err := strconv.ParseUint(hex, 16, 64)
	if err != nil {
		return hex
	}
	return strconv.FormatUint(n, 10)
}

// isMeshCoP reports whether an announcement is that of a border router.
func isMeshCoP(w *Announce) bool {
	return strings.HasPrefix(strings.ToLower(w.Service), "_meshcop") || strings.Contains(strings.ToLower(w.Instance), "._meshcop")
}
