package main

import (
	"slices"
	"strings"
	"testing"
)

const module = "github.com/puttrix/trafficinator/"

// lines are events as go test -json prints them.
func lines(events ...string) string {
	return strings.ReplaceAll(strings.Join(events, "\n")+"\n", "MODULE/", module)
}

func TestWhatGoTestSaysIsSaidAndSkippedTestsAreCounted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := newReport(&out)
	err := r.read(strings.NewReader(
		lines(
			`{"ImportPath":"MODULE/broken","Action":"build-output","Output":"broken.go:3:1: syntax error\n"}`,
			`{"Action":"output","Package":"MODULE/broken","Output":"FAIL\tMODULE/broken [build failed]\n"}`,
			`{"Action":"fail","Package":"MODULE/broken"}`,
			`{"Action":"output","Package":"MODULE/good","Test":"TestQuiet","Output":"nothing to see\n"}`,
			`{"Action":"pass","Package":"MODULE/good","Test":"TestQuiet"}`,
			`{"Action":"output","Package":"MODULE/good","Test":"TestLoud/case","Output":"    x_test.go:1: 3, want 4\n"}`,
			`{"Action":"fail","Package":"MODULE/good","Test":"TestLoud/case"}`,
			`{"Action":"output","Package":"MODULE/good","Test":"TestOne","Output":"    engine_test.go:61: no engine: none\n"}`,
			`{"Action":"skip","Package":"MODULE/good","Test":"TestOne"}`,
			`{"Action":"output","Package":"MODULE/good","Test":"TestTwo","Output":"    suite.go:7: no engine: none\n"}`,
			`{"Action":"skip","Package":"MODULE/good","Test":"TestTwo"}`,
			`{"Action":"output","Package":"MODULE/good","Output":"PASS\n"}`,
			`{"Action":"output","Package":"MODULE/good","Output":"ok  \tMODULE/good\t0.1s\n"}`,
			`{"Action":"pass","Package":"MODULE/good"}`,
			`{"Action":"output","Package":"MODULE/late","Test":"TestSlow","Output":"panic: test timed out\n"}`,
			`{"Action":"fail","Package":"MODULE/late"}`,
			`{"Action":"output","Package":"MODULE/none","Output":"?   \tMODULE/none\t[no test files]\n"}`,
			`{"Action":"skip","Package":"MODULE/none"}`,
			`go: a complaint that is no event`,
		)))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`broken.go:3:1: syntax error
FAIL	MODULE/broken [build failed]
    x_test.go:1: 3, want 4
ok  	MODULE/good	0.1s
panic: test timed out
?   	MODULE/none	[no test files]
go: a complaint that is no event
1 passed, 1 failed, 2 skipped
`, "MODULE/", module)
	if out.String() != want {
		t.Errorf("it says\n%s\nwant\n%s", out.String(), want)
	}
	if got := r.leftOut(); !slices.Equal(got, []string{"tests of good (2)\tno engine: none"}) {
		t.Errorf("left out: %q", got)
	}
}
