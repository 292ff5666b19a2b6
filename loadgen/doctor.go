package main

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	reporting "github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// connectAll tries every target and tells how each answered; it is false where a hit would be lost. Unread is what
// could not be checked.
func connectAll(ctx context.Context, h host, p *plan.Plan) (good bool, unread []string) {
	to, err := newSender(p, h.machine(h.env), tracking.Options{Timeout: seconds(p.Spec.RequestTimeout)})
	if err != nil {
		_, _ = fmt.Fprintln(h.stdout, err)
		return false, nil
	}
	defer to.client.Close()
	doctor, expect := reporting.NewClient(seconds(p.Spec.RequestTimeout), h.machine(h.env)), expected(p, h.now())
	good = true
	for i, t := range p.Targets {
		began := time.Now()
		hit := ping(t.SiteID, t.Token.Reveal() != "")
		res := to.ask(i, hit, 0)
		took := time.Since(began).Milliseconds()
		d := doctor.Examine(ctx, t, expect)
		if res.Class.Outcome() == outcome.Accepted {
			_, _ = fmt.Fprintf(h.stdout, "target %s: %s takes hits for site %d (%d ms)\n", t.Name, t.URL,
				t.SiteID, took)
		} else {
			_, _ = fmt.Fprintf(h.stdout, "target %s: %s: %s\n", t.Name, t.URL, res.String())
		}
		tellFindings(h.stdout, d.Findings)
		if left := d.Unread(); left != "" {
			unread = append(unread, "target "+t.Name+": "+left)
		}
		// Where the doctor gets no answer, because it asks no address of a cloud, the hit of the sender decides.
		good = good && res.Class.Outcome() == outcome.Accepted && (d.Works || !d.Reachable)
		if res.Class.Outcome() == outcome.Accepted {
			good = to.tryLargest(h.stdout, p, i, hit) && good
		}
	}
	return good, unread
}

// verdicts are the words for a verdict, in the order in which findings are told.
var verdicts = []struct {
	is   reporting.Verdict
	word string
}{{reporting.Bad, "wrong"}, {reporting.Doubtful, "doubtful"}, {reporting.Good, "ok"}, {reporting.Untold, "cannot tell"}}

// tellFindings prints what is wrong first and what could not be told last.
func tellFindings(w io.Writer, findings []reporting.Finding) {
	for _, v := range verdicts {
		for _, f := range findings {
			if f.Verdict != v.is {
				continue
			}
			_, _ = fmt.Fprintf(w, "  %-11s  %s: %s\n", v.word, f.Check, f.Message)
			if f.Right != "" {
				_, _ = fmt.Fprintf(w, "  %-11s  needs %s\n", "", f.Right)
			}
			if f.Cure != "" {
				_, _ = fmt.Fprintf(w, "  %-11s  -> %s\n", "", f.Cure)
			}
		}
	}
}

// expected is what the plan sends, as far as Matomo's settings bear upon it.
func expected(p *plan.Plan, now time.Time) reporting.Expect {
	k := &p.Spec
	e := reporting.Expecting(k, p.Funnels)
	for _, page := range p.Pages {
		e.Pages = append(e.Pages, page.URL)
	}
	if k.RandomizeCountries { // without, all hits have the address of this machine
		for _, place := range visitor.Places() {
			e.Networks = append(e.Networks, place.Networks()...)
		}
	}
	for _, device := range visitor.Devices() {
		e.Agents = append(e.Agents, device.UserAgent)
	}
	if k.BackfillEnabled {
		days, _ := p.Backfill(now) // its problems are told before
		e.Backfill(days)
	}
	return e
}

// probeAll sends every target one visit and tells when it was seen; it is false where one was not.
func probeAll(ctx context.Context, h host, p *plan.Plan) bool {
	client, expect := reporting.NewClient(seconds(p.Spec.RequestTimeout), h.machine(h.env)), expected(p, h.now())
	good := true
	for _, t := range p.Targets {
		_, _ = fmt.Fprintf(h.stdout, "target %s: sending a probe visit and looking for it, for %s at most\n", t.Name,
			reporting.ProbeLimit)
		seen, err := client.Probe(ctx, t, expect)
		if err != nil {
			good = false
			_, _ = fmt.Fprintf(h.stdout, "target %s: %v\n", t.Name, err)
			continue
		}
		_, _ = fmt.Fprintf(h.stdout, "target %s: %s\n", t.Name, seen)
		tellFindings(h.stdout, seen.Findings)
		good = good && seen.Works()
	}
	return good
}

// ask sends a hit as those of the run are sent, in a request that is larger by so many bytes: Matomo takes some tokens
// in a form, but not in a bulk request. A form is widened by one parameter that Matomo does not read, because PHP reads
// the first 1,000 alone (max_input_vars) and the token comes last; a bulk request by white space.
func (s *sender) ask(target int, hit []byte, more int) tracking.Result {
	if !s.bulk {
		const name = "&rand="
		if more >= len(name) {
			hit = append(append(hit, name...), bytes.Repeat([]byte("0"), more-len(name))...)
		}
		return s.targets[target].Send(hit, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	}
	return s.targets[target].SendBulk(append(tracking.AppendWide(tracking.BulkBody(), more), hit...), 1)
}

// ping is a hit that Matomo checks and answers but stores nothing for: a heartbeat of a visitor who has no visit
// (plugins/Heartbeat/Tracker/PingRequestProcessor.php). With a token an address makes it check the token too.
func ping(site int, token bool) []byte {
	var id [8]byte
	_, _ = crand.Read(id[:]) // never fails, see crypto/rand
	body := fmt.Appendf(nil, "idsite=%d&rec=1&apiv=1&ping=1&cid=%s&url=https%%3A%%2F%%2Fshop.example.test%%2F", site,
		hex.EncodeToString(id[:]))
	if token {
		body = append(body, "&cip=90.224.0.10"...)
	}
	return body
}
