package icd

import (
	"encoding/json"
	"fmt"
)

// R18: the firmware, for those who compare devices of one model.
var factR18 = circumstance{"R18", func(v *view, h *history) string {
	text := func(path string) (s string) {
		for _, x := range v.values(path) {
			if t := ""; json.Unmarshal(x.raw, &t) == nil {
				s = quote(t)
			}
		}
		return s
	}
	product, version := text("0/40/3"), text("0/40/10")
	if product == "" || version == "" {
		return ""
	}
	return fmt.Sprintf("Its model is %s %s with firmware %s; if others of this model fail alike, it is the firmware generation.", text("0/40/1"), product, version)
}}
