package topology

import "threadmap/diag"

// findRoles says what each node does in its mesh.
//
// The RLOC16 decides between router and child; who leads follows from the
// partition's leader data, because a node that is out of reach keeps saying
// "leader" in caches. Where a node's own role disagrees, both are kept.
func (b *builder) findRoles() {
	for k, n := range b.nodes {
		k := int32(k)
		said, by := diag.RoleUnknown, int32(-1)
		for _, i := range n.reports {
			if r := b.said[i].role; r != diag.RoleUnknown {
				said, by = r, i
			}
		}
		n.Role = b.roleOf(k, said)
		if kind := b.kindOf(k); kind == kindChild || n.Role == diag.RoleDetached {
			n.RouterTable = false
		}
		// A leader is a router, too: lists that say no more don't disagree.
		agrees := said == n.Role || said == diag.RoleRouter && n.Role == diag.RoleLeader
		if by >= 0 && !agrees && said != diag.RoleDetached && (said.Routes() || n.Role.Routes()) {
			field := "RLOC16"
			if n.Role.Routes() {
				field = "leader data"
			}
			n.Conflicts = append(n.Conflicts, Conflict{"role", []Claim{
				{string(n.Role), Evidence{Source: b.reps[by].Source, Via: b.reps[by].Via, At: b.reps[by].At, By: n.ID, Field: field, Cached: b.reps[by].Cached}},
				{string(said), b.evidence(by, "role")},
			}})
		}
	}
}

func (b *builder) roleOf(k int32, said diag.Role) diag.Role {
	n := b.nodes[k]
	if said == diag.RoleDetached {
		return said
	}
	switch b.kindOf(k) {
	case kindRouter:
		l, some := leader{}, false
		if n.place >= 0 {
			l, some = b.leaders[n.place]
		}
		switch {
		case some && l.known && l.node == k:
			return diag.RoleLeader
		case some && l.known:
			return diag.RoleRouter
		case said == diag.RoleLeader:
			return diag.RoleLeader
		}
		return diag.RoleRouter
	case kindChild:
		if said.IsChild() {
			if m, known := n.Mode.Get(); known && said != diag.RoleREED && m.Role() != said && !n.spoke {
				return m.Role()
			}
			return said
		}
		if m, known := n.Mode.Get(); known {
			return m.Role()
		}
		return diag.RoleUnknown
	}
	return diag.RoleUnknown
}
