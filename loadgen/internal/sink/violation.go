package sink

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// The rules. Each names what is wrong in words that stand alone in a table.
const (
	RuleUnknownParameter = "unknown parameter"
	RuleRepeated         = "parameter given twice"
	RuleEncoding         = "request is not well encoded"
	RuleMissing          = "missing parameter"
	RuleValue            = "bad value"
	RuleNoCID            = "no cid: visits may merge by fingerprint"
	RuleIDsDiffer        = "cid and _id differ"
	RuleComma            = "number with a comma"
	RuleCurrency         = "ec_currency does not exist"
	RuleItems            = "ec_items is not a list of [sku,name,category,price,quantity]"
	RuleSum              = "revenue is not ec_st + ec_tx + ec_sh - ec_dt"
	RuleItemSum          = "items do not come to ec_st"
	RuleLongURL          = "url over 1024 bytes is cut"
	RuleNoTitle          = "page without a title"
	RuleCountryCase      = "country in upper case is a second row"
	RuleReserved         = "cip is reserved"
	RuleBotAddress       = "cip is in the bot list"
	RuleBotAgent         = "user agent is taken for a bot"
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
	RuleExtraFirst       = "visit begins with an extra hit"
	RuleNoPage           = "visit does not begin with a page"
	RulePageview         = "pv_id is not that of an earlier page"
	RuleTrait            = "visitor changes inside a visit"
)

const (
	maxViolations = 1000 // distinct ones; parameter names come from outside
	maxShownValue = 120  // bytes of a value that are kept
)

// Violation is one objection: a rule, the parameter it was broken by, and the first example of it.
type Violation struct {
	Rule      string `json:"rule"`
	Parameter string `json:"parameter,omitempty"`
	// Value is the first offending value, cut to 120 bytes; never a token.
	Value string `json:"value,omitempty"`
	// Hit names the first offending hit.
	Hit   string `json:"hit,omitempty"`
	Count int64  `json:"count"`
}

// String is the violation as one line.
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
