package im

// An Opt is a member of a message that may be absent. The zero Opt is absent.
type Opt[T comparable] struct {
	v     T
	known bool
}

// Some is a present v.
func Some[T comparable](v T) Opt[T] { return Opt[T]{v, true} }

// Get returns the value and whether it is present.
func (o Opt[T]) Get() (v T, known bool) { return o.v, o.known }

// Known reports whether there is a value.
func (o Opt[T]) Known() bool { return o.known }

// Or returns the value, or fallback where it is absent.
func (o Opt[T]) Or(fallback T) T {
	if o.known {
		return o.v
	}
	return fallback
}

// matches reports whether v is what o says, or o is a wildcard.
func (o Opt[T]) matches(v T) bool { return !o.known || o.v == v }
