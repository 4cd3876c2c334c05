package diag

import "fmt"

// An Opt is a value that may be unknown. The zero Opt is unknown, which is
// never the same as a known zero.
type Opt[T any] struct {
	v     T
	known bool
}

// Some is a known v.
func Some[T any](v T) Opt[T] { return Opt[T]{v, true} }

// Get returns the value and whether it is known.
func (o Opt[T]) Get() (v T, known bool) { return o.v, o.known }

// Known reports whether there is a value.
func (o Opt[T]) Known() bool { return o.known }

// IsZero reports whether the value is unknown. Encoders use it to leave the
// field out.
func (o Opt[T]) IsZero() bool { return !o.known }

// Or returns the value, or fallback where it is unknown. Use it only where
// fallback can't be mistaken for a statement.
func (o Opt[T]) Or(fallback T) T {
	if o.known {
		return o.v
	}
	return fallback
}

// String prints the value, or "?" for unknown.
func (o Opt[T]) String() string {
	if !o.known {
		return "?"
	}
	return fmt.Sprint(o.v)
}

// MarshalCBOR writes the value itself, null for unknown.
func (o Opt[T]) MarshalCBOR() ([]byte, error) {
	if !o.known {
		return []byte{cborNull}, nil
	}
	return CBOREncoding.Marshal(o.v)
}

// UnmarshalCBOR is the reverse of [Opt.MarshalCBOR]. On an error o is left as
// it was.
func (o *Opt[T]) UnmarshalCBOR(b []byte) error {
	null, tagged := cborIsNull(b)
	switch {
	case null && tagged:
		return errTaggedNull
	case null:
		*o = Opt[T]{}
		return nil
	}
	var v T
	if err := CBORDecoding.Unmarshal(b, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
