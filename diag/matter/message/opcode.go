package message

// Protocol ids of the vendor 0x0000, the standard's own (Core 4.4.3.4).
const (
	SecureChannel    uint16 = 0x0000
	InteractionModel uint16 = 0x0001
	BulkData         uint16 = 0x0002 // BDX
	UserDirected     uint16 = 0x0003 // user-directed commissioning
	Echo             uint16 = 0x0004
)

// Opcodes of the [SecureChannel] protocol (Core 4.11.1).
const (
	MsgCounterSyncReq  uint8 = 0x00 // groups only
	MsgCounterSyncRsp  uint8 = 0x01
	StandaloneAck      uint8 = 0x10
	PBKDFParamRequest  uint8 = 0x20
	PBKDFParamResponse uint8 = 0x21
	Pake1              uint8 = 0x22
	Pake2              uint8 = 0x23
	Pake3              uint8 = 0x24
	Sigma1             uint8 = 0x30
	Sigma2             uint8 = 0x31
	Sigma3             uint8 = 0x32
	Sigma2Resume       uint8 = 0x33
	Status             uint8 = 0x40 // the payload is a StatusReport
	CheckIn            uint8 = 0x50 // of an intermittently connected device
)

// Sizes in octets.
const (
	// MaxDatagram is what a receiver takes: the smallest MTU of IPv6.
	MaxDatagram = 1280
	// MaxPayload is what an application may send in one message: what is left
	// of MaxDatagram after IP and UDP (48), all possible headers (38) and the
	// tag (16). Other stacks send and take no more.
	MaxPayload = MaxDatagram - 48 - 38 - TagSize
	// TagSize is the length of the authentication tag.
	TagSize = 16
	// KeySize is the length of every key.
	KeySize = 16
)

// Node ids (Core 2.5.5): ranges and fixed values.
const (
	UnspecifiedNode uint64 = 0
	MinOperational  uint64 = 1
	MaxOperational  uint64 = 0xffffffefffffffff
)
