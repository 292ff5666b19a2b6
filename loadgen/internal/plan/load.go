package plan

import (
	"bytes"
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

// IdentityFunc returns the seed and the run id for a plan whose settings have none. It may read the plan's kind, files
// and run id.
type IdentityFunc func(p *Plan) (seed uint64, runID string)

type loader struct {
	fs       afero.Fs
	plan     *Plan
	problems problem.List
}

// MergeEnv merges the process environment with the file named by LOADGEN_ENV_FILE, which wins, and returns the sorted
// keys from the file. The file may be missing while AUTO_START is off.
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
			"set it to an existing file that this user can read")
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

// Overlay returns base overridden by above. A secret in above also replaces the other form of the same secret in base,
// such as MATOMO_TOKEN_AUTH_FILE.
func Overlay(base, above map[string]string) map[string]string {
	merged := maps.Clone(base)
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

// pathKeys returns the settings that are paths. In an env file they are relative to the folder of that file.
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

// warnUnusedFile warns of an unused env file in the exchange folder, such as that of a controller.
func warnUnusedFile(fsys afero.Fs, environ map[string]string, problems *problem.List) {
	dir := envspec.Unquoted(environ, "EXCHANGE_DIR")
	path := filepath.Join(dir, exchange.EnvFile)
	if _, err := fsys.Stat(path); dir != "" && err == nil {
		problems.Warn(path, "", "is ignored because LOADGEN_ENV_FILE is not set",
			"remove it, or set LOADGEN_ENV_FILE to use its settings")
	}
}

func autoStarts(fsys afero.Fs, environ map[string]string) bool {
	s, _ := spec.Parse(environ, func(path string) ([]byte, error) { return exchange.Read(fsys, path) })
	return s.AutoStart
}

// Load returns the plan of the settings and the files they name, or nil if there are errors among the problems.
func Load(fsys afero.Fs, environ map[string]string, identity IdentityFunc) (*Plan, problem.List) {
	l := &loader{fs: fsys}
	s, problems := spec.Parse(environ, l.readFile)
	l.problems, l.plan = problems, &Plan{
		spec: s, RunID: s.RunID, Zone: s.Timezone.Location(), Env: environ, Sources: map[string]string{},
		Files: Files{Exchange: s.ExchangeDir, State: s.StateDir, Summary: s.SummaryFile},
	}
	seed, runID := identity(l.plan)
	l.plan.Seed, l.plan.RunID = seed, cmp.Or(s.RunID, runID)
	if s.RunSeed != nil {
		l.plan.Seed = *s.RunSeed
	}
	if k := &l.plan.spec; k.BackfillEnabled { // bulk requests of dated hits
		k.SendMode, k.Timeline = "bulk", "compressed"
		if k.BackfillSeed != nil {
			l.plan.Seed = *k.BackfillSeed
		}
	}
	l.checkExchangeDir()
	p := l.plan
	p.Pages = loadFile(l, "pages", "URLS_FILE", s.URLsFile, exchange.URLsFile, parsePages,
		urllist.Default(s.SiteURL), "built in")
	p.Funnels = loadFile(l, "funnels", "FUNNEL_CONFIG_PATH", s.FunnelsFile, exchange.FunnelsFile, funnel.Decode, nil,
		"none")
	p.Events = loadFile(l, "events", "", "", exchange.EventsFile, eventset.Decode, eventset.Default(), "built in")
	if s.AutoStart {
		l.targets()
	}
	if k := &p.spec; k.SendMode == "bulk" && !k.Set["CONCURRENCY"] {
		k.Concurrency = max(spec.BulkConcurrency, len(p.Targets))
	}
	store := l.shop()
	if l.problems.Err() != nil {
		return nil, l.problems
	}
	p.Load, _ = s.Profile() // Parse reported its problems
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

func (l *loader) readFile(path string) ([]byte, error) { return exchange.Read(l.fs, path) }

// Backfill returns the days of a backfill that starts at now. Without a token Matomo rejects hits older than a day
// (tracking_requests_require_authentication_when_custom_timestamp_newer_than in config/global.ini.php).
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
						"; without it Matomo rejects hits older than 24 hours, such as those of "+d.Date.String(),
					"set a token with write access to the site")
			}
		}
		break // the oldest
	}
	return days, problems
}

// checkExchangeDir rejects a missing folder: otherwise built-in data would be sent to the target in the environment.
func (l *loader) checkExchangeDir() {
	dir := l.plan.spec.ExchangeDir
	if dir == "" {
		return
	}
	const cure = "set it to an existing folder that this user can read, or unset it"
	switch info, err := l.fs.Stat(dir); {
	case err != nil:
		l.problems.Refuse("EXCHANGE_DIR", dir, "cannot be read: "+err.Error(), cure)
	case !info.IsDir():
		l.problems.Refuse("EXCHANGE_DIR", dir, "is not a folder", cure)
	}
}

// originalFiles are the default paths of the original tool, which ignored missing files. Its users' settings contain
// them.
var originalFiles = []string{"/config/urls.txt", "/app/data/urls.txt", "/app/data/funnels.json"}

// file reads the file named by a setting, or else that of the exchange folder. The former must exist, except for
// originalFiles.
func (l *loader) file(key, named, name string) (data []byte, where string, found bool) {
	if _, err := l.fs.Stat(named); slices.Contains(originalFiles, named) && errors.Is(err, fs.ErrNotExist) {
		l.problems.Warn(key, named,
			"does not exist and is ignored, because it is a default of the original tool",
			"remove the setting, or create the file")
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
		l.problems.Refuse(path, "", exchange.ErrNotRegular.Error(), "replace it with a regular file, or remove it")
	case named == "" && errors.Is(err, fs.ErrNotExist):
	case named == "":
		l.problems.Refuse(path, "", "cannot be read: "+err.Error(), "make it readable for this user")
	default:
		l.problems.Refuse(key, named, "cannot be read: "+err.Error(),
			"set it to an existing file that this user can read")
	}
	return nil, "", false
}

// loadFile returns what parse makes of a file, see file, or else fallback. It records the source.
func loadFile[T any](l *loader, source, key, named, name string,
	parse func(where string, data []byte) (T, problem.List), fallback T, fallbackSource string) T {
	data, where, found := l.file(key, named, name)
	if !found {
		l.plan.Sources[source] = fallbackSource
		return fallback
	}
	value, problems := parse(where, data)
	l.plan.Sources[source] = where
	l.problems = append(l.problems, problems...)
	return value
}

func parsePages(where string, data []byte) ([]urllist.Page, problem.List) {
	return urllist.Parse(where, bytes.NewReader(data))
}

// shop returns the shop. It checks the order settings, and the orders of funnels, against the catalogue.
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
			s, where := &f.Steps[j], fmt.Sprintf("%s: [%d].steps[%d]", l.plan.Sources["funnels"], i, j)
			if j > 0 && urllist.Classify(urllist.Page{URL: s.URL}).Campaign {
				l.problems.Refuse(where+".url", s.URL, "has a campaign parameter, which would split the visit",
					"move the campaign to the first step")
			}
			if s.Type != funnel.Ecommerce || store == nil {
				continue
			}
			if err := store.ValidateOverride(visit.Override(s)); err != nil {
				l.problems.Refuse(where, "", err.Error(), "change or remove one of its amounts")
			}
		}
	}
	return store
}

// hasError reports whether there is already an error for a setting with this prefix.
func (l *loader) hasError(prefix string) bool {
	return slices.ContainsFunc(l.problems.Errors(), func(p problem.Problem) bool {
		return strings.HasPrefix(p.Where, prefix)
	})
}

func cents(amount float64) shop.Cents { return shop.Cents(math.Round(amount * 100)) }

// targets loads the targets from MULTI_TARGET_CONFIG or targets.json, or else from MATOMO_*.
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
	for i := range problems { // a misplaced token must not be shown
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
			fmt.Sprintf("is below the number of enabled targets, %d", n), "set it to at least one per target")
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
		if l.hasError("MATOMO_URL") { // set, but invalid
			return
		}
		l.problems.Refuse("MATOMO_URL", "", "is not set", "set it to the tracker URL, such as https://host/matomo.php")
		return
	}
	l.plan.Strategy = target.RoundRobin
	l.plan.Targets = []target.Target{k.Target()}
}
