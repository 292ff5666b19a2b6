package doctor

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
)

// keptBack tells of plug-ins that keep hits back or turn them down; their settings are a superuser's to read.
func (x *examination) keptBack(ctx context.Context) []Finding {
	type plugin struct {
		Name     string `json:"pluginName"`
		Settings []struct {
			Name  string `json:"name"`
			Value any    `json:"value"`
		} `json:"settings"`
	}
	all, err := values[plugin](ctx, x, "CorePluginsAdmin.getSystemSettings", nil)
	if err != nil {
		const look, right = "check in Administration → Plugins whether it is active", "superuser access"
		return []Finding{
			skipped("queue", right, look, "cannot read whether the plugin QueuedTracking delays hits: %v", err),
			skipped("spam", right, look, "cannot read whether the plugin TrackingSpamPrevention rejects hits: %v", err),
		}
	}
	queue, spam := passed("queue", "no queue delays hits"), passed("spam", "no plugin rejects hits as spam")
	for _, p := range all {
		on := []string{}
		for _, s := range p.Settings {
			if filled(s.Value) {
				on = append(on, s.Name)
			}
			if p.Name == "QueuedTracking" && s.Name == "queueEnabled" && filled(s.Value) {
				queue = warning(
					"queue",
					"let the queue empty (console queuedtracking:monitor) before comparing, or turn it off for the test",
					"QueuedTracking answers hits before they are recorded",
				)
			}
		}
		if p.Name == "TrackingSpamPrevention" && len(on) > 0 {
			spam = warning("spam", "turn these off for the test, or allow the generator's IP address",
				"TrackingSpamPrevention is active and may reject hits by %s", some(on))
		}
	}
	return []Finding{queue, spam}
}

// Visit is one of the visitor log (Live.getLastVisitsDetails), as far as it is read here.
type Visit struct {
	Visitor string `json:"visitorId"`
	// IP is as stored, masked where Matomo masks it; Country an ISO code.
	IP      string `json:"visitIp"`
	Country string `json:"countryCode"`
}

// visits asks for single visits, the latest first; more are pairs of name and value.
func (x *examination) visits(ctx context.Context, more ...string) ([]Visit, error) {
	form := url.Values{"idSite": {strconv.Itoa(x.target.SiteID)}, "doNotFetchActions": {"1"}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return values[Visit](ctx, x, "Live.getLastVisitsDetails", form)
}

// retention tells from the first of the past days whether Matomo keeps raw data so long: no method tells of the limit.
func (x *examination) retention(ctx context.Context) []Finding {
	if x.expect.Past == nil {
		return nil
	}
	const check, look = "retention",
		"check in Administration → Privacy → Anonymise data whether and when old visitor logs are deleted"
	day := x.expect.Past.First.String()
	raw, err := x.visits(ctx, "period", "day", "date", day, "filter_limit", "1")
	if err != nil {
		return []Finding{skipped(check, "view access to the site, and the visitor log enabled", look,
			"raw data of %s cannot be read: %v", day, err)}
	}
	if len(raw) > 0 {
		return []Finding{passed(check, "raw data of %s, the first day to send, is kept", day)}
	}
	shown, err := x.CountVisits(ctx, x.target, url.Values{"period": {"day"}, "date": {day}})
	if err == nil && shown > 0 {
		return []Finding{warning(check,
			"start the backfill later, or keep visitor logs longer (Administration → Privacy → Anonymise data)",
			"reports show %d visits on %s, but their raw data is deleted: so will be what is sent for such days, and "+
				"their reports are not rebuilt", shown, day)}
	}
	return []Finding{skipped(check, "", look,
		"the API does not report how long raw data is kept, and the site has no visits on %s", day)}
}

// masking tells from recent visits how much of addresses is kept.
func (x *examination) masking(ctx context.Context) []Finding {
	const check, look = "masking", "see Administration → Privacy → Anonymise data, or send a probe visit"
	visits, err := x.visits(ctx, "filter_limit", "20")
	if err != nil {
		return []Finding{skipped(check, "view access to the site, and the visitor log enabled", look,
			"recent visits cannot be read: %v", err)}
	}
	masked, seen := 4, 0
	for _, v := range visits {
		if ip, err := netip.ParseAddr(v.IP); err == nil && ip.Is4() {
			masked = min(masked, zeroBytes(ip))
			seen++
		}
	}
	const few = 3 // the last byte of a single address may well be zero
	switch {
	case seen < few:
		return []Finding{skipped(check, "", look, "too few recent visits to see how IP addresses are stored")}
	case masked == 0:
		return []Finding{passed(check, "IP addresses are stored unmasked")}
	}
	return []Finding{passed(check,
		"the last %d of 4 bytes of IP addresses are masked in storage; visitors are still distinguished", masked)}
}

// zeroBytes counts those at the end of an IPv4 address.
func zeroBytes(ip netip.Addr) int {
	n := 0
	for b := ip.As4(); n < len(b) && b[len(b)-1-n] == 0; n++ {
		continue
	}
	return n
}

// location reports whether Matomo finds countries by address, which it must where hits do not carry theirs.
func (x *examination) location(ctx context.Context) []Finding {
	const check = "location"
	var place struct {
		Country string `json:"country_code"`
	}
	err := x.Call(ctx, x.target, "UserCountry.getLocationFromIP", url.Values{"ip": {someAddress}}, &place)
	country := strings.ToLower(place.Country)
	found := err == nil && country != "" && country != "xx"
	switch {
	case found && x.target.Token != "":
		return []Finding{
			passed(check, "Matomo geolocates IP addresses (%s is in %q); hits set their country anyway", someAddress,
				country),
		}
	case found:
		return []Finding{passed(check,
			"Matomo geolocates IP addresses (%s is in %q); without a token, all visits have the generator's",
			someAddress, country)}
	case x.target.Token != "":
		return []Finding{passed(check,
			"Matomo does not geolocate IP addresses; not needed, hits set their country and city")}
	case err != nil:
		return []Finding{skipped(check, "view access to some site", "see Administration → Geolocation",
			"cannot read whether Matomo geolocates IP addresses: %v", err)}
	}
	return []Finding{
		warning(
			check,
			"use a token with write access, or set up a provider in Administration → Geolocation",
			"Matomo does not geolocate IP addresses, and hits without a token set no country: it is guessed from the language",
		),
	}
}

// created reports whether Matomo will show the past days that are sent.
func (x *examination) created(ctx context.Context, site *matomo.Site) []Finding {
	const check = "created"
	if x.expect.Past == nil {
		return nil
	}
	first := x.expect.Past.First
	date := site.Created.Format(time.DateOnly)
	switch {
	case site.Created.IsZero():
		return []Finding{skipped(check, "", "check the site's creation date",
			"Matomo does not report the creation date; it builds no reports for earlier days")}
	case !site.HidesDay(first):
		return []Finding{passed(check, "the site was created on %s, before the first day to send", date)}
	}
	raw, err := x.visits(ctx, "period", "day", "date", first.String(), "filter_limit", "1")
	if err == nil && len(raw) > 0 {
		return []Finding{warning(check, site.HiddenDaysCure(first),
			"there are visits on %s, but the site was created on %s, and Matomo builds no reports for earlier days",
			first, date)}
	}
	return []Finding{passed(check,
		"the site was created on %s, after the first day to send; Matomo moves the date back with its first hit", date)}
}
