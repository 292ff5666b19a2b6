package sink

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// checkForm checks the rules for single hits. It does not affect the response.
func (s *Sink) checkForm(h *hit) {
	p := h.params
	for name, value := range p {
		s.checkValue(h, name, value)
	}
	check := func(violated bool, rule, parameter, value string) {
		s.rules.reportIf(violated, h, rule, parameter, value)
	}
	for _, name := range []string{"idsite", "rec", "url"} {
		check(!h.has(name), RuleMissing, name, "")
	}
	check(!h.has("cid") && !h.has("uid"), RuleNoCID, "cid", p["_id"])
	check(h.has("cid") && h.has("_id") && p["cid"] != p["_id"], RuleIDsDiffer, "_id", p["_id"])
	check(len(p["url"]) > maxURL, RuleLongURL, "url", p["url"])
	check(h.isPage() && strings.TrimSpace(p["action_name"]) == "", RuleNoTitle, "action_name", p["url"])
	check(p["country"] != strings.ToLower(p["country"]), RuleCountryCase, "country", p["country"])
	check(botAgent(h.agent) && p["bots"] != "1", RuleBotAgent, "ua", h.agent)
	check(reserved(p["cip"]), RuleReserved, "cip", p["cip"])
	check(within(p["cip"], botRanges), RuleBotAddress, "cip", p["cip"])
	check(h.has("e_c") != h.has("e_a"), RuleMissing, "e_a", p["e_c"]) // half an event is recorded as a page
	s.checkClock(h)
	if h.kind == kindOrder {
		s.checkOrder(h)
	}
}

func (s *Sink) checkValue(h *hit, name, value string) {
	check, ok := formats[name]
	switch {
	case name == "ec_currency":
		s.rules.report(h, RuleCurrency, name, value)
	case !ok && dimPattern.MatchString(name):
	case !ok:
		s.rules.report(h, RuleUnknownParameter, name, value)
	case name == "token_auth": // secret
	case numbers[name] && strings.Contains(value, ","):
		s.rules.report(h, RuleComma, name, value)
	case name == "action_name" && value == "": // RuleNoTitle
	case check != nil && !check(value):
		s.rules.report(h, RuleValue, name, value)
	}
}

// checkClock compares the visitor's clock with the time of the hit. The time zone is unknown, but zones differ by
// multiples of 15 minutes. A hit without cdt is not checked, because it may have been delayed.
func (s *Sink) checkClock(h *hit) {
	at, err := parseTime(h.params["cdt"])
	if err != nil || h.has("cdo") || !h.has("m") || !h.has("s") {
		return
	}
	minute, err1 := strconv.Atoi(h.params["m"])
	second, err2 := strconv.Atoi(h.params["s"])
	if err1 != nil || err2 != nil {
		return // reported as a bad value
	}
	at = at.UTC()
	if second != at.Second() || (minute-at.Minute())%15 != 0 {
		s.rules.report(h, RuleClock, "s", h.params["h"]+":"+h.params["m"]+":"+h.params["s"]+" at "+
			at.Format(time.DateTime))
	}
}

// The rules. Each describes its violation.
const (
	RuleUnknownParameter = "unknown parameter"
	RuleRepeated         = "duplicate parameter"
	RuleEncoding         = "request is not correctly URL-encoded"
	RuleMissing          = "missing parameter"
	RuleValue            = "bad value"
	RuleNoCID            = "no cid: visits may merge by fingerprint"
	RuleIDsDiffer        = "cid and _id differ"
	RuleComma            = "number with a comma"
	RuleCurrency         = "ec_currency does not exist"
	RuleItems            = "ec_items is not a list of [sku,name,category,price,quantity]"
	RuleSum              = "revenue is not ec_st + ec_tx + ec_sh - ec_dt"
	RuleItemSum          = "items do not add up to ec_st"
	RuleLongURL          = "url over 1024 bytes is truncated"
	RuleNoTitle          = "page without a title"
	RuleCountryCase      = "country in upper case is a second row"
	RuleReserved         = "cip is reserved"
	RuleBotAddress       = "cip is in the bot list"
	RuleBotAgent         = "user agent is that of a bot"
	RuleFuture           = "cdt is after the clock of the server"
	RuleClock            = "h, m, s are not the time of the hit in any zone"
	RuleTokenQuery       = "token in the address"
	RuleTokenGET         = "token by GET"
	RuleBackward         = "time goes backward within a visitor"
	RuleGap              = "gap of 1800 s or more splits a visit"
	RuleCampaign         = "campaign changes inside a visit"
	RuleParallel         = "two requests of one visitor in flight at once"
	RuleHost             = "host of url changes inside a visit"
	RuleReferrer         = "urlref of another host after the entry"
	RuleExtraFirst       = "visit starts with an extra hit"
	RuleNoPage           = "visit does not start with a page"
	RulePageview         = "pv_id is not that of an earlier page"
	RuleTrait            = "visitor changes inside a visit"
)

const (
	maxViolations = 1000 // distinct ones; parameter names come from outside
	maxShownValue = 120  // bytes
)

// Violation is a violated rule with the parameter and the first example.
type Violation struct {
	Rule      string `json:"rule"`
	Parameter string `json:"parameter,omitempty"`
	// Value is the first invalid value, truncated to 120 bytes; never a token.
	Value string `json:"value,omitempty"`
	// Hit identifies the first invalid hit.
	Hit   string `json:"hit,omitempty"`
	Count int64  `json:"count"`
}

// String returns the violation as one line.
func (v Violation) String() string {
	return fmt.Sprintf("%d × %s: %s=%q (first in %s)", v.Count, v.Rule, v.Parameter, v.Value, v.Hit)
}

type ruleKey struct{ rule, parameter string }

// ruleBook collects violations. The zero value is empty.
type ruleBook struct {
	mu   sync.Mutex
	seen map[ruleKey]*Violation
}

func (b *ruleBook) report(h *hit, rule, parameter, value string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := ruleKey{rule, parameter}
	if b.seen == nil {
		b.seen = map[ruleKey]*Violation{}
	}
	if b.seen[key] == nil && len(b.seen) >= maxViolations {
		key.parameter = "…"
	}
	if v := b.seen[key]; v != nil {
		v.Count++
		return
	}
	if len(value) > maxShownValue {
		value = value[:maxShownValue]
	}
	b.seen[key] = &Violation{Rule: rule, Parameter: key.parameter, Value: value, Hit: h.String(), Count: 1}
}

func (b *ruleBook) reportIf(violated bool, h *hit, rule, parameter, value string) {
	if violated {
		b.report(h, rule, parameter, value)
	}
}

func (b *ruleBook) list() []Violation {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Violation, 0, len(b.seen))
	for _, v := range b.seen {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Parameter, b.Parameter))
	})
	return out
}
