package sink

import (
	"strconv"
	"strings"
	"time"
)

// checkForm objects to what can be judged by one hit alone. It changes nothing about the answer.
func (s *Sink) checkForm(h *hit) {
	for name, value := range h.params {
		s.checkValue(h, name, value)
	}
	for _, name := range []string{"idsite", "rec", "url"} {
		if !h.has(name) {
			s.rules.report(h, RuleMissing, name, "")
		}
	}
	switch cid, id := h.params["cid"], h.params["_id"]; {
	case cid == "" && !h.has("uid"):
		s.rules.report(h, RuleNoCID, "cid", id)
	case cid != "" && id != "" && cid != id:
		s.rules.report(h, RuleIDsDiffer, "_id", id)
	}
	if len(h.params["url"]) > maxURL {
		s.rules.report(h, RuleLongURL, "url", h.params["url"])
	}
	if h.isPage() && strings.TrimSpace(h.params["action_name"]) == "" {
		s.rules.report(h, RuleNoTitle, "action_name", h.params["url"])
	}
	if c := h.params["country"]; c != strings.ToLower(c) {
		s.rules.report(h, RuleCountryCase, "country", c)
	}
	if botAgent(h.agent) && h.params["bots"] != "1" {
		s.rules.report(h, RuleBotAgent, "ua", h.agent)
	}
	if cip := h.params["cip"]; cip != "" {
		if reserved(cip) {
			s.rules.report(h, RuleReserved, "cip", cip)
		}
		if botAddress(cip) {
			s.rules.report(h, RuleBotAddress, "cip", cip)
		}
	}
	if h.has("e_c") != h.has("e_a") {
		s.rules.report(h, RuleMissing, "e_a", h.params["e_c"]) // half an event is booked as a page
	}
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
	case name == "token_auth": // its value is nobody's business
	case numbers[name] && strings.Contains(value, ","):
		s.rules.report(h, RuleComma, name, value)
	case name == "action_name" && value == "": // has a rule of its own
	case check != nil && !check(value):
		s.rules.report(h, RuleValue, name, value)
	}
}

// checkClock compares the visitor's clock with the time the sender gave the hit. The zone is unknown, but zones differ
// by whole quarters of an hour. A hit without cdt cannot be judged: it was on its way for a while.
func (s *Sink) checkClock(h *hit) {
	at, err := parseTime(h.params["cdt"])
	if err != nil || h.has("cdo") || !h.has("m") || !h.has("s") {
		return
	}
	minute, err1 := strconv.Atoi(h.params["m"])
	second, err2 := strconv.Atoi(h.params["s"])
	if err1 != nil || err2 != nil {
		return // has been told as a bad value
	}
	at = at.UTC()
	if second != at.Second() || (minute-at.Minute())%15 != 0 {
		s.rules.report(h, RuleClock, "s", h.params["h"]+":"+h.params["m"]+":"+h.params["s"]+" at "+
			at.Format(time.DateTime))
	}
}
