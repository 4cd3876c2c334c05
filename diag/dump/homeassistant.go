package dump

import (
	"bytes"
	"errors"

	"threadmap/diag/homeassistant/hadoc"
)

// sourceHomeAssistant is whose word a download is: the Matter server's tables in
// it have gone through Home Assistant.
const sourceHomeAssistant = "home-assistant"

// download reads the input as a diagnostics download of Home Assistant, once for
// all kinds that ask; nil where it is none. It may have been cut off.
func (in *input) download() *hadoc.Document {
	if in.downloadRead {
		return in.downloaded
	}
	in.downloadRead = true
	if !bytes.Contains(in.body, []byte(`"integration_manifest"`)) && !bytes.Contains(in.body, []byte(`"diagnostics-data"`)) {
		return nil
	}
	doc, ok := hadoc.Read(in.body, hadoc.Context{Source: sourceHomeAssistant, Via: in.name, Session: in.session, At: in.at})
	if ok {
		in.downloaded = &doc
	}
	return in.downloaded
}

// take keeps what a download said; empty is the complaint about one that says
// nothing.
func (o *output) take(doc *hadoc.Document, empty string) bool {
	for _, r := range doc.Reports {
		o.report(r)
	}
	for _, p := range doc.Problems {
		o.problem(sourceHomeAssistant, "%s", p.Text)
	}
	if len(doc.Reports) == 0 && len(doc.Problems) == 0 {
		o.refused = errors.New(empty)
	}
	return true
}

// readDownload recognises the downloads that make no map: those of other
// integrations and of other parts of the two that do.
func readDownload(in *input, out *output) bool {
	doc := in.download()
	if doc == nil {
		return false
	}
	switch {
	case doc.Domain == "matter" || doc.Domain == "thread" || doc.Domain == "":
		out.refused = errors.New("is a diagnostics download of Home Assistant that ends, or was blanked out, before its data: download it again")
	default:
		out.refused = errors.New("is a diagnostics download of another integration of Home Assistant, which says nothing of a mesh: download that of Matter, or that of Thread")
	}
	return true
}
