package world

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/coder/websocket"

	"threadmap/simulators/homeassistant"
	"threadmap/simulators/mesh"
)

// A home with a Home Assistant serves it, its ingress and, where it is open, the
// Matter server's own port, and ends them all.
func TestHomeAssistant(t *testing.T) {
	for _, open := range []bool{false, true} {
		w, err := Start(mesh.HomeOf50(1), Options{HomeAssistant: &HomeOptions{OpenPort: open}})
		if err != nil {
			t.Fatal(err)
		}
		ha, ok := w.HomeAssistant()
		if !ok || ha.Token != AdminToken || (ha.MatterServer != "") != open || len(ha.Matter.Nodes()) < 40 {
			t.Fatalf("%+v, %v", ha, ok)
		}
		c := client(t)
		if status, _ := read(t, c, ha.URL+"/api/hassio_ingress/"+homeassistant.IngressToken+"/health"); status != http.StatusUnauthorized {
			t.Errorf("the ingress answers without its cookie: %d", status)
		}
		if open {
			u, err := url.Parse(ha.MatterServer)
			if err != nil {
				t.Fatal(err)
			}
			if status, _ := read(t, c, "http://"+u.Host+"/health"); status != http.StatusOK {
				t.Errorf("the open port answers with %d", status)
			}
			ws, _, err := websocket.Dial(t.Context(), ha.MatterServer, &websocket.DialOptions{HTTPClient: c})
			if err != nil {
				t.Fatal(err)
			}
			if _, b, err := ws.Read(t.Context()); err != nil || len(b) == 0 {
				t.Errorf("%s, %v", b, err)
			}
			ws.CloseNow()
		}
		c.CloseIdleConnections()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, ok := (&World{}).HomeAssistant(); ok {
		t.Error("a world without a Home Assistant has one")
	}
	if w, err := Start(&mesh.Home{Networks: []*mesh.Mesh{mesh.Lab(0)}}, Options{HomeAssistant: &HomeOptions{}}); err == nil {
		w.Close()
		t.Error("a home without Matter nodes got a Matter server")
	}
}
