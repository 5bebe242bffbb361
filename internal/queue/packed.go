package queue

import (
	"encoding/json"
	"fmt"
)

// Packed is a list in a job's arguments, stored as one JSON string. The queue indexes the arguments of every job: each
// element of a plain array would become a key of that index, again at each change of the job's state, which cost more
// than all else that a job of hundreds of customers writes.
type Packed[T any] []T

// MarshalJSON gives the array within a string.
func (p Packed[T]) MarshalJSON() ([]byte, error) {
	array, err := json.Marshal([]T(p))
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(array))
}

// UnmarshalJSON reads what MarshalJSON wrote, or a plain array; an error says what else it found.
func (p *Packed[T]) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var array string
		if err := json.Unmarshal(b, &array); err != nil {
			return err
		}
		b = []byte(array)
	}
	if err := json.Unmarshal(b, (*[]T)(p)); err != nil {
		return fmt.Errorf("packed list: %w", err)
	}
	return nil
}
