package sink

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The types of referrers, named as in the run summary.
const (
	referrerDirect   = "direct"
	referrerSearch   = "search"
	referrerSocial   = "social"
	referrerWebsite  = "website"
	referrerCampaign = "campaign"
)

// engine is a search engine: its hosts, and the paths of searches with a hidden keyword.
type engine struct {
	hosts *regexp.Regexp
	paths []string // prefixes besides the empty path; "*" is any path
}

// engines is a small part of matomo-org/searchengine-and-social-list, SearchEngines.yml.
var engines = []engine{
	{regexp.MustCompile(`^(www\.)?google\.[a-z.]{2,6}$`), []string{"/search", "/url", "/imgres"}},
	{
		regexp.MustCompile(`^(images\.google\.[a-z.]{2,6}|com\.google\.android\.googlequicksearchbox|` +
			`duckduckgo\.com|r\.search\.yahoo\.com)$`),
		[]string{"*"},
	},
	{regexp.MustCompile(`^((www\.)?bing\.com)$`), []string{"/search", "/cr"}},
	{regexp.MustCompile(`^([a-z]{2}\.)?search\.yahoo\.(com|co\.jp)$`), []string{"/search", "/r/"}},
	{
		regexp.MustCompile(`^(www\.)?(startpage\.com|ecosia\.org|qwant\.com|mojeek\.com|` +
			`swisscows\.com|kagi\.com|presearch\.com|ask\.com|dogpile\.com|metager\.de|coccoc\.com|so\.com|` +
			`sogou\.com|baidu\.com)$`),
		[]string{"/search", "/do/search", "/sp/search"},
	},
	{
		regexp.MustCompile(`^(search\.(brave\.com|naver\.com|daum\.net|seznam\.cz|aol\.com|lilo\.org|goo\.ne\.jp)|` +
			`suche\.(t-online|web)\.de|suche\.gmx\.net|go\.mail\.ru|nova\.rambler\.ru|ricerca\.virgilio\.it)$`),
		[]string{"/search"},
	},
	{regexp.MustCompile(`^(www\.)?(yandex\.(ru|com|com\.tr|kz|by)|ya\.ru)$`), []string{"/search"}},
	{regexp.MustCompile(`^(www\.)?facebook\.com$`), nil}, // only without a path; otherwise a social network
}

// socials match anywhere in the URL, between dots and slashes (plugins/Referrers/Social.php).
var socials = regexp.MustCompile(
	`(^|[./])(facebook\.com|fb\.me|t\.co|twitter\.com|x\.com|linkedin\.com|` +
		`lnkd\.in|instagram\.com|pinterest\.(com|de|fr|co\.uk|es|it)|` +
		`youtube\.com|youtu\.be|tiktok\.com|reddit\.com|github\.com|stackoverflow\.com|news\.ycombinator\.com|` +
		`mastodon\.social|bsky\.app|threads\.(net|com)|web\.telegram\.org|telegram\.org|weibo\.com|t\.cn|vk\.com|` +
		`vkontakte\.ru|xing\.com|discord\.com|snapchat\.com|tumblr\.com|vimeo\.com|soundcloud\.com|sourceforge\.net|ok\.ru|` +
		`odnoklassniki\.ru|bilibili\.com|flickr\.com|dribbble\.com|viadeo\.com|workplace\.com)([./]|$)`)

// referrerOf returns the type of a hit's referrer, checked in Matomo's order, and the name of a campaign in lower case.
func (t *Tracker) referrerOf(p map[string]string) (source, campaign string) {
	page, err := url.Parse(p["url"])
	if err != nil {
		page = &url.URL{}
	}
	query, fragment := page.Query(), url.Values{}
	if page.Fragment != "" {
		fragment, _ = url.ParseQuery(page.Fragment) // invalid parts are ignored
	}
	for _, name := range t.campaigns {
		for _, value := range []string{query.Get(name), fragment.Get(name), p[name]} {
			if value != "" {
				return referrerCampaign, strings.ToLower(value)
			}
		}
	}
	from, err := url.Parse(p["urlref"])
	if err != nil || from.Host == "" || query.Get("ignore_referrer") == "1" || query.Get("ignore_referer") == "1" ||
		strings.EqualFold(from.Hostname(), page.Hostname()) || t.hides(from.Hostname()) {
		return referrerDirect, ""
	}
	switch {
	case isSearch(from):
		return referrerSearch, ""
	case socials.MatchString(strings.ToLower(p["urlref"])):
		return referrerSocial, ""
	default:
		return referrerWebsite, ""
	}
}

func (t *Tracker) hides(host string) bool {
	return slices.ContainsFunc(t.excludedReferrers, func(one string) bool {
		return strings.EqualFold(host, one) || strings.EqualFold(host, hostOf(one))
	})
}

func isSearch(from *url.URL) bool {
	host := strings.ToLower(from.Hostname())
	for _, e := range engines {
		if !e.hosts.MatchString(host) {
			continue
		}
		if from.Path == "" || from.Path == "/" {
			return true
		}
		return slices.ContainsFunc(e.paths, func(p string) bool { return p == "*" || strings.HasPrefix(from.Path, p) })
	}
	return false
}

// languageCountries are the countries that languages imply (core/Common.php).
var languageCountries = map[string]string{
	"sv": "se", "fr": "fr", "ja": "jp", "de": "de", "es": "es", "it": "it", "nl": "nl", "pl": "pl", "pt": "pt",
	"ru": "ru", "da": "dk", "fi": "fi", "nb": "no", "cs": "cz", "hu": "hu", "tr": "tr", "ko": "kr", "el": "gr",
	"ro": "ro", "uk": "ua",
}

// countryOf returns the country without a geolocation database: the parameter, or else a guess by language
// (plugins/UserCountry/LocationProvider/DefaultProvider.php).
func countryOf(h *hit) string {
	if c := h.params["country"]; c != "" {
		return c[:min(len(c), 3)]
	}
	tags := strings.Split(h.lang, ",")
	for _, tag := range tags {
		tag, _, _ = strings.Cut(tag, ";")
		parts := strings.Split(strings.TrimSpace(tag), "-")
		if region := parts[len(parts)-1]; len(parts) > 1 && countryPattern.MatchString(strings.ToLower(region)) {
			return strings.ToLower(region)
		}
	}
	first, _, _ := strings.Cut(tags[0], ";")
	if c, ok := languageCountries[strings.TrimSpace(first)]; ok {
		return c
	}
	return "xx"
}
