package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The architecture of the module, as ARCHITECTURE.md tells it: which package
// may import which of ours, and which ones must not reach a network or start a
// program. Test files may import what they like.

// A rule is about the packages that match its pattern: a path below the module,
// or a path with "/..." for it and all below. Where several match, the one
// with the longest path counts.
type rule struct {
	packages string
	pure     bool
	may      []string // patterns of our packages that it may import; "!" in front: not these
	files    string   // the file names it is about, as for path.Match; empty: all
}

var (
	// codecs turn bytes or values into the vocabulary, or into other bytes. They
	// are shared by the sources and by diag/dump.
	codecs = []string{"tlv", "diag/ccm", "diag/hidden", "diag/internal/apiurl", "diag/internal/relisten", "diag/otbr/restdoc", "diag/matter/cluster/...", "diag/tmf/netdiag", "diag/tmf/pskc", "diag/homeassistant/hadoc", "diag/matterserver/wsdoc"}
	// words are what every source stands on.
	words = []string{"diag", "discovery"}
	// protocols are what simulated peers share with the sources: bytes on the
	// wire, never documents (a misspelt key would cancel out) and never a source.
	protocols = []string{"tlv", "diag/ccm", "diag/hidden", "diag/tmf/...", "!diag/tmf", "diag/matter/...", "!diag/matter", "discovery"}
)

var architecture = []rule{
	{packages: "cmd/threadmap", may: []string{"...", "!simulators/...", "!render/schema/schematest"}},
	{packages: "cmd/threadmap", files: "demo*.go", may: []string{"...", "!simulators/...", "simulators/world", "simulators/mesh", "simulators/icdhome"}},
	{packages: "cmd/threadmap", files: "simulate*.go", may: []string{"...", "!simulators/...", "simulators/world", "simulators/mesh"}},
	{packages: "cmd/threadmap/internal/...", may: []string{"...", "!simulators/...", "!cmd/...", "cmd/threadmap/internal/..."}},
	{packages: "cmd/threadmap/internal/redact", pure: true, may: []string{"diag"}},
	{packages: "cmd/threadmap/internal/secret"},
	{packages: "cmd/threadmap/internal/writefile"},
	{packages: "cmd/threadmap-graphviz", may: []string{"cmd/threadmap-graphviz/internal/..."}},
	{packages: "cmd/threadmap-graphviz/internal/..."},

	{packages: "tlv", pure: true},
	{packages: "discovery", pure: true},
	{packages: "discovery/mdns", may: []string{"discovery"}},

	{packages: "diag", pure: true, may: []string{"discovery"}},
	{packages: "diag/ccm", pure: true},
	{packages: "diag/hidden", pure: true},
	{packages: "diag/internal/apiurl"},
	{packages: "diag/internal/p256", pure: true}, // under the two password-authenticated key exchanges alone
	{packages: "diag/internal/relisten", pure: true},
	{packages: "diag/internal/vectors"},                                   // for tests
	{packages: "diag/internal/relisten/relistentest"},                     // for tests
	{packages: "diag/icd/icdtest", pure: true, may: []string{"diag/icd"}}, // for tests
	{packages: "diag/snapshot", pure: true, may: []string{"diag"}},
	{packages: "diag/icd", pure: true, may: join(words, "diag/tmf/netdiag")},
	{packages: "diag/icd/internal/scenario", pure: true, may: []string{"diag/icd"}},
	{packages: "diag/icd/halog", pure: true, may: join(words, "diag/icd")},
	{packages: "diag/icd/parent", may: join(words, "diag/icd")},
	{packages: "diag/icd/listen", may: join(words, "diag/icd", "diag/icd/listen/...", "discovery/mdns")},
	{packages: "diag/icd/listen/heard", pure: true, may: join(words, "diag/icd")},
	{packages: "diag/icd/capture", may: join(words, "diag/icd", "diag/icd/listen/heard", "discovery/mdns", "diag/matter/...", "!diag/matter", "tlv")},
	{packages: "diag/icd/canary", may: join(words, "diag/icd", "diag/matter/...", "!diag/matter", "tlv", "diag/ccm", "diag/hidden")},
	{packages: "diag/dnssd", pure: true, may: words},
	{packages: "diag/dump", pure: true, may: join(words, codecs, "diag/dnssd")}, // saved announcements mean what live ones do
	{packages: "diag/otbr", may: join(words, codecs, "diag/otbr/...")},
	{packages: "diag/otbr/restdoc", pure: true, may: join(words, codecs)},
	{packages: "diag/homeassistant/hadoc", pure: true, may: join(words, codecs)},
	{packages: "diag/homeassistant/...", may: join(words, codecs, "diag/homeassistant/...")},
	{packages: "diag/matterserver/wsdoc", pure: true, may: join(words, codecs)},
	{packages: "diag/matterserver/...", may: join(words, codecs, "diag/matterserver/...")},
	{packages: "diag/tmf/...", may: join(words, codecs, "diag/tmf/...")},
	{packages: "diag/tmf/ecjpake", pure: true, may: []string{"diag/internal/p256"}},
	{packages: "diag/tmf/pskc", pure: true, may: join(words, "tlv", "diag/hidden")},
	{packages: "diag/tmf/netdiag", pure: true, may: join(words, "tlv")},
	{packages: "diag/matter/...", may: join(words, codecs, "diag/matter/...", "!diag/matter/internal/establish/establishtest")},
	{packages: "diag/matter/cert", pure: true, may: []string{"tlv"}},
	{packages: "diag/matter/fabric", pure: true, may: []string{"diag/matter/cert", "diag/hidden"}},
	{packages: "diag/matter/im", pure: true, may: []string{"tlv"}},
	{packages: "diag/matter/message/...", pure: true, may: []string{"tlv", "diag/hidden", "diag/ccm", "diag/matter/message/..."}},
	{packages: "diag/matter/internal/establish", pure: true, may: []string{"tlv", "diag/matter/message"}},
	{packages: "diag/matter/internal/establish/establishtest", may: []string{"diag/matter/internal/establish"}}, // for tests
	{packages: "diag/matter/pase", pure: true, may: []string{"tlv", "diag/hidden", "diag/matter/message", "diag/matter/spake2p", "diag/matter/internal/establish"}},
	{packages: "diag/matter/setup", pure: true, may: []string{"diag", "diag/hidden", "tlv"}},
	{packages: "diag/matter/sigma", pure: true, may: []string{"tlv", "diag/hidden", "diag/ccm", "diag/matter/message", "diag/matter/cert", "diag/matter/fabric", "diag/matter/internal/establish"}},
	{packages: "diag/matter/spake2p", pure: true, may: []string{"diag/hidden", "diag/internal/p256"}},
	{packages: "diag/matter/cluster/...", pure: true, may: join(words, "tlv", "diag/matter/cluster/...")},

	{packages: "topology", pure: true, may: []string{"diag"}},
	{packages: "topology/doctor/...", pure: true, may: []string{"diag", "topology", "topology/doctor/..."}},
	{packages: "render/...", pure: true, may: []string{"diag", "topology", "topology/doctor/...", "render/...", "!render/schema/schematest"}},

	{packages: "render/timeline", pure: true, may: []string{"diag", "diag/icd", "render/...", "!render/schema/schematest"}},

	{packages: "simulators/mesh", pure: true, may: []string{"diag"}},
	{packages: "simulators/...", may: join(words, protocols, "simulators/...", "!simulators/interop/...")},
	{packages: "simulators/icdhome", may: join(words, protocols, "diag/icd", "simulators/...", "!simulators/interop/...")},
	{packages: "simulators/interop/...", may: []string{"..."}},
}

func join(a []string, more ...any) []string {
	out := slices.Clone(a)
	for _, m := range more {
		switch m := m.(type) {
		case string:
			out = append(out, m)
		case []string:
			out = append(out, m...)
		}
	}
	return out
}

// impure are the packages that no pure one may reach. net/netip is not among
// them; crypto/x509 reaches net.
var impure = []string{"net", "net/http", "os/exec"}

const module = "threadmap"

// A source is what the test needs to know of a package of ours.
type source struct {
	path    string              // below the module
	imports map[string][]string // by file: everything it imports
	comment string              // of the package
	inits   []string            // files with an init function
	main    bool
}

// TestArchitecture holds every package of the module against the table.
func TestArchitecture(t *testing.T) {
	sources, graph := load(t)
	for _, violation := range check(architecture, sources, graph) {
		t.Error(violation)
	}
}

// check returns what is wrong, one line each.
func check(rules []rule, sources []source, graph map[string][]string) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, s := range sources {
		if !slices.ContainsFunc(rules, func(r rule) bool { return matches(r.packages, s.path) }) {
			say("package %s is in no rule of the architecture: add it to the table in arch_test.go and to ARCHITECTURE.md", s.path)
			continue
		}
		for file, imports := range s.imports {
			r := ruleFor(rules, s.path, file)
			for _, to := range imports {
				if to, ours := strings.CutPrefix(to, module+"/"); ours && !allowed(r.may, to) {
					say("%s/%s imports %s: not an arrow of the architecture (may: %s)", s.path, file, to, strings.Join(r.may, ", "))
				}
			}
		}
		if ruleFor(rules, s.path, "").pure {
			for _, bad := range impure {
				if chain := reach(graph, module+"/"+s.path, bad); chain != nil {
					say("package %s must be pure and reaches %s: %s", s.path, bad, strings.Join(chain, " → "))
				}
			}
		}
		switch begin := "Package " + path.Base(s.path) + " "; {
		case s.comment == "":
			say("package %s has no package comment: say what it is for and where the reader is", s.path)
		case !s.main && !strings.HasPrefix(s.comment, begin):
			say("the package comment of %s does not begin with %q", s.path, begin)
		}
		for _, file := range s.inits {
			say("%s/%s has an init function: put the thing in a visible list instead", s.path, file)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// matches reports whether a package is one of a pattern's.
func matches(pattern, p string) bool {
	if pattern == "..." {
		return true
	}
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return p == root || strings.HasPrefix(p, root+"/")
	}
	return p == pattern
}

// ruleFor is the closest rule: the longest path, then an exact one, then one
// that names the file.
func ruleFor(rules []rule, p, file string) (best rule) {
	rank := -1
	for _, r := range rules {
		if !matches(r.packages, p) {
			continue
		}
		n := 4 * len(strings.TrimSuffix(r.packages, "/..."))
		if !strings.HasSuffix(r.packages, "...") {
			n += 2
		}
		if r.files != "" {
			if ok, _ := path.Match(r.files, file); !ok {
				continue
			}
			n++
		}
		if n > rank {
			best, rank = r, n
		}
	}
	return best
}

// allowed reports whether the last pattern that matches p says yes.
func allowed(patterns []string, p string) bool {
	ok := false
	for _, pattern := range patterns {
		if no, isNo := strings.CutPrefix(pattern, "!"); isNo {
			ok = ok && !matches(no, p)
		} else {
			ok = ok || matches(pattern, p)
		}
	}
	return ok
}

// reach finds a chain of imports from one package to another.
func reach(graph map[string][]string, from, to string) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		p := queue[0]
		if p == to {
			chain := []string{}
			for ; p != ""; p = before[p] {
				chain = append(chain, p)
			}
			slices.Reverse(chain)
			return chain
		}
		for _, next := range graph[p] {
			if _, seen := before[next]; !seen {
				before[next] = p
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// load reads every package of the module, and asks the go command for the
// imports of all others.
func load(t *testing.T) ([]source, map[string][]string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Dir,Imports,Module,Error", "./...")
	cmd.Dir = root
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &complaint)
	}
	graph, listed := map[string][]string{}, map[string]bool{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Dir string
			Imports         []string
			Module          *struct{ Main bool }
			Error           *struct{ Err string }
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		graph[p.ImportPath] = p.Imports
		if p.Module != nil && p.Module.Main {
			listed[p.Dir] = true
			if p.Error != nil {
				t.Errorf("package %s: %s", p.ImportPath, p.Error.Err)
			}
		}
	}
	if len(graph) < 100 {
		t.Fatalf("go list knew of %d packages only", len(graph))
	}
	// The walk sees what go list does not on this system, and lets the test
	// cache know when a package is added.
	var sources []source
	err = filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); dir != root && (name == "testdata" || name == "node_modules" || name[0] == '.' || name[0] == '_') {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		s, err := parse(dir)
		if err != nil {
			return err
		}
		if s.path = filepath.ToSlash(rel); len(s.imports) > 0 {
			sources = append(sources, s)
			if !listed[dir] {
				t.Errorf("go list does not know of %s", rel)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources, graph
}

// parse reads the Go files of a folder, those for other systems too. Test files
// count only for the comment, and only where there are no others.
func parse(dir string) (source, error) {
	s := source{imports: map[string][]string{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s, err
	}
	testComment, product := "", false
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(name, ".go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return s, err
		}
		if strings.HasSuffix(name, "_test.go") {
			s.imports[name] = nil
			testComment = cmp.Or(testComment, f.Doc.Text())
			continue
		}
		product = true
		s.imports[name] = []string{}
		s.main = f.Name.Name == "main"
		s.comment = cmp.Or(s.comment, f.Doc.Text())
		for _, i := range f.Imports {
			s.imports[name] = append(s.imports[name], strings.Trim(i.Path.Value, `"`))
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				s.inits = append(s.inits, name)
			}
		}
	}
	if !product {
		s.comment = testComment
	}
	return s, nil
}

// TestArchitectureNotices breaks each rule once: a check that finds nothing
// must not be one that looks at nothing.
func TestArchitectureNotices(t *testing.T) {
	one := func(p, file string, imports ...string) source {
		return source{path: p, imports: map[string][]string{file: imports}, comment: "Package " + path.Base(p) + " is for this test."}
	}
	graph := map[string][]string{
		"threadmap/tlv": {"fmt", "example.com/far"}, "example.com/far": {"crypto/x509"}, "crypto/x509": {"net"}, "threadmap/topology": {"net/netip"},
		"threadmap/diag/otbr": {"net/http"}, "threadmap/render/svg": {"os/exec"}, "threadmap/diag/snapshot": {"net/http"},
	}
	for _, tt := range []struct {
		what string
		s    source
		want string // "": fine
	}{
		{"an unlisted package", one("util", "util.go"), "in no rule"},
		{"an unlisted package below a listed one", one("tlv/more", "more.go"), "in no rule"},
		{"pure, far from net", one("tlv", "tlv.go"), "threadmap/tlv → example.com/far → crypto/x509 → net"},
		{"pure, starts programs", one("render/svg", "svg.go"), "reaches os/exec"},
		{"pure, near net/http", one("diag/snapshot", "a.go"), "reaches net/http"},
		{"net/netip is fine", one("topology", "build.go", "net/netip", "threadmap/diag"), ""},
		{"a source may do I/O", one("diag/otbr", "otbr.go", "net/http", "threadmap/diag", "threadmap/diag/otbr/restdoc"), ""},
		{"a source imports another", one("diag/otbr", "otbr.go", "threadmap/diag/tmf"), "not an arrow"},
		{"a source imports topology", one("diag/otbr", "otbr.go", "threadmap/topology"), "not an arrow"},
		{"diag imports topology", one("diag", "diag.go", "threadmap/topology"), "not an arrow"},
		{"a dump reads a codec", one("diag/dump", "rest.go", "threadmap/diag/otbr/restdoc", "threadmap/diag/matter/cluster/wsjson"), ""},
		{"a dump imports a source", one("diag/dump", "rest.go", "threadmap/diag/otbr"), "not an arrow"},
		{"a render imports a source", one("render/svg2", "svg.go", "threadmap/diag/dump"), "not an arrow"},
		{"a product package imports a test helper", one("render/json", "json.go", "threadmap/render/schema/schematest"), "not an arrow"},
		{"topology imports render", one("topology", "build.go", "threadmap/render"), "not an arrow"},
		{"product imports a simulator", one("cmd/threadmap", "scan.go", "threadmap/simulators/world"), "not an arrow"},
		{"the demo imports the world", one("cmd/threadmap", "demo.go", "threadmap/simulators/world", "threadmap/diag"), ""},
		{"so does simulate", one("cmd/threadmap", "simulate_unix.go", "threadmap/simulators/world"), ""},
		{"the demo imports a part of the world", one("cmd/threadmap", "demo.go", "threadmap/simulators/otbr"), "not an arrow"},
		{"a simulator shares a document codec", one("simulators/otbr", "node.go", "threadmap/diag/otbr/restdoc"), "not an arrow"},
		{"a simulator shares a wire codec", one("simulators/borderagent", "ba.go", "threadmap/diag/tmf/meshcop", "threadmap/diag", "threadmap/simulators/mesh"), ""},
		{"a simulator imports a source", one("simulators/borderagent", "ba.go", "threadmap/diag/tmf"), "not an arrow"},
		{"the model imports a simulator", one("simulators/mesh", "mesh.go", "threadmap/simulators/simnet"), "not an arrow"},
		{"no package comment", source{path: "discovery", imports: map[string][]string{"a.go": nil}}, "no package comment"},
		{"a comment of another package", source{path: "discovery", comment: "Package tlv is", imports: map[string][]string{"a.go": nil}}, "does not begin"},
		{"an init function", source{path: "discovery", comment: "Package discovery is", inits: []string{"a.go"}, imports: map[string][]string{"a.go": nil}}, "init function"},
	} {
		got := strings.Join(check(architecture, []source{tt.s}, graph), "\n")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want …%s…", tt.what, got, tt.want)
		}
	}
}
