// Package pskc holds what a person can hand over to be let into a Thread mesh
// as a commissioner, and how it becomes the password of the border agent's DTLS
// session: a passphrase ([Derive]), the PSKc itself ([Parse]), an operational
// dataset that contains it ([ParseDataset]), or the one-time code that a border
// router shows ([ParseCode], Thread 1.4).
//
// All of them end in a [Secret], which refuses to be printed. No error of this
// package quotes what it was given.
//
// It is pure. The reader is beside diag/tmf/dtls, which takes the Secret, and
// below "threadmap login thread", which takes it in.
package pskc
