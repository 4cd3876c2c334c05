package im

// Opcodes of the Interaction Model (Core 10.2.1), protocol id 0x0001.
const (
	OpStatusResponse    uint8 = 0x01
	OpReadRequest       uint8 = 0x02
	OpSubscribeRequest  uint8 = 0x03
	OpSubscribeResponse uint8 = 0x04
	OpReportData        uint8 = 0x05
	OpWriteRequest      uint8 = 0x06
	OpWriteResponse     uint8 = 0x07
	OpInvokeRequest     uint8 = 0x08
	OpInvokeResponse    uint8 = 0x09
	OpTimedRequest      uint8 = 0x0A
)

// Revision is the InteractionModelRevision that is written (Core 8.1.1). What
// others write there is not looked at: no message changed between revisions.
const Revision = 12

// MaxReadPaths and MaxSubscribePaths are how many paths, of attributes and
// events together, every node takes in one request (Core 2.11.2).
const (
	MaxReadPaths      = 9
	MaxSubscribePaths = 3
)
