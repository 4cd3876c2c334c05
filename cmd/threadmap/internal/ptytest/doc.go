// Package ptytest gives tests a terminal to talk to. It can do so on Linux; on
// other systems it is empty.
//
// The reader is beside the tests of cmd/threadmap; the program doesn't import it.
package ptytest
