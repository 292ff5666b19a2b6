package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/target"
)

type probeRequest struct {
	Body struct {
		Connection
		ID int64 `json:"id,omitempty" minimum:"1" doc:"Number of a saved target, in place of address, site and tokens."`
	}
}

// ProbeResponse is what became of a probe visit.
type ProbeResponse struct {
	Seen      bool    `json:"seen" doc:"The visit is visible in Matomo's visitor log."`
	Message   string  `json:"message" doc:"What became of it, in a sentence; where it is not seen, the likely cause."`
	LagMillis float64 `json:"lag_ms" doc:"From the answer to the hit until it was seen."`
	Visitor   string  `json:"visitor" doc:"Its visitor id, empty where nothing was sent."`
	IP        string  `json:"stored_ip" doc:"Its address as Matomo stored it, masked where Matomo masks it."`
	Country   string  `json:"stored_country"`

	Findings []doctor.Finding `json:"findings" doc:"What Matomo made of the visit's hits beside what was meant: lost, split, cut or changed ones, or one finding that all is as meant."`
}

var _ = routes((*server).probing)

func (s *server) probing() {
	reply(s, about(op(http.MethodPost, "/api/targets/probe", tagTargets,
		"Send one marked visit with each kind of hit that the set-up sends, and compare what Matomo made of it, for "+
			"a minute at most"),
		"The visit stays in the site's data; its page titles begin with \""+doctor.ProbeTitle+"\"."),
		func(ctx context.Context, in *probeRequest) (a ProbeResponse, err error) {
			t, err := s.probed(ctx, in)
			if err != nil {
				return a, err
			}
			expect, err := s.Setup.Expected(ctx, in.Body.Config, s.Now())
			if err != nil {
				return a, err
			}
			p, err := s.Doctor.Probe(ctx, t, expect)
			a = ProbeResponse{Seen: err == nil, Message: p.String(), LagMillis: float64(p.Lag.Microseconds()) / 1000,
				Visitor: p.Visitor, IP: p.Stored.IP, Country: p.Stored.Country,
				Findings: append([]doctor.Finding{}, p.Findings...)}
			if err != nil {
				a.Message = err.Error()
			}
			return a, nil
		})
}

// probed is the saved target of a number, or the one that is described.
func (s *server) probed(ctx context.Context, in *probeRequest) (target.Target, error) {
	if in.Body.ID == 0 {
		t, problems, err := s.testTarget(ctx, &in.Body.Connection)
		if err != nil {
			return t, err
		}
		if t.URL == "" {
			problems.Refuse(
				"matomo_url",
				"",
				"is not set",
				"set it to the tracker URL, such as https://host/matomo.php",
			)
		}
		return t, problems.Err()
	}
	one, err := s.Setup.TargetsByID(ctx, in.Body.ID)
	if err != nil {
		return target.Target{}, err
	}
	return one[0].Target, nil
}
