package customers

import "context"

// Input is a customer to create.
type Input struct {
	Fields
	Attributes map[string]any  `json:"attributes,omitempty"` // by name
	Lists      []string        `json:"lists,omitempty"`      // by name; made where they do not exist
	Consents   map[string]bool `json:"consents,omitempty"`   // by channel
}

// Patch changes a customer: fields and attributes by name. A null, or "" for a text, makes the value not known; what is
// absent stays.
type Patch map[string]any

// Create adds a customer. Invalid names every wrong field, Conflict an external id that exists.
func (s *Service) Create(ctx context.Context, in Input) (Customer, error) { panic("soon") }

// Update changes a customer. Invalid names every wrong field, NotFound where there is no customer, Conflict an external
// id that another has.
func (s *Service) Update(ctx context.Context, id ID, p Patch) (Customer, error) { panic("soon") }

// Delete erases a customer's identity; NotFound where there is none.
func (s *Service) Delete(ctx context.Context, id ID) error { panic("soon") }
