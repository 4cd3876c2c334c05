package dump

// readMatterDownload reads the diagnostics download of Home Assistant's Matter
// integration, or of one of its devices: every attribute that the Matter server
// held. Written from Home Assistant's sources; values that were blanked out are
// unknown.
func readMatterDownload(in *input, out *output) bool {
	doc := in.download()
	return doc != nil && doc.Matter && out.take(doc, "is the Matter integration's diagnostics download, without any node: is the Matter server running?")
}
