package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/secret"
)

// wrongVerb is none for a text; fmt shows what it is given beside its complaint.
var wrongVerb = "%d"

func TestASecretIsNeverPrinted(t *testing.T) {
	holder := struct{ Token secret.String }{"hush-hush"}
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", holder.Token, "holder", holder)
	for _, shown := range []string{
		fmt.Sprint(holder), fmt.Sprintf("%v %+v %#v %s %q %x %#q", holder, holder, holder, holder, holder.Token,
			holder.Token, holder.Token), fmt.Sprintf(wrongVerb, holder), string(asJSON), log.String(),
	} {
		if strings.Contains(shown, "hush") || strings.Contains(shown, "68757368") {
			t.Errorf("the secret shows: %s", shown)
		}
	}
	if holder.Token.Reveal() != "hush-hush" {
		t.Error("Reveal does not give the secret")
	}
	if got := fmt.Sprintf("%v|%s", secret.String("x"), secret.String("")); got != "***MASKED***|" {
		t.Errorf("got %s", got)
	}
	var read struct{ Token secret.String }
	if err := json.Unmarshal([]byte(`{"Token":"abc"}`), &read); err != nil || read.Token.Reveal() != "abc" {
		t.Errorf("%v: %s", err, read.Token.Reveal())
	}
}
