package web_test

import (
	"context"
	"testing"

	"aldine/internal/access"
)

func TestHitsAreJudgedAgainFromTheSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Admin)
	b.get("/settings/tracking").want(200).has("Not judged again yet")
	b.post("/settings/tracking", "campaign", "none-such").want(422).has("There is no campaign of this code or number")
	b.post("/settings/tracking").to("/settings/tracking")
	b.get("/settings/tracking").want(200).has("Waiting for its turn", "Cancel")
	b.get("/settings/tracking/live").want(200).hasNot("<time").has("Waiting for its turn")
	b.post("/settings/tracking").want(422).has("being judged again already")
	b.post("/settings/tracking/runs/1/cancel").to("/settings/tracking")
	b.post("/settings/tracking/runs/1/cancel").want(409)
	b.post("/settings/tracking/runs/99/cancel").want(404)
	b.post("/settings/tracking", "every", "yes").to("/settings/tracking")
	runs, err := s.deps.Tracking.Reclassifications(context.Background(), 0, 1)
	must(t, err)
	_, err = s.deps.Tracking.ReclassifySome(context.Background(), runs[0].ID)
	must(t, err)
	b.get("/settings/tracking").want(200).has("all, every hit").hasNot("Waiting for its turn")
	b.get("/settings/audit").want(200).has("tracking.reclassify", "tracking.reclassify_cancel")
	for _, role := range []access.Role{access.Marketer, access.ReadOnly, access.Finance} {
		s.as(role).post("/settings/tracking").want(403)
		s.as(role).post("/settings/tracking/runs/2/cancel").want(403)
	}
}
