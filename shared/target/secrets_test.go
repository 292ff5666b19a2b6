package target_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

func TestAnAnswerThatRepeatsASecretInAnotherFormIsQuotedWithoutIt(t *testing.T) {
	way, err := target.Environment{}.Transport(target.Access{HTTPAuth: "load:p/ss+w\"rd?>",
		Proxy: "http://u:pr%2Fxy@proxy.test:1"})
	if err != nil {
		t.Fatal(err)
	}
	bearer, err := target.Environment{}.Transport(
		target.Access{Headers: secret.String("Authorization: Bearer abc/def+ghi")},
	)
	if err != nil {
		t.Fatal(err)
	}
	for said, secrets := range map[string][]string{
		`{"Authorization":"Basic bG9hZDpwL3NzK3cicmQ\/Pg=="}`: way.Secrets,
		`{"Authorization":"Basic bG9hZDpwL3NzK3cicmQ/Pg=="}`:  way.Secrets,
		`{"password":"p\/ss+w\"rd?>"}`:                        way.Secrets,
		`password=p%2Fss%2Bw%22rd%3F%3E`:                      way.Secrets,
		`proxy=pr%2Fxy`:                                       way.Secrets,
		`the token abc/def+ghi is unknown`:                    bearer.Secrets,
		`{"token":"abc\/def+ghi"}`:                            bearer.Secrets,
	} {
		a := answer.ParseHit(&answer.Raw{Status: 500, Body: []byte(said), Secrets: secrets})
		for _, part := range []string{"bG9h", "ss", "2Fxy", "def"} {
			if words := strings.ReplaceAll(a.Excerpt, "pass", ""); strings.Contains(words, part) {
				t.Errorf("%s is quoted as %s", said, a.Excerpt)
			}
		}
		if !strings.Contains(a.Excerpt, secret.Mask) {
			t.Errorf("%s is quoted as %s", said, a.Excerpt)
		}
	}
}
