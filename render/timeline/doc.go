// Package timeline draws what was observed around a sleepy device as one SVG:
// who saw what when, how the ten links of its chain stood at each time, and what
// is awaited until when. Its title is the verdict.
//
// The picture is one file without scripts, fonts or anything fetched, readable
// on light and dark pages; shape and pattern say what color says. The same
// observations give the same bytes everywhere: all arithmetic is of integers.
//
// The reader is behind package icd, which judges, and beside package svg, which
// draws maps.
package timeline
