package icd

import "strings"

// txt finds a key of a TXT record, in whatever case.
func txt(m map[string]string, key string) (string, bool) {
	if s, ok := m[key]; ok {
		return s, true
	}
	for k, s := range m {
		if strings.EqualFold(k, key) {
			return s, true
		}
	}
	return "", false
}
