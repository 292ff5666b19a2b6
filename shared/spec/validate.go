package spec

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// Rates above loudVisitsPerDay are warned of: many servers cannot handle them (FEATURES VAL-05).
const loudVisitsPerDay = 500_000

var currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)

// checkTogether checks what bounds cannot express. Settings in bad have no valid value and are left out.
func checkTogether(s Spec, bad map[string]bool, problems *problem.List) {
	for _, f := range fields {
		if f.NotAbove == "" || bad[f.Key] || bad[f.NotAbove] {
			continue
		}
		if low, high := numberOf(s, f.Key), numberOf(s, f.NotAbove); low > high {
			problems.Refuse(f.Key, written(low), "is above "+f.NotAbove+"="+written(high),
				"lower it or raise "+f.NotAbove)
		}
	}
	refuse := func(broken bool, key, value, message, cure string) {
		if broken {
			problems.Refuse(key, value, message, cure)
		}
	}
	warn := func(broken bool, key, value, message, cure string) {
		if broken {
			problems.Warn(key, value, message, cure)
		}
	}
	tokens := map[string]secret.String{"MATOMO_TOKEN_AUTH": s.MatomoToken, "MATOMO_READ_TOKEN": s.MatomoReadToken}
	for _, key := range []string{"MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN"} {
		if err := secret.CheckToken(tokens[key]); err != nil {
			problems.Refuse(key, "", err.Error(), secret.TokenCure)
		}
	}
	refuse(len(s.ShippingRates) == 0 && !bad["ECOMMERCE_SHIPPING_RATES"], "ECOMMERCE_SHIPPING_RATES", "", "has no rate",
		"for example 0,5.99")
	refuse(!currencyPattern.MatchString(s.Currency), "ECOMMERCE_CURRENCY", s.Currency, "is not an ISO 4217 code",
		"use three capital letters, for example EUR")
	for _, id := range [][3]string{{"RUN_ID", s.RunID, "nightly-7"}, {"START_ID", s.StartID, "20261130-1"}} {
		refuse(id[1] != "" && !runid.Valid(id[1]), id[0], id[1], "is not 1 to 64 letters, digits, - and _",
			"for example "+id[2])
	}
	if s.SiteURL != "" {
		u, err := url.Parse(s.SiteURL)
		refuse(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" ||
			u.Fragment != "" || u.User != nil,
			"SITE_URL", s.SiteURL[strings.LastIndex(s.SiteURL, "@")+1:], "is not a site URL", "use https://host")
	}
	_, port, err := net.SplitHostPort(s.TelemetryAddr)
	refuse(s.TelemetryAddr != "off" && (err != nil || !isPort(port)), "TELEMETRY_ADDR", s.TelemetryAddr,
		"is not host:port", "for example 127.0.0.1:8010, or off")
	_, faults := threshold.Parse("THRESHOLDS", s.Thresholds)
	*problems = append(*problems, faults...)
	warn(s.ThresholdAbort && s.Thresholds == "", "THRESHOLD_ABORT", "true", "has no effect without THRESHOLDS",
		"set THRESHOLDS, or remove it")
	const unrealistic = "is above %g, more than real visitors cause"
	warn(s.ClickEventProbability > eventset.HighClick, "CLICK_EVENTS_PROBABILITY", written(s.ClickEventProbability),
		fmt.Sprintf(unrealistic, eventset.HighClick), "lower it")
	warn(s.RandomEventProbability > eventset.HighRandom, "RANDOM_EVENTS_PROBABILITY",
		written(s.RandomEventProbability), fmt.Sprintf(unrealistic, eventset.HighRandom), "lower it")
	refuse(s.BackfillEnabled && s.CapacitySearch, "CAPACITY_SEARCH", "true", "cannot be combined with BACKFILL_ENABLED",
		"run them separately")
	if s.CapacitySearch {
		refuse(s.CapacityFrom > s.CapacityTo && !bad["CAPACITY_FROM"] && !bad["CAPACITY_TO"], "CAPACITY_FROM",
			written(s.CapacityFrom), "is above CAPACITY_TO="+written(s.CapacityTo), "lower it or raise CAPACITY_TO")
		refuse(s.MaxTotalVisits > 0, "MAX_TOTAL_VISITS", written(s.MaxTotalVisits),
			"would pause the capacity search, which would mistake that for the server's limit", "set it to 0")
		warn(s.LoadProfile != "constant", "LOAD_PROFILE", s.LoadProfile,
			"is ignored: a capacity search sets the rate itself", "remove it, or turn off CAPACITY_SEARCH")
		warn(
			s.SendMode == "bulk" && s.Thresholds == "" && s.BulkMaxDelay > 0,
			"BULK_MAX_DELAY",
			written(s.BulkMaxDelay),
			"is part of the latencies of a capacity search, which must keep p95<1s",
			"set THRESHOLDS with a p95 well above it",
		)
		warn(s.Timeline == "live", "TIMELINE", s.Timeline,
			"makes each step of a capacity search wait minutes for the visits of the previous step", "use compressed")
	}
	load := checkLoad(s, bad, problems)
	warn(!s.TLSVerify && !bad["TLS_VERIFY"], "TLS_VERIFY", "false",
		"exposes the token to anyone between here and the server", "use this for test servers only")
	warn(s.StateDir == "" && (s.RunID != "" || s.MaxTotalVisits > 0), "STATE_DIR", "", "is not set, but RUN_ID or "+
		"MAX_TOTAL_VISITS is: a restart starts over, with the same visitor and order IDs or a new cap", "set STATE_DIR")
	warn(s.StateDir == "" && s.StartID != "", "START_ID", s.StartID,
		"has no effect without STATE_DIR, which records starts", "set STATE_DIR")
	endless := load.Kind() == profile.Constant || load.Kind() == profile.Week
	warn(endless && s.AutoStart && s.AutoStopHours == 0 && s.StopAfterVisits == 0 && !s.BackfillEnabled,
		"AUTO_STOP_AFTER_HOURS", "0", "is 0, and so is STOP_AFTER_VISITS: the run continues until you stop it",
		"set one of them to end it automatically")
}

// Profile returns the rate of visits of the settings, and its problems.
func (s *Spec) Profile() (profile.Profile, problem.List) {
	if s.CapacitySearch { // it changes the rate itself
		return profile.NewConstant(s.CapacityFrom * 24 * 60 * 60), nil
	}
	return profile.Parse(s.LoadProfile, s.LoadCurve, s.VisitsPerDay, s.Timezone.Location())
}

func checkLoad(s Spec, bad map[string]bool, problems *problem.List) profile.Profile {
	if bad["LOAD_CURVE"] || bad["TARGET_VISITS_PER_DAY"] || s.CapacitySearch {
		return profile.Profile{}
	}
	load, faults := s.Profile()
	*problems = append(*problems, faults...)
	if load.Peak() <= loudVisitsPerDay {
		return load
	}
	const cure = "make sure that you own this server"
	if peak := written(math.Ceil(load.Peak())); load.Kind() == profile.Constant {
		problems.Warn("TARGET_VISITS_PER_DAY", peak, "is a high load", cure)
	} else {
		problems.Warn("LOAD_PROFILE", s.LoadProfile, "is a high load: up to "+peak+" visits per day", cure)
	}
	return load
}

func numberOf(s Spec, key string) float64 {
	return reflect.ValueOf(field(key).Value(s)).Convert(reflect.TypeFor[float64]()).Float()
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// ReadFile reads a file that a setting names.
type ReadFile = envspec.ReadFile

// Parse reads the settings from environ and reports all problems at once. An empty value means the default; keys that
// are not settings are ignored (see Unknown). read reads the files of secrets; nil reads none.
func Parse(environ map[string]string, read ReadFile) (Spec, problem.List) {
	var problems problem.List
	var s Spec
	p := envspec.Parse(&s, environ, read, &problems)
	s.Set = p.Set
	if s.SendMode == "bulk" && !s.Set["CONCURRENCY"] {
		s.Concurrency = BulkConcurrency
	}
	for _, key := range obsolete {
		if v := envspec.Unquoted(environ, key); v != "" {
			problems.Warn(key, v, "has no effect", "remove it")
		}
	}
	s.checkTarget(&problems)
	checkTogether(s, p.Bad, &problems)
	return s, problems
}
