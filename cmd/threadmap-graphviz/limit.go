package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"time"
)

// watch returns why the program must end, when it must. It needs a processor
// beside the one that Graphviz keeps busy.
func watch(most time.Duration, memory uint64, signals <-chan os.Signal) string {
	if runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
	end := time.After(most)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	used := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	for {
		select {
		case <-signals:
			return "stopped"
		case <-end:
			return fmt.Sprintf("not done after %v", most)
		case <-look.C:
			if metrics.Read(used); used[0].Value.Kind() == metrics.KindUint64 && used[0].Value.Uint64() > memory {
				return fmt.Sprintf("the graph needs more than %d MB of memory", memory>>20)
			}
		}
	}
}
