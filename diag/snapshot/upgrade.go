package snapshot

import "fmt"

// upgrades[i] turns the contents of version i+1 into those of version i+2, as
// encoded CBOR. A new version comes with one line here and a file of the old
// version in testdata, which must stay readable for good.
//
// An upgrade decodes what it must change (into a map of [span], or structs of
// that time kept beside it), within the limits of [decoding]; it must bear
// hostile contents like everything else.
var upgrades = []func(contents []byte) ([]byte, error){}

// upgrade brings contents of version from up to the version after the last of
// the list.
func upgrade(contents []byte, from uint64, list []func([]byte) ([]byte, error)) ([]byte, error) {
	for v := from; v <= uint64(len(list)); v++ {
		var err error
		if contents, err = list[v-1](contents); err != nil {
			return nil, fmt.Errorf("upgrade to version %d: %w", v+1, err)
		}
	}
	return contents, nil
}
