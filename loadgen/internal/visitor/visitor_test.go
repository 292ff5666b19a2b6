package visitor_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
)

// draws is enough to see a fifth of a share of 2 % in 4 standard errors.
const draws = 200_000

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 5)) }

// share fails unless count of n is within 4 standard errors of p, which must be narrower than a fifth of p.
func share(t *testing.T, what string, count, n int, p float64) {
	t.Helper()
	se := math.Sqrt(p * (1 - p) / float64(n))
	if 4*se > .1*p {
		t.Fatalf("%s: %d draws do not show a fifth of %v", what, n, p)
	}
	if got := float64(count) / float64(n); math.Abs(got-p) > 4*se {
		t.Errorf("%s: share %.4f, want %.4f ± %.4f", what, got, p, 4*se)
	}
}

func TestSourcesKeepTheirSharesAtAnyDirectShare(t *testing.T) {
	for _, direct := range []float64{0, .3, .8, 1} {
		t.Run(fmt.Sprintf("direct %v", direct), func(t *testing.T) {
			got, rng := map[visitor.SourceType]int{}, seeded(1)
			for range draws {
				s := visitor.Draw(rng, direct).Source
				got[s.Type]++
				if (s.Type == visitor.Direct) != (s.Referrer == visitor.Text{}) {
					t.Fatalf("source %+v", s)
				}
			}
			share(t, "direct", got[visitor.Direct], draws, direct)
			for kind, p := range map[visitor.SourceType]float64{visitor.Search: .50, visitor.Social: .21,
				visitor.Website: .29} {
				share(t, string(kind), got[kind], draws, (1-direct)*p)
			}
		})
	}
}

func TestDevicesAreDrawnByTheirShares(t *testing.T) {
	got, rng := map[string]int{}, seeded(2)
	for range draws {
		got[visitor.Draw(rng, .3).Device.Type]++
	}
	for kind, p := range map[string]float64{"smartphone": .64, "desktop": .33, "tablet": .03} {
		share(t, kind, got[kind], draws, p)
	}
}

func TestCountriesAreDrawnByTheirShares(t *testing.T) {
	got, rng := map[string]int{}, seeded(9)
	for range draws {
		got[visitor.Draw(rng, .3).Place.Country]++
	}
	share(t, "us", got["us"], draws, .30)
	for _, p := range visitor.Places() {
		if got[p.Country] == 0 {
			t.Errorf("no visitors from %s", p.Country)
		}
	}
}

// bots are the ranges that Matomo drops without a word (core/Tracker/VisitExcluded.php).
var bots = strings.Fields(`64.4.0.0/18 65.52.0.0/14 157.54.0.0/15 157.56.0.0/14 157.60.0.0/16 207.46.0.0/16
	207.68.128.0/18 207.68.192.0/20 131.253.16.0/20 72.30.192.0/20 98.137.192.0/20 1.202.218.8/32 216.239.32.0/19
	64.233.160.0/19 66.249.80.0/20 72.14.192.0/18 209.85.128.0/17 66.102.0.0/20 74.125.0.0/16 64.18.0.0/20
	207.126.144.0/20 173.194.0.0/16`)

// reserved are the ranges of RFC 6890 and of multicast, where no visitor can be.
var reserved = strings.Fields(`0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
	192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3`)

func TestNetworksAreNeitherListedAsBotsNorReservedNorInTwoCountries(t *testing.T) {
	of := map[netip.Prefix]string{}
	for _, p := range visitor.Places() {
		if len(p.Networks()) == 0 {
			t.Errorf("%s has no network", p.City)
		}
		for _, n := range p.Networks() {
			of[n] = p.Country
			for _, out := range slices.Concat(bots, reserved) {
				if n.Overlaps(netip.MustParsePrefix(out)) {
					t.Errorf("%v of %s overlaps %s", n, p.Country, out)
				}
			}
		}
	}
	for a, country := range of {
		for b := range of {
			if a != b && a.Overlaps(b) {
				t.Errorf("%v of %s overlaps %v of %s", a, country, b, of[b])
			}
		}
	}
}

func TestAddressesAreHostsInThePlacesNetworks(t *testing.T) {
	rng := seeded(3)
	for range draws {
		v := visitor.Draw(rng, .3)
		if !slices.ContainsFunc(v.Place.Networks(), func(n netip.Prefix) bool { return n.Contains(v.IP) }) {
			t.Fatalf("%v is in no network of %s", v.IP, v.Place.Country)
		}
		if last := v.IP.As4()[3]; last == 0 || last == 255 {
			t.Fatalf("%v is no host's", v.IP)
		}
		if !slices.Contains(v.Device.Resolutions, v.Resolution) {
			t.Fatalf("%s is no resolution of %s", v.Resolution, v.Device.Name)
		}
	}
}

func TestLargerNetworksAreDrawnMoreOften(t *testing.T) {
	size := map[netip.Prefix]float64{}
	all := 0.0
	for _, p := range visitor.Places() {
		if p.Country != "us" || len(size) > 0 {
			continue
		}
		for _, n := range p.Networks() {
			size[n] = math.Exp2(float64(32 - n.Bits()))
			all += size[n]
		}
	}
	got, n, rng := map[netip.Prefix]int{}, 0, seeded(4)
	for n < draws {
		v := visitor.Draw(rng, .3)
		if v.Place.Country != "us" {
			continue
		}
		n++
		for p := range size {
			if p.Contains(v.IP) {
				got[p]++
			}
		}
	}
	for p, s := range size {
		if s/all > .02 {
			share(t, p.String(), got[p], n, s/all)
		}
	}
}

func TestPlacesAreComplete(t *testing.T) {
	countries, seen := map[string]bool{}, map[string]bool{}
	coordinate := regexp.MustCompile(`^-?\d{1,3}\.\d{4}$`)
	for _, p := range visitor.Places() {
		countries[p.Country] = true
		if seen[p.Country+p.City] {
			t.Errorf("%s occurs twice", p.City)
		}
		seen[p.Country+p.City] = true
		if !regexp.MustCompile(`^[a-z]{2}$`).MatchString(p.Country) ||
			!regexp.MustCompile(`^[A-Z0-9]{1,3}$`).MatchString(p.Region) {
			t.Errorf("%s: country %q, region %q", p.City, p.Country, p.Region)
		}
		if !coordinate.MatchString(p.Lat) || !coordinate.MatchString(p.Long) {
			t.Errorf("%s is at %q, %q", p.City, p.Lat, p.Long)
		}
		if p.Zone == nil || p.Zone.String() == "UTC" {
			t.Errorf("%s has the zone %v", p.City, p.Zone)
		}
		// Without a token Matomo takes the country from the language.
		if first, _, _ := strings.Cut(p.Lang.Plain, ","); !strings.HasSuffix(first, "-"+strings.ToUpper(p.Country)) {
			t.Errorf("%s: the first language of %q is not of %s", p.City, p.Lang.Plain, p.Country)
		}
	}
	if len(countries) < 30 {
		t.Errorf("only %d countries", len(countries))
	}
}

func TestDevicesAreConsistent(t *testing.T) {
	devices, seen := visitor.Devices(), map[string]bool{}
	if len(devices) < 40 {
		t.Errorf("only %d devices", len(devices))
	}
	for _, d := range devices {
		t.Run(d.Name, func(t *testing.T) {
			if seen[d.UserAgent+d.Hints] {
				t.Error("occurs twice")
			}
			seen[d.UserAgent+d.Hints] = true
			if d.Weight <= 0 || len(d.Resolutions) == 0 {
				t.Errorf("weight %v, resolutions %v", d.Weight, d.Resolutions)
			}
			for _, r := range d.Resolutions {
				if !regexp.MustCompile(`^\d{3,4}x\d{3,4}$`).MatchString(r) {
					t.Errorf("resolution %q", r)
				}
			}
			chromium := regexp.MustCompile(` Chrome/(\d+)\.0\.0\.0 `).FindStringSubmatch(d.UserAgent)
			if (chromium != nil) != (d.Hints != "") {
				t.Fatalf("hints %q with %q: only Chromium sends them", d.Hints, d.UserAgent)
			}
			if chromium != nil {
				agree(t, d, chromium[1])
			}
		})
	}
}

// brands are the names in the hints of the browsers that have their own token in the user agent.
var brands = map[string]string{
	"Edg/": "Microsoft Edge", "EdgA/": "Microsoft Edge", "OPR/": "Opera", "SamsungBrowser/": "Samsung Internet",
}

// agree fails unless the hints name the platform, the browser and the versions of the user agent, in its frozen form.
func agree(t *testing.T, d visitor.Device, version string) {
	t.Helper()
	var h struct {
		FullVersionList           []struct{ Brand, Version string }
		Mobile                    *bool
		Model                     string
		Platform, PlatformVersion string
	}
	if err := json.Unmarshal([]byte(d.Hints), &h); err != nil {
		t.Fatal(err)
	}
	platform := map[string]string{"Windows NT 10.0; Win64; x64": "Windows",
		"Macintosh; Intel Mac OS X 10_15_7": "macOS",
		"X11; Linux x86_64":                 "Linux", "Linux; Android 10; K": "Android"}
	system := regexp.MustCompile(`^Mozilla/5\.0 \(([^)]*)\)`).FindStringSubmatch(d.UserAgent)
	if system == nil || platform[system[1]] == "" || platform[system[1]] != h.Platform {
		t.Errorf("platform %q with %q", h.Platform, d.UserAgent)
	}
	phone := d.Type == "smartphone"
	if h.Mobile == nil || *h.Mobile != phone || strings.Contains(d.UserAgent, " Mobile ") != phone ||
		(h.Model != "") != (h.Platform == "Android") {
		t.Errorf("mobile or model of %s is not that of a %s", d.Hints, d.Type)
	}
	has := func(name, version string) bool {
		return slices.ContainsFunc(h.FullVersionList, func(b struct{ Brand, Version string }) bool {
			return strings.HasPrefix(b.Brand, name) && strings.HasPrefix(b.Version, version+".")
		})
	}
	if !has("Chromium", version) {
		t.Errorf("Chromium is not %s in %s", version, d.Hints)
	}
	for token, brand := range brands {
		if _, rest, found := strings.Cut(d.UserAgent, " "+token); found {
			major, _, _ := strings.Cut(rest, ".")
			if !has(brand, major) {
				t.Errorf("%s is not %s in %s", brand, major, d.Hints)
			}
			return
		}
	}
	if !has("Google Chrome", version) && !has("Brave", version) {
		t.Errorf("browser of %q is not named in %s", d.UserAgent, d.Hints)
	}
}

func TestMatomoClassifiesReferrersAsIntended(t *testing.T) {
	rng, seen := seeded(5), map[visitor.Source]bool{}
	for range draws {
		seen[visitor.Draw(rng, 0).Source] = true
	}
	reservedName := regexp.MustCompile(`(^|\.)example(\.(com|net|org))?$`)
	for s := range seen {
		u, err := url.Parse(s.Referrer.Plain)
		if err != nil || u.Scheme != "https" || u.Path == "" {
			t.Errorf("referrer %q", s.Referrer.Plain)
			continue
		}
		// Matomo's list has www.facebook.com as a search engine.
		if u.Host == "www.facebook.com" {
			t.Errorf("%s is not filed as a social network", s.Referrer.Plain)
		}
		if (s.Type == visitor.Website) != reservedName.MatchString(u.Host) {
			t.Errorf("%s as %s: only websites have reserved names", s.Referrer.Plain, s.Type)
		}
	}
	if len(seen) < 30 {
		t.Errorf("only %d referrers", len(seen))
	}
}

func TestTheSameSeedDrawsTheSameVisitors(t *testing.T) {
	a, b, other := seeded(6), seeded(6), seeded(7)
	same := 0
	for range 1000 {
		x, y, z := visitor.Draw(a, .3), visitor.Draw(b, .3), visitor.Draw(other, .3)
		if x != y {
			t.Fatalf("%+v and %+v", x, y)
		}
		if x == z {
			same++
		}
	}
	if same > 0 {
		t.Errorf("another seed draws %d of the same visitors", same)
	}
}

func TestTheDirectShareOnlyChangesTheSource(t *testing.T) {
	a, b := seeded(8), seeded(8)
	for range 1000 {
		x, y := visitor.Draw(a, 0), visitor.Draw(b, 1)
		x.Source, y.Source = visitor.Source{}, visitor.Source{}
		if x != y {
			t.Fatalf("%+v and %+v", x, y)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	rng := seeded(1)
	b.ReportAllocs()
	for b.Loop() {
		visitor.Draw(rng, .3)
	}
}
