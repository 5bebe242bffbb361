package web

import (
	"context"
	"errors"

	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/internal/fault"
)

// sample is some members of an expression, with the conditions that hold for each.
type sample struct {
	Problems   []problem
	Conditions []string
	Members    []sampledMember
}

type sampledMember struct {
	customers.Customer
	Holds []string // yes, no, or unknown
}

var sampleView = partView[sample]("sample")

func (p *Pages) segmentSample(c echo.Context) error {
	return answer(p, c, sampleView, func(f form) (sample, error) { return p.sample(ctx(c), f.Get("expression")) },
		func(page *segmentPage, s *sample) { page.Sample = s })
}

func (p *Pages) sample(ctx context.Context, expression string) (sample, error) {
	found, err := p.Insights.Sample(ctx, expression, 10)
	if fe := (*fault.Error)(nil); errors.As(err, &fe) && (fe.Kind == fault.Invalid || fe.Kind == fault.Unavailable) {
		return sample{Problems: unasked(fe)}, nil
	} else if err != nil {
		return sample{}, err
	}
	ids := make([]int64, len(found.Members))
	for i, m := range found.Members {
		ids[i] = m.CustomerID
	}
	profiles, err := p.Customers.Profiles(ctx, p.Pool, ids)
	if err != nil {
		return sample{}, err
	}
	s := sample{Conditions: found.Conditions}
	for _, m := range found.Members {
		customer, ok := profiles[m.CustomerID]
		if !ok {
			continue
		}
		member := sampledMember{Customer: customer}
		for _, holds := range m.Holds {
			switch {
			case holds == nil:
				member.Holds = append(member.Holds, "unknown")
			case *holds:
				member.Holds = append(member.Holds, "yes")
			default:
				member.Holds = append(member.Holds, "no")
			}
		}
		s.Members = append(s.Members, member)
	}
	return s, nil
}
