package spec_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/threshold"
)

func TestASearchForTheCapacityGoesItsOwnWay(t *testing.T) {
	s, problems := parse(map[string]string{"CAPACITY_SEARCH": "true", "CAPACITY_FROM": "2.5",
		"LOAD_PROFILE": "1h:20000", "TIMELINE": "live", "SEND_MODE": "bulk"})
	load, more := s.Profile()
	if problems.Err() != nil || more.Err() != nil || load.Kind() != profile.Constant || load.Peak() != 2.5*86400 {
		t.Errorf("%v, %v visits a day, %v", load.Kind(), load.Peak(), problems)
	}
	for _, want := range []string{`LOAD_PROFILE="1h:20000": is ignored`, `TIMELINE="live"`, `BULK_MAX_DELAY="1"`} {
		if !strings.Contains(problems.Warnings().Error(), want) {
			t.Errorf("no warning of %s in %v", want, problems)
		}
	}
	if strings.Contains(problems.Warnings().Error(), "continues until you stop it") {
		t.Errorf("a search ends by itself: %v", problems)
	}
	_, problems = parse(map[string]string{"CAPACITY_SEARCH": "true", "CAPACITY_FROM": "20", "CAPACITY_TO": "10",
		"MAX_TOTAL_VISITS": "5"})
	for _, want := range []string{`CAPACITY_FROM="20": is above CAPACITY_TO=10`, `MAX_TOTAL_VISITS="5"`} {
		if err := problems.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
	if _, problems = parse(map[string]string{"CAPACITY_FROM": "20", "CAPACITY_TO": "10",
		"MAX_TOTAL_VISITS": "5"}); problems.Err() != nil {
		t.Errorf("without a search: %v", problems)
	}
}

func TestTheThresholdsOfASearchAreThoseItsHelpNames(t *testing.T) {
	t.Parallel()
	named := strings.ReplaceAll(threshold.CapacityDefault, ",", ", ")
	for _, f := range spec.Fields() {
		if f.Key == "CAPACITY_SEARCH" && !strings.Contains(f.Help, named) {
			t.Errorf("the help does not name %s: %s", named, f.Help)
		}
	}
}
