package doctor

import (
	"bytes"
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/matomo"
)

// delaysAndSpam checks for plug-ins that delay or reject hits; only a superuser may read their settings.
func (x *examination) delaysAndSpam(ctx context.Context) []Finding {
	type plugin struct {
		Name     string `json:"pluginName"`
		Settings []struct {
			Name  string `json:"name"`
			Value any    `json:"value"`
		} `json:"settings"`
	}
	all, err := list[plugin](ctx, x, "CorePluginsAdmin.getSystemSettings", nil)
	if err != nil {
		const look, right = "check in Administration → Plugins whether it is active", "superuser access"
		return slices.Concat(
			skipped("queue", right, look, "cannot read whether the plugin QueuedTracking delays hits: %v", err),
			skipped("spam", right, look, "cannot read whether the plugin TrackingSpamPrevention rejects hits: %v", err))
	}
	queue, spam := passed("queue", "no queue delays hits"), passed("spam", "no plugin rejects hits as spam")
	for _, p := range all {
		var on []string
		for _, s := range p.Settings {
			if isOn(s.Value) {
				on = append(on, s.Name)
			}
		}
		switch {
		case p.Name == "QueuedTracking" && slices.Contains(on, "queueEnabled"):
			queue = warning("queue",
				"let the queue empty (console queuedtracking:monitor) before comparing, or turn it off for the test",
				"QueuedTracking answers hits before they are recorded")
		case p.Name == "TrackingSpamPrevention" && len(on) > 0:
			spam = warning("spam", "turn these off for the test, or allow the generator's IP address",
				"TrackingSpamPrevention is active and may reject hits by %s", some(on))
		}
	}
	return append(queue, spam...)
}

// Visit is part of a visit of the visitor log (Live.getLastVisitsDetails).
type Visit struct {
	Visitor string `json:"visitorId"`
	IP      string `json:"visitIp"`     // as stored, perhaps masked
	Country string `json:"countryCode"` // ISO code
}

func (x *examination) visits(ctx context.Context, limit int, day *calendar.Date) ([]Visit, error) {
	form := x.forSite("doNotFetchActions", "1", "filter_limit", strconv.Itoa(limit))
	if day != nil {
		form["period"], form["date"] = []string{"day"}, []string{day.String()}
	}
	return list[Visit](ctx, x, "Live.getLastVisitsDetails", form)
}

const visitorLogRight = "view access to the site, and the visitor log enabled"

// retention checks whether Matomo still has raw data of the first day; no API method reports the limit.
func (x *examination) retention(ctx context.Context) []Finding {
	if x.expect.Past == nil {
		return nil
	}
	const check, look = "retention",
		"check in Administration → Privacy → Anonymise data whether and when old visitor logs are deleted"
	day := x.expect.Past.First
	switch raw, err := x.visits(ctx, 1, &day); {
	case err != nil:
		return skipped(check, visitorLogRight, look, "raw data of %s cannot be read: %v", day, err)
	case len(raw) > 0:
		return passed(check, "raw data of %s, the first day to send, is kept", day)
	}
	shown, err := x.CountVisits(ctx, x.target, url.Values{"period": {"day"}, "date": {day.String()}})
	if err == nil && shown > 0 {
		return warning(check,
			"start the backfill later, or keep visitor logs longer (Administration → Privacy → Anonymise data)",
			"reports show %d visits on %s, but their raw data is deleted: so will be what is sent for such days, and "+
				"their reports are not rebuilt", shown, day)
	}
	return skipped(check, "", look,
		"the API does not report how long raw data is kept, and the site has no visits on %s", day)
}

func (x *examination) masking(ctx context.Context) []Finding {
	const check, look = "masking", "see Administration → Privacy → Anonymise data, or send a probe visit"
	visits, err := x.visits(ctx, 20, nil)
	if err != nil {
		return skipped(check, visitorLogRight, look, "recent visits cannot be read: %v", err)
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
		return skipped(check, "", look, "too few recent visits to see how IP addresses are stored")
	case masked == 0:
		return passed(check, "IP addresses are stored unmasked")
	}
	return passed(check,
		"the last %d of 4 bytes of IP addresses are masked in storage; visitors are still distinguished", masked)
}

func zeroBytes(ip netip.Addr) int {
	b := ip.As4()
	return len(b) - len(bytes.TrimRight(b[:], "\x00"))
}

// location reports whether Matomo geolocates IP addresses, which it must if hits do not set a country.
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
		return passed(check, "Matomo geolocates IP addresses (%s is in %q); hits set their country anyway", someAddress,
			country)
	case found:
		return passed(check, "Matomo geolocates IP addresses (%s is in %q); without a token, all visits have the "+
			"generator's", someAddress, country)
	case x.target.Token != "":
		return passed(check, "Matomo does not geolocate IP addresses; not needed, hits set their country and city")
	case err != nil:
		return skipped(check, "view access to some site", "see Administration → Geolocation",
			"cannot read whether Matomo geolocates IP addresses: %v", err)
	}
	return warning(check, "use a token with write access, or set up a provider in Administration → Geolocation",
		"Matomo does not geolocate IP addresses, and hits without a token set no country: it is guessed from the "+
			"language")
}

func (x *examination) created(ctx context.Context, site *matomo.Site) []Finding {
	const check = "created"
	if x.expect.Past == nil {
		return nil
	}
	first := x.expect.Past.First
	date := site.Created.Format(time.DateOnly)
	switch {
	case site.Created.IsZero():
		return skipped(check, "", "check the site's creation date",
			"Matomo does not report the creation date; it builds no reports for earlier days")
	case !site.HidesDay(first):
		return passed(check, "the site was created on %s, before the first day to send", date)
	}
	if raw, err := x.visits(ctx, 1, &first); err == nil && len(raw) > 0 {
		return warning(check, site.HiddenDaysCure(first),
			"there are visits on %s, but the site was created on %s, and Matomo builds no reports for earlier days",
			first, date)
	}
	return passed(check,
		"the site was created on %s, after the first day to send; Matomo moves the date back with its first hit", date)
}
