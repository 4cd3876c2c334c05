package main

import (
	"context"
	"fmt"
	"net"

	icdcanary "threadmap/diag/icd/canary"
	icdlisten "threadmap/diag/icd/listen"
	"threadmap/discovery/mdns"
)

// An icdLAN is a LAN in the place of this machine's, for the observers of a device:
// tests give them a simulated one, in virtual time.
type icdLAN struct {
	listening func(*icdlisten.Config)                                              // gives what the listeners listen on
	socket    func() (net.PacketConn, error)                                       // where threadmap's own node is
	find      func() (icdcanary.Target, error)                                     // where the device is
	announce  func(*mdns.AdvertiseConfig)                                          // gives what it is announced on
	dial      func(ctx context.Context, network, address string) (net.Conn, error) // to Home Assistant
}

// testICD is that of tests, nil otherwise.
var testICD *icdLAN

// there says which of the interfaces that were named can't be listened on, before
// any work is done: a scan that is saved needs none.
func (l *lan) there() error {
	if testICD != nil {
		return nil
	}
	if err := mdns.There(l.interfaces); err != nil {
		return &failure{exitPartial, fmt.Errorf("--interface: %s: name one of those, or leave it out", clean(err.Error()))}
	}
	return nil
}

// ownSocket is where the device finds threadmap.
func ownSocket() (net.PacketConn, error) {
	if testICD != nil {
		return testICD.socket()
	}
	c, err := net.ListenUDP("udp", &net.UDPAddr{})
	if err != nil {
		return nil, err
	}
	return c, nil
}
