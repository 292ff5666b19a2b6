package security

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/shared/lifecycle"
)

// Entry is a change or a sign-in in the audit log.
type Entry struct {
	At      time.Time `json:"at"`
	Address string    `json:"address" doc:"Client address."`
	// Action is the method and the route's path. Only numbers replace its parameters: anything else in a path may be a
	// secret that was put there by mistake.
	Action string `json:"action" doc:"Method and path, such as PUT /api/config."`
	Detail string `json:"detail" doc:"Status of the response and how the client authenticated: key, session or code."`
}

// Refusal counts similar requests that one address sent without valid credentials.
type Refusal struct {
	First   time.Time `json:"first_at"`
	Last    time.Time `json:"last_at"`
	Address string    `json:"address" doc:"Client address; others if too many different requests were refused at once."`
	Action  string    `json:"action"`
	Status  int       `json:"status" doc:"Status of the responses."`
	Tries   int       `json:"tries" doc:"Number of requests."`
}

// Audit logs every answered request that could change something, and every sign-in. Requests without a valid key or
// session become Refusals instead.
func (g *Guard) Audit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
			return next(c)
		}
		if err := next(c); err != nil {
			c.Error(err) // answers, so that the status is known
		}
		status := c.Response().Status
		by, ok := c.Get(byKey).(string)
		if !ok || status == http.StatusTooManyRequests {
			return nil
		}
		ctx := context.WithoutCancel(r.Context())
		e := Entry{g.config.Now(), g.ClientIP(r).String(), r.Method + " " + auditPath(c),
			fmt.Sprintf("%d by %s", status, by)}
		g.config.Log.InfoContext(ctx, "changed", "address", e.Address, "action", e.Action, "result", e.Detail)
		if err := g.config.Store.AddAuditEntry(ctx, e); err != nil { // the change is made already
			g.config.Log.ErrorContext(ctx, "cannot write the audit log", "err", err)
		}
		return nil
	}
}

// AuditLog returns the latest entries and refusals, at most limit of each, newest first.
func (g *Guard) AuditLog(ctx context.Context, limit int) ([]Entry, []Refusal, error) {
	g.WriteRefusals(ctx)
	entries, err := g.config.Store.AuditEntries(ctx, limit)
	if err != nil {
		return nil, nil, err
	}
	refusals, err := g.config.Store.Refusals(ctx, limit)
	return entries, refusals, err
}

var number = regexp.MustCompile(`^[0-9]{1,18}$`)

// auditPath returns the path of the route with its numeric parameters filled in.
func auditPath(c echo.Context) string {
	path := c.Path()
	for _, name := range c.ParamNames() {
		if v := c.Param(name); number.MatchString(v) {
			path = strings.ReplaceAll(path, ":"+name, v)
		}
	}
	return path
}

const (
	// maxRefusals is how many different refusals wait to be written; any more are counted together.
	maxRefusals = 1000
	// others is the address of those that are counted together.
	others = "others"
)

// refusals are counted until they are written, so that requests of strangers cause no write each.
type refusals struct {
	mu   sync.Mutex
	kept map[Refusal]*Refusal // by address, action and status
}

func (s *refusals) add(r Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := Refusal{Address: r.Address, Action: r.Action, Status: r.Status}
	if s.kept[key] == nil && len(s.kept) >= maxRefusals {
		r.Address, r.Action, r.Status = others, "", 0
		key = Refusal{Address: others}
	}
	if known := s.kept[key]; known != nil {
		known.Tries += r.Tries
		known.Last = r.Last
		return
	}
	s.kept[key] = &r
}

// take removes and returns all refusals, the oldest first.
func (s *refusals) take() []Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Refusal, 0, len(s.kept))
	for _, r := range s.kept {
		out = append(out, *r)
	}
	clear(s.kept)
	slices.SortFunc(out, func(a, b Refusal) int { return a.Last.Compare(b.Last) })
	return out
}

// refused counts a request with a wrong key, a failed sign-in, or a change from a foreign page.
func (g *Guard) refused(c echo.Context, status int) {
	method := c.Request().Method
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		method = "other" // it could be any word of any length
	}
	now := g.config.Now()
	g.refusals.add(Refusal{First: now, Last: now, Address: g.ClientIP(c.Request()).String(),
		Action: method + " " + c.Path(), Status: status, Tries: 1})
}

// WriteRefusals writes the refusals since the last call.
func (g *Guard) WriteRefusals(ctx context.Context) {
	waiting := g.refusals.take()
	if len(waiting) == 0 {
		return
	}
	tries := 0
	for _, r := range waiting {
		tries += r.Tries
	}
	g.config.Log.WarnContext(ctx, "requests without the right key were refused; GET /api/audit lists them",
		"requests", tries, "last_address", waiting[len(waiting)-1].Address)
	if err := g.config.Store.SaveRefusals(ctx, waiting); err != nil {
		g.config.Log.ErrorContext(ctx, "refusals cannot be written", "err", err)
		for _, r := range waiting {
			g.refusals.add(r) // tried again later
		}
	}
}

// sweepInterval is how long a session may outlive its end, and a refusal wait to be written.
const sweepInterval = 10 * time.Second

// Sweep ends expired sessions and writes refusals.
func (g *Guard) Sweep(ctx context.Context) {
	g.sessions.sweep()
	g.WriteRefusals(ctx)
}

// Run sweeps until ctx is done.
func (g *Guard) Run(ctx context.Context) {
	lifecycle.Every(ctx, sweepInterval, g.Sweep)
	g.WriteRefusals(context.WithoutCancel(ctx))
}
