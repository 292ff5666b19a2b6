package api

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// Doctor tells whether a target takes hits, without leaving a visit there but for Probe.
type Doctor interface {
	Examine(context.Context, target.Target, matomo.Expect) matomo.Diagnosis
	Probe(context.Context, target.Target, matomo.Expect) (matomo.Probe, error)
}

// Connection names a Matomo that is asked, whether it is saved or not.
type Connection struct {
	URL       string         `json:"matomo_url,omitempty" maxLength:"2000" doc:"The tracker's address; without it the saved one."`
	SiteID    int            `json:"site_id,omitempty" minimum:"1" doc:"Without it the saved one."`
	Token     *string        `json:"token_auth,omitempty" maxLength:"200" doc:"Masked or left out: the saved one, which goes to the saved address alone."`
	ReadToken *string        `json:"read_token,omitempty" maxLength:"200" doc:"Of a user who may view the site, in place of token_auth for reading; masked or left out as that."`
	Config    map[string]any `json:"config,omitempty" doc:"Settings in place of the saved ones, which Matomo's are compared with; what is wrong with them is not told here."`
}

type connectionRequest struct {
	Body struct {
		Connection
		Timeout int `json:"timeout,omitempty" minimum:"1" maximum:"60" default:"10" doc:"Seconds."`
	}
}

// ConnectionAnswer is a diagnosis. It repeats nothing of what the other side wrote but version, site and
// the settings that do not fit.
type ConnectionAnswer struct {
	Works      bool             `json:"works" doc:"A hit sent now would be taken with all it carries."`
	Success    bool             `json:"success" doc:"works, by the original's name."`
	Reachable  bool             `json:"reachable"`
	StatusCode *int             `json:"status_code" doc:"null where nothing answered."`
	TookMillis float64          `json:"response_time_ms"`
	Message    string           `json:"message"`
	Error      *string          `json:"error" doc:"The first finding that keeps it from working."`
	Version    *string          `json:"matomo_version"`
	Site       *siteAnswer      `json:"site"`
	Findings   []matomo.Finding `json:"findings"`
}

type siteAnswer struct {
	ID         int    `json:"id"`
	Name       string `json:"name"`
	MainURL    string `json:"main_url"`
	Timezone   string `json:"timezone"`
	Currency   string `json:"currency"`
	SiteSearch bool   `json:"site_search"`
	Ecommerce  bool   `json:"ecommerce"`
}

func newConnection(d matomo.Diagnosis) ConnectionAnswer {
	a := ConnectionAnswer{
		Works: d.Works, Success: d.Works, Reachable: d.Reachable, TookMillis: float64(d.Took.Microseconds()) / 1000,
		Message: "hits will be recorded", Findings: d.Findings,
	}
	if d.Status != 0 {
		a.StatusCode = &d.Status
	}
	if d.Version != "" {
		a.Version = &d.Version
	}
	if s := d.Site; s != nil {
		a.Site = &siteAnswer{s.ID, s.Name, s.MainURL, s.Timezone, s.Currency, s.SiteSearch, s.Ecommerce}
	}
	for _, f := range d.Findings {
		if f.Verdict == matomo.Bad {
			text := f.Check + ": " + f.Message
			a.Message, a.Error = "hits will be lost; "+f.Cure, &text
			break
		}
	}
	return a
}

func (s *server) connection() {
	o := op(http.MethodPost, "/api/test-connection", tagTargets, "Will hits be recorded as they are meant? Asks a Matomo without leaving a visit")
	route(s, o, func(ctx context.Context, in *connectionRequest) (*body[ConnectionAnswer], error) {
		t, err := s.testTarget(ctx, &in.Body.Connection)
		if err != nil {
			return nil, err
		}
		expect, err := s.Library.Expect(ctx, in.Body.Config, s.Now())
		if err != nil {
			return nil, err
		}
		return answer(newConnection(s.examine(ctx, t, expect, in.Body.Timeout))), nil
	})
	s.probing()
}

// testTarget fills in the saved address and tokens. A token goes to the address alone that it is saved with.
func (s *server) testTarget(ctx context.Context, in *Connection) (target.Target, error) {
	saved, err := s.Library.SingleTarget(ctx)
	if err != nil {
		return target.Target{}, err
	}
	t := target.Target{Name: "test", URL: in.URL, SiteID: in.SiteID}
	if t.URL == "" {
		t.URL = saved.URL
	}
	if t.SiteID == 0 {
		t.SiteID = saved.SiteID
	}
	var problems problem.List
	for _, token := range []struct {
		name        string
		given       *string
		saved, into *secret.String
	}{{"token_auth", in.Token, &saved.Token, &t.Token}, {"read_token", in.ReadToken, &saved.ReadToken, &t.ReadToken}} {
		switch given := token.given; {
		case given != nil && *given != secret.Mask:
			*token.into = secret.String(strings.TrimSpace(*given))
			if err := secret.CheckToken(*token.into); err != nil {
				problems.Refuse(token.name, "", err.Error(), secret.TokenCure)
			}
		case t.URL == saved.URL:
			*token.into = *token.saved
		case given != nil:
			problems.Refuse(token.name, "", "is masked, and the address is not the saved one", "give the token itself: a saved one goes to its own address alone")
		}
	}
	return t, problems.Err()
}

func (s *server) examine(ctx context.Context, t target.Target, expect matomo.Expect, seconds int) matomo.Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	return s.Doctor.Examine(ctx, t, expect)
}

// examineAll asks all at once; the answers are in the order of the targets.
func (s *server) examineAll(ctx context.Context, targets []target.Target, expect matomo.Expect, seconds int) []ConnectionAnswer {
	out := make([]ConnectionAnswer, len(targets))
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() { out[i] = newConnection(s.examine(ctx, t, expect, seconds)) })
	}
	all.Wait()
	return out
}
