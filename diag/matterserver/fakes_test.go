package matterserver

import (
	"context"

	"github.com/coder/websocket"

	"threadmap/diag"
)

// dialProblem is what a door says that leads nowhere.
func dialProblem(context.Context, string) (*websocket.Conn, error) {
	return nil, diag.Problem{Stage: diag.StageResolve, Text: "has no Matter server", Hint: "install it"}
}
