package mrp

import "threadmap/diag/matter/message"

// Stats count since the start. Octets are of UDP payloads.
type Stats struct {
	Sent           uint64 // datagrams, repeated ones too
	SentOctets     uint64
	Received       uint64 // datagrams that came, of whatever kind
	ReceivedOctets uint64
	Delivered      uint64 // messages put into an inbox
	Retransmitted  uint64
	Acks           uint64                      // standalone acknowledgements among Sent
	GivenUp        uint64                      // messages that nobody acknowledged
	Dropped        [message.DropReasons]uint64 // by reason
}

func (s *Stats) sent(n int) {
	s.Sent++
	s.SentOctets += uint64(n)
}

func (s *Stats) received(n int) {
	s.Received++
	s.ReceivedOctets += uint64(n)
}
