package docstest

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/testbed"
	"github.com/puttrix/trafficinator/shared/urllist"
)

func example(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testbed.Root(), "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheDataFilesAreReadAsTheProgramsReadThem(t *testing.T) {
	t.Parallel()
	pages, urls := urllist.Parse("urls.txt", bytes.NewReader(example(t, "urls.txt")))
	events, ofEvents := eventset.Decode("events.json", example(t, "events.json"))
	funnels, ofFunnels := funnel.Decode("funnels.json", example(t, "funnels.json"))
	targets, ofTargets := target.Decode("targets.json", example(t, "targets.json"))
	for _, list := range []problem.List{urls, ofEvents, ofFunnels, ofTargets} {
		for _, p := range list {
			if p.Severity == problem.Error { // an example has fewer pages than a real site
				t.Error(p)
			}
		}
	}
	if len(pages) < 5 || len(events.Click) == 0 || len(events.Random) == 0 || len(funnels) == 0 ||
		len(targets.Targets) < 2 {
		t.Errorf("%d pages, %+v, %d funnels, %d targets", len(pages), events, len(funnels), len(targets.Targets))
	}
}

func TestTheDashboardShowsMetricsThatExist(t *testing.T) {
	t.Parallel()
	board, known := example(t, "grafana-dashboard.json"), metrics(t)
	if !json.Valid(board) {
		t.Fatal("the dashboard is no JSON")
	}
	used := regexp.MustCompile(`trafficinator_\w+`).FindAllString(string(board), -1)
	for _, name := range used {
		if !slices.Contains(known, strings.TrimSuffix(name, "_bucket")) {
			t.Errorf("the dashboard shows %s, which the loadgen does not have; it has %v", name, known)
		}
	}
	if len(used) < 10 {
		t.Errorf("the dashboard shows %v", used)
	}
}

// metrics are the names that shared/metric declares.
func metrics(t *testing.T) (names []string) {
	t.Helper()
	file := filepath.Join(testbed.Root(), "shared", "metric", "metric.go")
	code, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(code, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if name, err := strconv.Unquote(lit.Value); err == nil && strings.HasPrefix(name, "trafficinator_") {
				names = append(names, name)
			}
		}
		return true
	})
	return names
}

func TestTheControlFileOfThePageIsRead(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(testbed.Root(), "docs", "load-profiles.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(page, -1)
	if len(files) != 1 {
		t.Fatalf("the page has %d files, want one", len(files))
	}
	if c, problems := exchange.ParseControl(files[0][1]); len(problems) > 0 || c.Scale != 1.5 {
		t.Errorf("%+v, %v", c, problems)
	}
}
