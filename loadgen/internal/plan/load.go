package plan

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// IdentityFunc gives the seed and the run id where the settings name none. Of the plan it sees the kind, the files and the run
// id that is set.
type IdentityFunc func(p *Plan) (seed uint64, runID string)

// loader gathers a plan and the problems on the way.
type loader struct {
	fs       afero.Fs
	plan     *Plan
	problems problem.List
}

// MergeEnv merges the process environment with the file that LOADGEN_ENV_FILE names there, which wins. The keys that
// came from the file are returned by name. A loadgen that does not start by itself may be there before its file is.
func MergeEnv(fsys afero.Fs, environ map[string]string) (merged map[string]string, fromFile []string,
	problems problem.List) {
	problems = spec.Misspelt(environ)
	path := envspec.Unquoted(environ, "LOADGEN_ENV_FILE")
	if path == "" {
		warnUnusedFile(fsys, environ, &problems)
		return maps.Clone(environ), nil, problems
	}
	data, err := exchange.Read(fsys, path)
	if errors.Is(err, fs.ErrNotExist) && !autoStarts(fsys, environ) {
		return maps.Clone(environ), nil, problems
	}
	if err != nil {
		problems.Refuse("LOADGEN_ENV_FILE", path, "cannot be read: "+err.Error(),
			"name a file that exists and that this user may read")
		return maps.Clone(environ), nil, problems
	}
	name := filepath.Base(path)
	values, faults := exchange.ParseEnv(name, data)
	problems = append(append(problems, faults...), spec.Unknown(name, values, problem.Error)...)
	paths := pathKeys()
	for key, v := range values {
		if paths[key] && v != "" && !filepath.IsAbs(v) {
			values[key] = filepath.Join(filepath.Dir(path), v)
		}
	}
	return Overlay(environ, values), slices.Sorted(maps.Keys(values)), problems
}

// Overlay is the settings of below with those of above, which win. A secret has two names; the one of above replaces that
// of below, whichever it is.
func Overlay(below, above map[string]string) map[string]string {
	merged := maps.Clone(below)
	for key, v := range above {
		merged[key] = v
		other := key + spec.FileSuffix
		if base, isFile := strings.CutSuffix(key, spec.FileSuffix); isFile {
			other = base
		}
		if _, both := above[other]; !both && spec.IsKnown(key) && spec.IsKnown(other) {
			delete(merged, other)
		}
	}
	return merged
}

// pathKeys are the keys whose values name a file or folder: in a file of settings it is relative to the folder of that
// file.
func pathKeys() map[string]bool {
	out := map[string]bool{}
	for _, f := range spec.Fields() {
		out[f.Key] = f.Path
		if f.Secret {
			out[f.Key+spec.FileSuffix] = true
		}
	}
	return out
}

// warnUnusedFile says that a file of settings lies in the exchange folder and is not used: a person who starts the loadgen
// by hand does not expect the settings of a controller that used the folder before.
func warnUnusedFile(fsys afero.Fs, environ map[string]string, problems *problem.List) {
	dir := envspec.Unquoted(environ, "EXCHANGE_DIR")
	if dir == "" {
		return
	}
	path := filepath.Join(dir, exchange.EnvFile)
	if _, err := fsys.Stat(path); err == nil {
		problems.Warn(path, "", "is left aside, because LOADGEN_ENV_FILE does not name it",
			"remove it, or set LOADGEN_ENV_FILE to use its settings")
	}
}

// autoStarts says that the environment does not hold the loadgen back until somebody starts it.
func autoStarts(fsys afero.Fs, environ map[string]string) bool {
	s, _ := spec.Parse(environ, func(path string) ([]byte, error) { return exchange.Read(fsys, path) })
	return s.AutoStart
}

// Load makes the plan of the settings and the files they name. The plan is nil where a problem refuses it.
func Load(fsys afero.Fs, environ map[string]string, draw IdentityFunc) (*Plan, problem.List) {
	l := &loader{fs: fsys}
	s, problems := spec.Parse(environ, l.readFile)
	l.problems, l.plan = problems, &Plan{
		spec: s, RunID: s.RunID, Zone: s.Timezone.Location(), Env: environ, Sources: map[string]string{},
		Files: Files{Exchange: s.ExchangeDir, State: s.StateDir, Summary: s.SummaryFile},
	}
	seed, runID := draw(l.plan)
	l.plan.Seed, l.plan.RunID = seed, cmp.Or(s.RunID, runID)
	if s.RunSeed != nil {
		l.plan.Seed = *s.RunSeed
	}
	if s.BackfillEnabled {
		l.applyBackfill()
	}
	l.checkExchangeDir()
	l.pages()
	l.funnels()
	l.events()
	if s.AutoStart {
		l.targets()
	}
	if k := &l.plan.spec; k.SendMode == "bulk" && !k.Set["CONCURRENCY"] {
		k.Concurrency = max(spec.BulkConcurrency, len(l.plan.Targets))
	}
	store := l.shop()
	if l.problems.Err() != nil {
		return nil, l.problems
	}
	p := l.plan
	p.Load, _ = s.Profile() // its problems are among those of Parse
	p.derive()
	p.Visits = visit.New(p.behaviour(store))
	p.sample = newSample(p.Visits)
	l.addWarnings()
	hashed, err := p.hashInput()
	if err != nil {
		l.problems.Refuse("plan", "", err.Error(), "")
		return nil, l.problems
	}
	p.Hash = p.hashOf(hashed)
	l.addNotes()
	return p, l.problems
}

// readFile reads a file that a setting names.
func (l *loader) readFile(path string) ([]byte, error) { return exchange.Read(l.fs, path) }

// applyBackfill sets what a backfill does whatever the knobs of live traffic say: many hits go in a request, and all of them
// are dated.
func (l *loader) applyBackfill() {
	k := &l.plan.spec
	k.SendMode, k.Timeline = "bulk", "compressed"
	if k.BackfillSeed != nil {
		l.plan.Seed = *k.BackfillSeed
	}
}

// Backfill is which days a backfill that begins at now sends, with what refuses them: Matomo takes hits older than a
// day with a token alone (tracking_requests_require_authentication_when_custom_timestamp_newer_than of
// config/global.ini.php).
func (p *Plan) Backfill(now time.Time) ([]calendar.Day, problem.List) {
	days, problems := p.spec.Backfill(now)
	for _, d := range days {
		if d.Visits == 0 {
			continue
		}
		for _, t := range p.Targets {
			if age := now.Sub(d.Start); age > target.MaxAgeWithoutToken && t.Token.Reveal() == "" {
				problems.Refuse("MATOMO_TOKEN_AUTH", "",
					"is not set for target "+t.Name+
						", and without it Matomo takes nothing that is older than 24 hours, as "+d.Date.String()+" is",
					"give a token with write access to the site")
			}
		}
		break // the first is the oldest
	}
	return days, problems
}

// checkExchangeDir refuses a folder that is not there: without it the built-in data would go to the target of the
// environment.
func (l *loader) checkExchangeDir() {
	dir := l.plan.spec.ExchangeDir
	if dir == "" {
		return
	}
	const cure = "name a folder that exists and that this user may read, or unset it"
	switch info, err := l.fs.Stat(dir); {
	case err != nil:
		l.problems.Refuse("EXCHANGE_DIR", dir, "cannot be read: "+err.Error(), cure)
	case !info.IsDir():
		l.problems.Refuse("EXCHANGE_DIR", dir, "is not a folder", cure)
	}
}

// originalFiles are where the original kept its files unless it was told otherwise; settings that come from it name
// them, also where it would have gone on without.
var originalFiles = []string{"/config/urls.txt", "/app/data/urls.txt", "/app/data/funnels.json"}

// file reads what a knob names, else the file of the exchange folder. A file that a knob names must be there, but for
// the original's own.
func (l *loader) file(key, named, name string) (data []byte, where string, found bool) {
	if _, err := l.fs.Stat(named); slices.Contains(originalFiles, named) && errors.Is(err, fs.ErrNotExist) {
		l.problems.Warn(key, named,
			"is not there; the setting is taken as unset, because the original came with this one",
			"remove the setting, or put the file there")
		named = ""
	}
	path := named
	if path == "" {
		if l.plan.spec.ExchangeDir == "" {
			return nil, "", false
		}
		path = filepath.Join(l.plan.spec.ExchangeDir, name)
	}
	data, err := exchange.Read(l.fs, path)
	switch {
	case err == nil:
		return data, path, true
	case errors.Is(err, exchange.ErrTooLarge):
		l.problems.Refuse(path, "", exchange.ErrTooLarge.Error(), "make it smaller")
	case errors.Is(err, exchange.ErrNotRegular):
		l.problems.Refuse(path, "", exchange.ErrNotRegular.Error(), "put a file in its place, or remove it")
	case named == "" && errors.Is(err, fs.ErrNotExist):
	case named == "":
		l.problems.Refuse(path, "", "cannot be read: "+err.Error(), "let this user read it")
	default:
		l.problems.Refuse(key, named, "cannot be read: "+err.Error(),
			"name a file that exists and that this user may read")
	}
	return nil, "", false
}

func (l *loader) pages() {
	data, where, found := l.file("URLS_FILE", l.plan.spec.URLsFile, exchange.URLsFile)
	if !found {
		l.plan.Pages, l.plan.Sources["pages"] = urllist.Default(l.plan.spec.SiteURL), "built in"
		return
	}
	pages, problems := urllist.Parse(where, strings.NewReader(string(data)))
	l.plan.Pages, l.plan.Sources["pages"] = pages, where
	l.problems = append(l.problems, problems...)
}

func (l *loader) funnels() {
	data, where, found := l.file("FUNNEL_CONFIG_PATH", l.plan.spec.FunnelsFile, exchange.FunnelsFile)
	if !found {
		l.plan.Sources["funnels"] = "none"
		return
	}
	funnels, problems := funnel.Decode(where, data)
	l.plan.Funnels, l.plan.Sources["funnels"] = funnels, where
	l.problems = append(l.problems, problems...)
}

func (l *loader) events() {
	data, where, found := l.file("", "", exchange.EventsFile)
	if !found {
		l.plan.Events, l.plan.Sources["events"] = eventset.Default(), "built in"
		return
	}
	events, problems := eventset.Decode(where, data)
	l.plan.Events, l.plan.Sources["events"] = events, where
	l.problems = append(l.problems, problems...)
}

// shop checks the order values against the catalogue, and the funnels' orders with it.
func (l *loader) shop() *shop.Shop {
	k := l.plan.spec
	cfg := shop.Config{
		RevenueMin: cents(k.OrderValueMin), RevenueMax: cents(k.OrderValueMax),
		ItemsMin: k.ItemsMin, ItemsMax: k.ItemsMax, TaxRate: k.TaxRate,
	}
	for _, rate := range k.ShippingRates {
		cfg.Shipping = append(cfg.Shipping, cents(rate))
	}
	store, err := shop.New(cfg)
	if err != nil && !l.hasError("ECOMMERCE_") {
		l.problems.Refuse("ECOMMERCE_ORDER_VALUE_MIN, ECOMMERCE_ORDER_VALUE_MAX", "", err.Error(), "widen the range")
	}
	for i, f := range l.plan.Funnels {
		for j := range f.Steps {
			if s := &f.Steps[j]; j > 0 && urllist.Classify(urllist.Page{URL: s.URL}).Campaign {
				l.problems.Refuse(stepPath(l.plan.Sources["funnels"], i, j)+".url", s.URL,
					"has a campaign parameter, which would split the visit",
					"a campaign can only begin a visit: put it into the first step")
			}
			if s := &f.Steps[j]; s.Type == funnel.Ecommerce && store != nil {
				if err := store.ValidateOverride(visit.Override(s)); err != nil {
					l.problems.Refuse(stepPath(l.plan.Sources["funnels"], i, j), "", err.Error(),
						"change or leave out one of its amounts")
				}
			}
		}
	}
	return store
}

// hasError says that a knob whose name begins so is refused already: what is wrong with it need not be told twice.
func (l *loader) hasError(prefix string) bool {
	return slices.ContainsFunc(l.problems.Errors(), func(p problem.Problem) bool {
		return strings.HasPrefix(p.Where, prefix)
	})
}

func cents(amount float64) shop.Cents { return shop.Cents(math.Round(amount * 100)) }

// targets takes them from MULTI_TARGET_CONFIG or targets.json, else from MATOMO_*.
func (l *loader) targets() {
	k := l.plan.spec
	k.CheckFiles(l.readFile, &l.problems)
	data, where, found := l.file("", "", exchange.TargetsFile)
	if many := k.MultiTarget.Reveal(); many != "" {
		if found {
			l.problems.Refuse("MULTI_TARGET_CONFIG", "", "is set, and "+where+" exists", "keep only one")
			return
		}
		data, where, found = []byte(many), "MULTI_TARGET_CONFIG", true
	}
	if !found {
		l.singleTarget()
		return
	}
	set, problems := target.Decode(where, data)
	for i := range problems { // a value could be a token in a wrong place
		problems[i].Value = ""
	}
	l.problems = append(l.problems, problems...)
	l.plan.Sources["targets"], l.plan.Strategy = where, set.Strategy
	folder := ""
	if k.MultiTarget == "" {
		folder = filepath.Dir(where)
	}
	for i, t := range set.Targets {
		if t.Enabled {
			t.Access = t.RelativeTo(folder)
			t.CheckFiles(l.readFile, func(field, shown, message, cure string) {
				l.problems.Refuse(fmt.Sprintf("%s: targets[%d].%s", where, i, field), shown, message, cure)
			})
			t.Access = t.WithDefaults(k.SharedAccess())
			l.plan.Targets = append(l.plan.Targets, t)
		}
	}
	if n := len(l.plan.Targets); k.Concurrency < n && (k.Set["CONCURRENCY"] || k.SendMode != "bulk") &&
		!l.hasError("CONCURRENCY") {
		l.problems.Refuse("CONCURRENCY", strconv.Itoa(k.Concurrency),
			fmt.Sprintf("is below the number of enabled targets, %d", n), "give each target a request at least")
	}
	for _, key := range []string{
		"MATOMO_URL", "MATOMO_SITE_ID", "MATOMO_TOKEN_AUTH", "MATOMO_API_URL", "MATOMO_HTTP_AUTH", "MATOMO_HEADERS",
		"TLS_CERT_FILE", "TLS_KEY_FILE",
	} {
		if k.Set[key] {
			l.problems.Warn(key, "", "is ignored", "the targets come from "+where)
		}
	}
}

func (l *loader) singleTarget() {
	k := l.plan.spec
	l.plan.Sources["targets"] = "MATOMO_URL"
	if k.MatomoURL == "" {
		if l.hasError("MATOMO_URL") { // and so it is set
			return
		}
		l.problems.Refuse("MATOMO_URL", "", "is not set", "give the address of the tracker, https://host/matomo.php")
		return
	}
	l.plan.Strategy = target.RoundRobin
	l.plan.Targets = []target.Target{k.Target()}
}
