package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

// Doctor tells whether a target takes hits, without leaving a visit there but for Probe.
type Doctor interface {
	Diagnose(context.Context, target.Target, doctor.Expectation) doctor.Diagnosis
	Probe(context.Context, target.Target, doctor.Expectation) (doctor.Probe, error)
}

// Connection names a Matomo that is asked, whether it is saved or not.
type Connection struct {
	URL       string         `json:"matomo_url,omitempty" maxLength:"2000" doc:"The tracker's address; without it the saved one."`
	SiteID    int            `json:"site_id,omitempty" minimum:"1" doc:"Without it the saved one."`
	Token     *string        `json:"token_auth,omitempty" maxLength:"200" doc:"Masked or left out: the saved one, which goes to the saved addresses alone."`
	ReadToken *string        `json:"read_token,omitempty" maxLength:"200" doc:"Of a user who may view the site, in place of token_auth for reading; masked or left out as that."`
	Config    map[string]any `json:"config,omitempty" doc:"Settings in place of the saved ones: how the Matomo is reached, and what its settings are compared with. Faults of the latter are not reported here."`
}

type connectionRequest struct {
	Body struct {
		Connection
		Timeout int `json:"timeout,omitempty" minimum:"1" maximum:"60" default:"10" doc:"Seconds."`
	}
}

// ConnectionResponse is a diagnosis. It repeats nothing of what the other side wrote but version, site and
// the settings that do not fit.
type ConnectionResponse struct {
	Works      bool             `json:"works" doc:"A hit sent now would be taken with all it carries."`
	Success    bool             `json:"success" doc:"works, by the original's name."`
	Reachable  bool             `json:"reachable"`
	StatusCode *int             `json:"status_code" doc:"null where nothing answered."`
	TookMillis float64          `json:"response_time_ms"`
	Message    string           `json:"message"`
	Error      *string          `json:"error" doc:"The first finding that keeps it from working."`
	Version    *string          `json:"matomo_version"`
	Site       *siteInfo        `json:"site"`
	Findings   []doctor.Finding `json:"findings"`
}

type siteInfo struct {
	ID         int    `json:"id"`
	Name       string `json:"name"`
	MainURL    string `json:"main_url"`
	Timezone   string `json:"timezone"`
	Currency   string `json:"currency"`
	SiteSearch bool   `json:"site_search"`
	Ecommerce  bool   `json:"ecommerce"`
}

func newConnection(d doctor.Diagnosis) ConnectionResponse {
	a := ConnectionResponse{
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
		a.Site = &siteInfo{s.ID, s.Name, s.MainURL, s.Timezone, s.Currency, s.SiteSearch, s.Ecommerce}
	}
	if unread := d.NotChecked(); unread != "" {
		a.Message = "hits are taken; not checked: " + unread
	}
	for _, f := range d.Findings {
		if f.Verdict == doctor.Error {
			text := f.Check + ": " + f.Message
			a.Message, a.Error = "hits will be lost; "+f.Cure, &text
			break
		}
	}
	return a
}

var _ = routes((*server).connection)

func (s *server) connection() {
	reply(s, op(http.MethodPost, "/api/test-connection", tagTargets,
		"Will hits be recorded as they are meant? Asks a Matomo without leaving a visit"),
		func(ctx context.Context, in *connectionRequest) (a ConnectionResponse, err error) {
			t, problems, err := s.testTarget(ctx, &in.Body.Connection)
			if err != nil {
				return a, err
			}
			// The doctor says what is wrong with an address.
			problems = slices.DeleteFunc(problems, func(p problem.Problem) bool { return p.Where == "matomo_url" })
			if err := problems.Err(); err != nil {
				return a, err
			}
			expect, err := s.Setup.Expected(ctx, in.Body.Config, s.Now())
			if err != nil {
				return a, err
			}
			return newConnection(s.examine(ctx, t, expect, in.Body.Timeout)), nil
		})
}

// connectionKnobs are the knobs that fields of a Connection stand for.
var connectionKnobs = map[string]string{
	"MATOMO_URL": "matomo_url", "MATOMO_SITE_ID": "site_id", "MATOMO_TOKEN_AUTH": "token_auth",
	"MATOMO_READ_TOKEN": "read_token",
}

// testTarget is the target that is described, with what is saved where it says nothing.
func (s *server) testTarget(ctx context.Context, in *Connection) (target.Target, problem.List, error) {
	overrides := maps.Clone(in.Config)
	if overrides == nil {
		overrides = map[string]any{}
	}
	set := func(knob string, v any) {
		maps.DeleteFunc(overrides, func(key string, _ any) bool { return strings.EqualFold(key, knob) })
		overrides[knob] = v
	}
	if in.URL != "" {
		set("MATOMO_URL", in.URL)
	}
	if in.SiteID != 0 {
		set("MATOMO_SITE_ID", in.SiteID)
	}
	if in.Token != nil {
		set("MATOMO_TOKEN_AUTH", *in.Token)
	}
	if in.ReadToken != nil {
		set("MATOMO_READ_TOKEN", *in.ReadToken)
	}
	t, problems, err := s.Setup.TargetWith(ctx, overrides)
	for i, p := range problems {
		problems[i].Where = cmp.Or(connectionKnobs[p.Where], "config."+p.Where)
	}
	return t, problems, err
}

func (s *server) examine(
	ctx context.Context,
	t target.Target,
	expect doctor.Expectation,
	seconds int,
) doctor.Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	return s.Doctor.Diagnose(ctx, t, expect)
}

// examineAll asks all at once; the answers are in the order of the targets.
func (s *server) examineAll(ctx context.Context, targets []target.Target, expect doctor.Expectation,
	seconds int) []ConnectionResponse {
	out := make([]ConnectionResponse, len(targets))
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() { out[i] = newConnection(s.examine(ctx, t, expect, seconds)) })
	}
	all.Wait()
	return out
}
