//go:build !unix

package privatetmp

// Folder is empty: on these systems the folder for temporary files is the user's
// own already.
var Folder string
