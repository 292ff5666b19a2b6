package doctor

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
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
		const look, right = "look at Administration, Plugins, whether it is active", "superuser access"
		return []Finding{
			untold("queue", right, look, "whether the plugin QueuedTracking holds hits back cannot be read: %v", err),
			untold("spam", right, look, "whether the plugin TrackingSpamPrevention turns hits down cannot be read: %v",
				err),
		}
	}
	queue, spam := good("queue", "no queue holds hits back"), good("spam", "no plug-in turns hits down as spam")
	for _, p := range all {
		on := []string{}
		for _, s := range p.Settings {
			if filled(s.Value) {
				on = append(on, s.Name)
			}
			if p.Name == "QueuedTracking" && s.Name == "queueEnabled" && filled(s.Value) {
				queue = doubtful("queue",
					"wait until the queue is worked off (console queuedtracking:monitor) before you compare, or turn "+
						"it off for the test",
					"QueuedTracking answers hits before they are recorded")
			}
		}
		if p.Name == "TrackingSpamPrevention" && len(on) > 0 {
			spam = doubtful("spam", "turn these off for the test, or let the generator's address and networks pass",
				"TrackingSpamPrevention is active and may turn hits down, by %s", some(on))
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
		"look at Administration, Privacy, Anonymise data, whether old visitor logs are deleted, and after how many days"
	day := x.expect.Past.First.String()
	raw, err := x.visits(ctx, "period", "day", "date", day, "filter_limit", "1")
	if err != nil {
		return []Finding{untold(check, "view access to the site, and the visitor log not turned off", look,
			"raw data of %s cannot be read: %v", day, err)}
	}
	if len(raw) > 0 {
		return []Finding{good(check, "raw data of %s, the first day to be sent, is kept", day)}
	}
	shown, err := x.CountVisits(ctx, x.target, url.Values{"period": {"day"}, "date": {day}})
	if err == nil && shown > 0 {
		return []Finding{doubtful(check,
			"begin the backfill later, or let Matomo keep old visitor logs longer (Administration, Privacy, "+
				"Anonymise data)",
			"reports show %d visits on %s, but their raw data is deleted: what is sent for such days goes the same "+
				"way, and their reports are not rebuilt", shown, day)}
	}
	return []Finding{untold(check, "", look,
		"no method of the API says how long raw data is kept, and the site has no visits on %s", day)}
}

// masking tells from recent visits how much of addresses is kept.
func (x *examination) masking(ctx context.Context) []Finding {
	const check, look = "masking", "look at Administration, Privacy, Anonymise data, or send a probe visit"
	visits, err := x.visits(ctx, "filter_limit", "20")
	if err != nil {
		return []Finding{untold(check, "view access to the site, and the visitor log not turned off", look,
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
		return []Finding{untold(check, "", look, "the site has too few recent visits to tell how addresses are stored")}
	case masked == 0:
		return []Finding{good(check, "addresses are stored whole")}
	}
	return []Finding{good(check,
		"the last %d of 4 bytes of addresses are masked, which changes what is stored and not how visitors are "+
			"told apart", masked)}
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
		return []Finding{good(check, "Matomo places addresses (%s is in %q); hits carry their country all the same",
			someAddress, country)}
	case found:
		return []Finding{good(check,
			"Matomo places addresses (%s is in %q); without a token all visits have the generator's",
			someAddress, country)}
	case x.target.Token != "":
		return []Finding{good(check,
			"Matomo places no addresses, which does not matter: hits carry their country and city")}
	case err != nil:
		return []Finding{untold(check, "view access to some site", "look at Administration, Geolocation",
			"whether Matomo places addresses cannot be read: %v", err)}
	}
	return []Finding{doubtful(check,
		"give a token of a user with write access, or set up a provider at Administration, Geolocation",
		"Matomo places no addresses, and without a token hits carry no country: it is guessed from the language")}
}
