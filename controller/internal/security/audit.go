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
)

// Entry is a change or a sign-in in the audit log.
type Entry struct {
	At      time.Time `json:"at"`
	Address string    `json:"address" doc:"Client address."`
	// Action is the method and the route's path. Only numbers stand for its parameters: anything else in a path may be a
	// secret that was put there by mistake.
	Action string `json:"action" doc:"Method and path, such as PUT /api/config."`
	Detail string `json:"detail" doc:"Status of the response and how the client authenticated: key, session or code."`
}

// Refusal counts the alike requests that one address sent without valid credentials.
type Refusal struct {
	First   time.Time `json:"first_at"`
	Last    time.Time `json:"last_at"`
	Address string    `json:"address" doc:"Client address; others if too many different requests were refused at once."`
	Action  string    `json:"action"`
	Status  int       `json:"status" doc:"Status of the responses."`
	Tries   int       `json:"tries" doc:"Number of requests."`
}

// Audit writes every request that could change something, and every sign-in, to the audit log once it is answered. What
// nobody with a key or session has sent is a Refusal instead.
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
		e := Entry{g.now(), g.ClientIP(r).String(), r.Method + " " + auditPath(c), fmt.Sprintf("%d by %s", status, by)}
		g.log.InfoContext(ctx, "changed", "address", e.Address, "action", e.Action, "result", e.Detail)
		if err := g.store.AddAuditEntry(ctx, e); err != nil { // the change is made already
			g.log.ErrorContext(ctx, "cannot write the audit log", "err", err)
		}
		return nil
	}
}

// AuditLog returns the latest entries and refusals, at most limit of each, newest first.
func (g *Guard) AuditLog(ctx context.Context, limit int) ([]Entry, []Refusal, error) {
	g.WriteRefusals(ctx)
	entries, err := g.store.AuditEntries(ctx, limit)
	if err != nil {
		return nil, nil, err
	}
	refusals, err := g.store.Refusals(ctx, limit)
	return entries, refusals, err
}

var number = regexp.MustCompile(`^[0-9]{1,18}$`)

// auditPath is the path of the route with the numbers in it.
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
	// maxRefusals is how many different refusals wait to be written; what is beyond is counted together.
	maxRefusals = 1000
	// others is the address of what is counted together.
	others = "others"
)

// refusals are counted until they are written, so that a stranger causes no write of his own.
type refusals struct {
	mu   sync.Mutex
	kept map[refused]*Refusal
}

type refused struct {
	address, action string
	status          int
}

// add counts refusals as r tells them.
func (s *refusals) add(r Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := refused{r.Address, r.Action, r.Status}
	if s.kept[key] == nil && len(s.kept) >= maxRefusals {
		r.Address, r.Action, r.Status = others, "", 0
		key = refused{address: others}
	}
	if there := s.kept[key]; there != nil {
		there.Tries += r.Tries
		there.Last = r.Last
		return
	}
	s.kept[key] = &r
}

// take returns what is kept, the oldest first, and forgets it.
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

// refused counts a request that brought a wrong key, was no good sign-in, or came from a page that may not change
// anything.
func (g *Guard) refused(c echo.Context, status int) {
	r := c.Request()
	method := r.Method
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		method = "other" // any word of any length can stand there
	}
	now := g.now()
	address, action := g.ClientIP(r).String(), method+" "+c.Path()
	g.refusals.add(Refusal{First: now, Last: now, Address: address, Action: action, Status: status, Tries: 1})
}

// WriteRefusals writes what was refused since the last time.
func (g *Guard) WriteRefusals(ctx context.Context) {
	waiting := g.refusals.take()
	if len(waiting) == 0 {
		return
	}
	tries := 0
	for _, r := range waiting {
		tries += r.Tries
	}
	g.log.WarnContext(ctx, "requests without the right key were refused; GET /api/audit lists them",
		"requests", tries, "last_address", waiting[len(waiting)-1].Address)
	if err := g.store.SaveRefusals(ctx, waiting); err != nil {
		g.log.ErrorContext(ctx, "refusals cannot be written", "err", err)
		for _, r := range waiting {
			g.refusals.add(r) // counted on
		}
	}
}

// sweepEvery is how long a session may outlive its end, and a refusal wait to be written.
const sweepEvery = 10 * time.Second

// Sweep ends the sessions that are over and writes refusals.
func (g *Guard) Sweep(ctx context.Context) {
	g.sessions.sweep()
	g.WriteRefusals(ctx)
}

// Run ends sessions and writes refusals until ctx is done.
func (g *Guard) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.Sweep(ctx)
		case <-ctx.Done():
			g.WriteRefusals(context.WithoutCancel(ctx))
			return
		}
	}
}
