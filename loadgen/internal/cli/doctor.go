package cli

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// checkConnections tries every target and tells how each answered; it is false where a hit would be lost. Unread is what
// could not be checked.
func checkConnections(ctx context.Context, h host.Host, p *plan.Plan) (good bool, unread []string) {
	to, err := sender.New(p, h.Machine(h.Env), tracking.Options{Timeout: p.Sending.QueryTimeout})
	if err != nil {
		_, _ = fmt.Fprintln(h.Stdout, err)
		return false, nil
	}
	defer to.Close()
	examiner, expect := doctor.New(p.Sending.QueryTimeout, h.Machine(h.Env)), p.Expect(h.Now())
	good = true
	for i, t := range p.Targets {
		began := time.Now()
		hit := ping(t.SiteID, t.Token.Reveal() != "")
		res := to.SendProbe(i, hit, 0)
		took := time.Since(began).Milliseconds()
		d := examiner.Diagnose(ctx, t, expect)
		if res.Class.Outcome() == outcome.Accepted {
			_, _ = fmt.Fprintf(h.Stdout, "target %s: %s accepts hits for site %d (%d ms)\n", t.Name, t.URL,
				t.SiteID, took)
		} else {
			_, _ = fmt.Fprintf(h.Stdout, "target %s: %s: %s\n", t.Name, t.URL, res.String())
		}
		printFindings(h.Stdout, d.Findings)
		if left := d.NotChecked(); left != "" {
			unread = append(unread, "target "+t.Name+": "+left)
		}
		// Where the doctor gets no answer, because it asks no address of a cloud, the hit of the sender decides.
		good = good && res.Class.Outcome() == outcome.Accepted && (d.Works || !d.Reachable)
		if res.Class.Outcome() == outcome.Accepted {
			good = checkLargestRequest(h.Stdout, to, p, i, hit) && good
		}
	}
	return good, unread
}

// verdictWords are the words for a verdict, in the order in which findings are told.
var verdictWords = []struct {
	is   doctor.Verdict
	word string
}{{doctor.Error, "wrong"}, {doctor.Warning, "doubtful"}, {doctor.OK, "ok"}, {doctor.Skipped, "cannot tell"}}

// printFindings prints what is wrong first and what could not be told last.
func printFindings(w io.Writer, findings []doctor.Finding) {
	for _, v := range verdictWords {
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

// probeTargets sends every target one visit and tells when it was seen; it is false where one was not.
func probeTargets(ctx context.Context, h host.Host, p *plan.Plan) bool {
	examiner, expect := doctor.New(p.Sending.QueryTimeout, h.Machine(h.Env)), p.Expect(h.Now())
	good := true
	for _, t := range p.Targets {
		_, _ = fmt.Fprintf(h.Stdout, "target %s: sending a probe visit and looking for it, for %s at most\n", t.Name,
			doctor.ProbeLimit)
		seen, err := examiner.Probe(ctx, t, expect)
		if err != nil {
			good = false
			_, _ = fmt.Fprintf(h.Stdout, "target %s: %v\n", t.Name, err)
			continue
		}
		_, _ = fmt.Fprintf(h.Stdout, "target %s: %s\n", t.Name, seen)
		printFindings(h.Stdout, seen.Findings)
		good = good && seen.Works()
	}
	return good
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

// checkLargestRequest asks whether a target that takes a hit takes it in a request as large as the largest of the run. It is
// false where hits would be lost.
func checkLargestRequest(w io.Writer, s *sender.Sender, p *plan.Plan, target int, hit []byte) bool {
	t := p.Targets[target]
	most, size := p.Sending.Batch, max(s.LargestRequest(p, target), len(hit))
	res := s.SendProbe(target, hit, size-len(hit))
	if res.Class.Outcome() == outcome.Accepted {
		_, _ = fmt.Fprintf(w, "target %s: takes requests of %d bytes, as large as the largest of the run\n",
			t.Name, size)
		return true
	}
	taken := size / 2
	for taken > len(hit) && s.SendProbe(target, hit, taken-len(hit)).Class.Outcome() != outcome.Accepted {
		taken /= 2
	}
	_, _ = fmt.Fprintf(w, "target %s: takes no requests of %d bytes, as large as the largest of the run, but some "+
		"of %d: %s\n", t.Name, size, taken, res.String())
	cure := "let the server take larger requests (nginx: client_max_body_size, PHP: post_max_size)"
	if most > 1 {
		cure += fmt.Sprintf(", or set BULK_SIZE=%d", max(1, most*taken/size))
	}
	_, _ = fmt.Fprintf(w, "  %-11s  -> %s\n", "", cure)
	return res.Class.Splittable() && most > 1 // the run sends smaller ones by itself
}
