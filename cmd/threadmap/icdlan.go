package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

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
	if testICD != nil || len(l.interfaces) == 0 {
		return nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil // what they are is not told: the observers will say what fails
	}
	var names []string
	for _, i := range all {
		names = append(names, clean(i.Name))
	}
	for _, name := range l.interfaces {
		why := error(nil)
		switch i := slices.IndexFunc(all, func(i net.Interface) bool { return i.Name == name }); {
		case i < 0:
			why = fmt.Errorf("there is no interface %q, but %s", clean(name), strings.Join(names[:min(len(names), 16)], ", "))
		case all[i].Flags&net.FlagUp == 0:
			why = fmt.Errorf("interface %q is down", clean(name))
		}
		if why != nil {
			return &failure{exitPartial, fmt.Errorf("--interface %s: %w: name another with --interface, or leave it out", clean(name), why)}
		}
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
