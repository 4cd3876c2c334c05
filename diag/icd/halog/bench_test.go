package halog

import (
	"bytes"
	"os"
	"testing"
)

// BenchmarkRead reads a log whose lines are all about the node, or none.
func BenchmarkRead(b *testing.B) {
	text, err := os.ReadFile("testdata/matterjs.log")
	if err != nil {
		b.Fatal(err)
	}
	text = bytes.Repeat(text, 500)
	for name, node := range map[string]uint64{"about the node": 0x24, "about others": 0x99} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := Read(bytes.NewReader(text), Options{Node: node}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
