package run

import (
	"time"

	"github.com/puttrix/trafficinator/shared/runid"
)

// Draw makes a run id and a seed.
func Draw() Identity { return Identity{ID: runid.New(time.Now()), Seed: runid.NewSeed()} }
