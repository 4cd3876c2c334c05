package dump

// readThreadDownload reads the diagnostics download of Home Assistant's Thread
// integration: the border routers that it hears and the routes that its host
// has. Written from Home Assistant's sources.
func readThreadDownload(in *input, out *output) bool {
	doc := in.download()
	return doc != nil && doc.Thread && out.take(doc, "is the Thread integration's diagnostics download, without any border router")
}
