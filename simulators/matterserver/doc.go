// Package matterserver simulates Home Assistant's Matter server (port 5580), the
// one on matter.js and the one in Python, over the Matter nodes of a simulated
// home.
//
// It keeps what it was told of its nodes when it started, as real ones do, and
// learns anew what somebody reads: [Server.SetHome] changes the home behind its
// back. Its messages are written from captured answers of a server on matter.js
// of schema 13, which stand in testdata and are compared with; where the Python
// server differs, from its source. They share no types with the product, so a
// misspelt key can't cancel out. What real servers do wrong is simulated too (see
// [Options]), and so is what a broken or hostile one could do ([Misbehaviour]).
//
// The reader is above simulators/mesh and below simulators/world. The handler
// owns no socket.
package matterserver
