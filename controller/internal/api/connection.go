package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

// Doctor checks whether a target records hits as intended. Only Probe leaves a visit there.
type Doctor interface {
	Diagnose(context.Context, target.Target, doctor.Expectation) doctor.Diagnosis
	Probe(context.Context, target.Target, doctor.Expectation) (doctor.Probe, error)
}

// Connection selects a Matomo, saved or not.
type Connection struct {
	URL       string         `json:"matomo_url,omitempty" maxLength:"2000" doc:"URL of the tracker. Default: the saved one."`
	SiteID    int            `json:"site_id,omitempty" minimum:"1" doc:"Id of the site. Default: the saved one."`
	Token     *string        `json:"token_auth,omitempty" maxLength:"200" doc:"Token of a Matomo user. If masked or missing, the saved token is used, which is only sent to the saved URLs."`
	ReadToken *string        `json:"read_token,omitempty" maxLength:"200" doc:"Token with view access, used instead of token_auth for reading. If masked or missing, the saved token is used."`
	Config    map[string]any `json:"config,omitempty" doc:"Settings that replace saved ones for this check. Only invalid settings of the connection are reported."`
}

type connectionRequest struct {
	Body struct {
		Connection
		Timeout int `json:"timeout,omitempty" minimum:"1" maximum:"60" default:"10" doc:"Timeout in seconds."`
	}
}

// ConnectionResponse is a diagnosis. It contains only version, site and unsuitable settings of the other side.
type ConnectionResponse struct {
	Works      bool             `json:"works" doc:"Whether hits are recorded with all their data."`
	Success    bool             `json:"success" doc:"Same as works."`
	Reachable  bool             `json:"reachable" doc:"Whether the address answered."`
	StatusCode *int             `json:"status_code" doc:"HTTP status of the response; null if there was none."`
	TookMillis float64          `json:"response_time_ms" doc:"Response time in milliseconds."`
	Message    string           `json:"message" doc:"The result in a sentence."`
	Error      *string          `json:"error" doc:"First finding with the verdict error; null if there is none."`
	Version    *string          `json:"matomo_version" doc:"null if the token does not allow reading it."`
	Site       *siteInfo        `json:"site" doc:"null if the token does not allow reading it."`
	Findings   []doctor.Finding `json:"findings" doc:"Results of the checks."`
}

type siteInfo struct {
	ID         int    `json:"id" doc:"Id of the site."`
	Name       string `json:"name" doc:"Name of the site."`
	MainURL    string `json:"main_url" doc:"Main URL of the site."`
	Timezone   string `json:"timezone" doc:"Time zone of the site."`
	Currency   string `json:"currency" doc:"ISO 4217 code."`
	SiteSearch bool   `json:"site_search" doc:"Whether internal searches are tracked."`
	Ecommerce  bool   `json:"ecommerce" doc:"Whether orders are tracked."`
}

func newConnection(d doctor.Diagnosis) ConnectionResponse {
	a := ConnectionResponse{
		Works: d.Works, Success: d.Works, Reachable: d.Reachable, TookMillis: float64(d.Took.Microseconds()) / 1000,
		Message: "hits are recorded", Findings: d.Findings,
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
	if unchecked := d.NotChecked(); unchecked != "" {
		a.Message = "hits are recorded; not checked: " + unchecked
	}
	for _, f := range d.Findings {
		if f.Verdict == doctor.Error {
			text := f.Check + ": " + f.Message
			a.Message, a.Error = "hits are lost; "+f.Cure, &text
			break
		}
	}
	return a
}

type probeRequest struct {
	Body struct {
		Connection
		ID int64 `json:"id,omitempty" minimum:"1" doc:"Id of a saved target, instead of URL, site and tokens."`
	}
}

// ProbeResponse is the result of a probe visit.
type ProbeResponse struct {
	Seen      bool    `json:"seen" doc:"Whether the visit appeared in Matomo's visits log."`
	Message   string  `json:"message" doc:"The result in a sentence, with the likely cause if the visit did not appear."`
	LagMillis float64 `json:"lag_ms" doc:"Time from the response to the hit until the visit appeared."`
	Visitor   string  `json:"visitor" doc:"Visitor id; empty if nothing was sent."`
	IP        string  `json:"stored_ip" doc:"IP address as stored by Matomo, possibly anonymized."`
	Country   string  `json:"stored_country" doc:"Country code as stored by Matomo."`

	Findings []doctor.Finding `json:"findings" doc:"Hits that were lost, split, truncated or changed, or one finding that everything was recorded as sent."`
}

var _ = addRoutes((*server).connection)

func (s *server) connection() {
	handle(s, post("/api/test-connection", tagTargets, "Test the connection to a Matomo").
		describe("Checks whether hits will be recorded as intended. Leaves no visit in Matomo."), s.testConnection)
	handle(s, post("/api/targets/probe", tagTargets, "Send a probe visit").
		describe("Sends one marked visit with each kind of hit in use and, for up to a minute, compares it with what Matomo "+
			"recorded. The visit remains in the site's data; its page titles begin with \""+doctor.ProbeTitle+"\"."),
		s.probe)
}

func (s *server) testConnection(ctx context.Context, in *connectionRequest) (a ConnectionResponse, err error) {
	t, problems, err := s.describedTarget(ctx, &in.Body.Connection)
	if err != nil {
		return a, err
	}
	// The doctor reports problems of the URL.
	problems = slices.DeleteFunc(problems, func(p problem.Problem) bool { return p.Where == "matomo_url" })
	if err := problems.Err(); err != nil {
		return a, err
	}
	expected, err := s.Setup.Expected(ctx, in.Body.Config, s.Now())
	if err != nil {
		return a, err
	}
	return s.diagnose(ctx, t, expected, in.Body.Timeout), nil
}

func (s *server) probe(ctx context.Context, in *probeRequest) (a ProbeResponse, err error) {
	t, err := s.probeTarget(ctx, in)
	if err != nil {
		return a, err
	}
	expected, err := s.Setup.Expected(ctx, in.Body.Config, s.Now())
	if err != nil {
		return a, err
	}
	p, err := s.Doctor.Probe(ctx, t, expected)
	a = ProbeResponse{Seen: err == nil, Message: p.String(), LagMillis: float64(p.Lag.Microseconds()) / 1000,
		Visitor: p.Visitor, IP: p.Stored.IP, Country: p.Stored.Country,
		Findings: append([]doctor.Finding{}, p.Findings...)}
	if err != nil {
		a.Message = err.Error()
	}
	return a, nil
}

// probeTarget returns the saved target with the id of the request, or the one that it describes.
func (s *server) probeTarget(ctx context.Context, in *probeRequest) (target.Target, error) {
	if in.Body.ID == 0 {
		t, problems, err := s.describedTarget(ctx, &in.Body.Connection)
		if err != nil {
			return t, err
		}
		if t.URL == "" {
			problems.Refuse("matomo_url", "", "is not set", "set it to the URL of the tracker, https://host/matomo.php")
		}
		return t, problems.Err()
	}
	saved, err := s.Setup.TargetsByID(ctx, in.Body.ID)
	if err != nil {
		return target.Target{}, err
	}
	return saved[0].Target, nil
}

// connectionFields are the fields of a Connection that replace settings.
var connectionFields = map[string]string{
	"MATOMO_URL": "matomo_url", "MATOMO_SITE_ID": "site_id", "MATOMO_TOKEN_AUTH": "token_auth",
	"MATOMO_READ_TOKEN": "read_token",
}

// describedTarget returns the target that a Connection describes; what it leaves out is as saved.
func (s *server) describedTarget(ctx context.Context, in *Connection) (target.Target, problem.List, error) {
	overrides := maps.Clone(in.Config)
	if overrides == nil {
		overrides = map[string]any{}
	}
	override := func(setting string, v any) {
		maps.DeleteFunc(overrides, func(key string, _ any) bool { return strings.EqualFold(key, setting) })
		overrides[setting] = v
	}
	if in.URL != "" {
		override("MATOMO_URL", in.URL)
	}
	if in.SiteID != 0 {
		override("MATOMO_SITE_ID", in.SiteID)
	}
	if in.Token != nil {
		override("MATOMO_TOKEN_AUTH", *in.Token)
	}
	if in.ReadToken != nil {
		override("MATOMO_READ_TOKEN", *in.ReadToken)
	}
	t, problems, err := s.Setup.TargetWith(ctx, overrides)
	for i, p := range problems {
		problems[i].Where = cmp.Or(connectionFields[p.Where], "config."+p.Where)
	}
	return t, problems, err
}

func (s *server) diagnose(ctx context.Context, t target.Target, expected doctor.Expectation,
	seconds int) ConnectionResponse {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	return newConnection(s.Doctor.Diagnose(ctx, t, expected))
}
