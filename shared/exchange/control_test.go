package exchange_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/exchange"
)

func TestControlComesBackAsItWasWritten(t *testing.T) {
	want := exchange.Control{RunID: "nightly-7", Paused: true, Scale: 1.5}
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, problems := exchange.ParseControl(data)
	if problems.Err() != nil || got != want {
		t.Errorf("%s came back as %+v, %v", data, got, problems)
	}
}

func TestWhatAControlLeavesOutIsThePlans(t *testing.T) {
	got, problems := exchange.ParseControl([]byte(`{"run_id":"a"}`))
	if problems.Err() != nil || got != exchange.NoOverride("a") {
		t.Errorf("%+v, %v", got, problems)
	}
}

func TestProblemsOfAControlAreReported(t *testing.T) {
	for text, want := range map[string]string{
		`{"scale":2}`:                       `control.json: run_id: is missing; set it to the RUN_ID of the run`,
		`{"run_id":"a","scale":0}`:          `control.json: scale="0": is not between 0.01 and 100; use 1 for the planned rate`,
		`{"run_id":"a","scale":101}`:        `control.json: scale="101": is not between 0.01 and 100; use 1 for the planned rate`,
		`{"run_id":"a","scale":"2"}`:        `control.json: scale="2": is not a number`,
		`{"run_id":"a","pause":true}`:       `control.json: pause: is not a known key; use one of run_id, paused, scale`,
		`{"run_id":"a","paused":"yes"}`:     `control.json: paused="yes": is not true or false`,
		`{"run_id":"a",`:                    `control.json: line 1: is not valid JSON`,
		`[]`:                                `control.json="[…]": is not an object`,
		`{"run_id":"a","run_id":"b"}`:       `control.json: run_id: is a duplicate key`,
		`{"run_id":7}`:                      `control.json: run_id="7": is not a string`,
		`{"run_id":"a","scale":1e999}`:      `control.json: scale="1e999": is not a number`,
		`{"run_id":"a","scale":1} trailing`: `control.json: line 1: has data after the top-level value`,
	} {
		if _, problems := exchange.ParseControl([]byte(text)); len(problems) != 1 ||
			!strings.HasPrefix(problems.Error(), want) {
			t.Errorf("%s: %v, want %s", text, problems, want)
		}
	}
}
