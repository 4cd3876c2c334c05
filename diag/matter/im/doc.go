// Package im reads and writes the messages of Matter's Interaction Model
// (Matter Core Specification, chapters 8 and 10): reading attributes and
// events, subscribing to them, invoking commands, writing.
//
// Every message goes both ways, so that a node can be simulated with the same
// code that asks it. [ReportReader] walks a ReportData without copying or
// allocating; an [Assembly] puts the lists together again that a node had to
// send in pieces; [EncodeReports] makes such pieces.
//
// Nothing here waits or sends: bytes in, bytes out. What was read is bounded
// in depth, number and size, whatever the sender says.
//
// The reader is above tlv and below the Matter source and simulators. What the
// attributes mean is the matter of package cluster.
package im
