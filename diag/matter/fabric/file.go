package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"threadmap/diag/matter/cert"
)

// fileFormat and fileVersion begin the file of an authority. Every change to
// the fields takes a new version: an older threadmap must not write back a
// file without what it did not understand.
const (
	fileFormat  = "threadmap-fabric"
	fileVersion = 1
)

// maxFile bounds what Open reads, in octets. File writes about 1100.
const maxFile = 8 << 10

// A file is an Authority as JSON. It has the root's private key: who has the
// file can speak for every node of the fabric and administer all of them. Its
// mode is 0600, and no other place has a copy.
//
//	{"format": "threadmap-fabric", "version": 1,
//	 "fabric_id": "2906c908d115d362",      16 hex digits, as the NOC says
//	 "node_id":   "000000000001b669",      of threadmap itself, likewise
//	 "root_certificate": "1530…",          RCAC, Matter TLV in hex
//	 "root_key":         "…",              private, 32 octets in hex
//	 "node_certificate": "1530…",          threadmap's own NOC, Matter TLV in hex
//	 "node_key":         "…",              private, 32 octets in hex
//	 "ipk_epoch_key":    "…"}              16 octets in hex, the IPKValue of AddNOC
type file struct {
	Format          string `json:"format"`
	Version         int    `json:"version"`
	FabricID        string `json:"fabric_id"`
	NodeID          string `json:"node_id"`
	RootCertificate string `json:"root_certificate"`
	RootKey         string `json:"root_key"`
	NodeCertificate string `json:"node_certificate"`
	NodeKey         string `json:"node_key"`
	IPKEpochKey     string `json:"ipk_epoch_key"`
}

// File is what Open reads: the content of a file of mode 0600, secrets and
// all.
func (a *Authority) File() ([]byte, error) {
	rootKey, err := a.key.get().Bytes()
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	ownKey, err := a.own.get().Bytes()
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	b, err := json.MarshalIndent(file{
		Format: fileFormat, Version: fileVersion,
		FabricID: fmt.Sprintf("%016x", a.member.FabricID), NodeID: fmt.Sprintf("%016x", a.member.NodeID),
		RootCertificate: hex.EncodeToString(a.root.TLV()), RootKey: hex.EncodeToString(rootKey),
		NodeCertificate: hex.EncodeToString(a.member.NOC), NodeKey: hex.EncodeToString(ownKey),
		IPKEpochKey: hex.EncodeToString(a.epoch.Bytes()),
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	return append(b, '\n'), nil
}

// Open reads what File wrote, and checks all of it: the certificates must be
// valid at the time at, and the keys theirs. No error shows a secret.
func Open(content []byte, at time.Time) (*Authority, error) {
	if len(content) > maxFile {
		return nil, fmt.Errorf("fabric: a file of %d octets: %d is the most", len(content), maxFile)
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	// Errors of package json quote what they found: none is passed on.
	if json.Unmarshal(content, &head) != nil || head.Format != fileFormat {
		return nil, fmt.Errorf("fabric: not a file with %q", fileFormat)
	}
	if head.Version != fileVersion {
		return nil, fmt.Errorf("fabric: the file has version %d, and this threadmap knows %d", head.Version, fileVersion)
	}
	var f file
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if d.Decode(&f) != nil {
		return nil, errors.New("fabric: the file has fields that version 1 does not have")
	}
	return f.authority(at)
}

func (f *file) authority(at time.Time) (*Authority, error) {
	tlv, err := field("root_certificate", f.RootCertificate)
	if err != nil {
		return nil, err
	}
	root, err := cert.Parse(tlv)
	if err != nil {
		return nil, fmt.Errorf("fabric: root_certificate: %w", err)
	}
	noc, err := field("node_certificate", f.NodeCertificate)
	if err != nil {
		return nil, err
	}
	rootKey, err := keyField("root_key", f.RootKey)
	if err != nil {
		return nil, err
	}
	ownKey, err := keyField("node_key", f.NodeKey)
	if err != nil {
		return nil, err
	}
	b, err := field("ipk_epoch_key", f.IPKEpochKey)
	if err != nil {
		return nil, err
	}
	epoch, err := NewKey(b)
	if err != nil {
		return nil, fmt.Errorf("fabric: ipk_epoch_key: %d octets, not %d", len(b), KeySize)
	}
	a, err := newAuthority(root, noc, epoch, rootKey, ownKey, at)
	if err != nil {
		return nil, err
	}
	if f.FabricID != fmt.Sprintf("%016x", a.member.FabricID) || f.NodeID != fmt.Sprintf("%016x", a.member.NodeID) {
		return nil, errors.New("fabric: fabric_id and node_id are not those of node_certificate")
	}
	return a, nil
}

// field reads hexadecimal digits.
func field(name, s string) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("fabric: %s: not hexadecimal digits", name)
	}
	return b, nil
}

// keyField reads a private key.
func keyField(name, s string) (*ecdsa.PrivateKey, error) {
	b, err := field(name, s)
	if err != nil {
		return nil, err
	}
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b)
	if err != nil {
		return nil, fmt.Errorf("fabric: %s: not a private key of the curve P-256", name)
	}
	return k, nil
}
