package sink

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	idLength   = 16   // hex characters of a visitor id (core/Tracker.php, LENGTH_HEX_ID_STRING)
	maxURL     = 1024 // bytes of a page URL (config/global.ini.php, page_maximum_length)
	maxAction  = 4096 // characters of an action's name (log_action.name of core/Db/Schema/Mysql.php)
	maxTiming  = 16_777_215
	maxRefText = 1500
)

var (
	idPattern   = regexp.MustCompile(`^[0-9a-f]{16}$`)
	pvPattern   = regexp.MustCompile(`^[A-Za-z0-9]{6}$`)
	resPattern  = regexp.MustCompile(`^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$`)
	langPattern = regexp.MustCompile(
		`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(;q=[01](\.[0-9]{1,3})?)?` +
			`(,\s*[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(;q=[01](\.[0-9]{1,3})?)?)*$`)
	regionPattern  = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)
	countryPattern = regexp.MustCompile(`^[a-z]{2}$`)
	numberPattern  = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	moneyPattern   = regexp.MustCompile(`^-?[0-9]+(\.[0-9]{1,2})?$`)
	dimPattern     = regexp.MustCompile(`^dimension[1-9][0-9]*$`)
)

// formats are the parameters Matomo 5 reads (core/Tracker/Request.php and the plugins), with what a strict reader
// takes as their value. Names that Matomo ignores since version 4 are not among them.
var formats = map[string]func(string) bool{
	"idsite": whole(1, 1<<31), "rec": oneOf("1"), "apiv": oneOf("1"), "rand": text(1 << 16), "r": text(100),
	"send_image": oneOf("0", "1"), "token_auth": text(100), "debug": oneOf("0", "1"), "queuedtracking": oneOf("0", "1"),
	"dp": oneOf("0", "1"), "bots": oneOf("0", "1"), "ping": oneOf("1"), "ca": oneOf("1"), "cs": text(50),
	"_id": idPattern.MatchString, "cid": idPattern.MatchString, "uid": text(200), "new_visit": oneOf("0", "1"),
	"cip": isAddress, "cdt": isTime, "cdo": whole(0, 1<<31), "ua": text(1000), "uadata": isHints,
	"lang": langPattern.MatchString, "country": isCountry, "region": regionPattern.MatchString, "city": text(255),
	"lat": degrees(90), "long": degrees(180), "res": resPattern.MatchString,
	"h": whole(0, 23), "m": whole(0, 59), "s": whole(0, 59),
	"fla": oneOf("0", "1"), "java": oneOf("0", "1"), "qt": oneOf("0", "1"), "realp": oneOf("0", "1"),
	"pdf": oneOf("0", "1"), "wma": oneOf("0", "1"), "ag": oneOf("0", "1"), "cookie": oneOf("0", "1"),
	"_ref": isURL, "_refts": whole(0, 1<<40), "_rcn": text(255), "_rck": text(255),
	"url": isPageURL, "action_name": text(1024), "urlref": isURL, "pv_id": pvPattern.MatchString,
	"pf_net": whole(0, maxTiming), "pf_srv": whole(0, maxTiming), "pf_tfr": whole(0, maxTiming),
	"pf_dm1": whole(0, maxTiming), "pf_dm2": whole(0, maxTiming), "pf_onl": whole(0, maxTiming),
	"search": text(1024), "search_cat": text(200), "search_count": whole(0, 1<<31),
	"e_c": text(maxAction), "e_a": text(maxAction), "e_n": text(maxAction), "e_v": numberPattern.MatchString,
	"c_n": text(1024), "c_p": text(1024), "c_t": text(1024), "c_i": text(1024),
	"link": isURL, "download": isURL,
	"idgoal": whole(0, 1<<31), "revenue": moneyPattern.MatchString, "ec_id": text(100), "ec_items": nil,
	"ec_st": moneyPattern.MatchString, "ec_tx": moneyPattern.MatchString, "ec_sh": moneyPattern.MatchString,
	"ec_dt": moneyPattern.MatchString,
	"_pks":  text(255), "_pkn": text(255), "_pkc": text(1300), "_pkp": moneyPattern.MatchString,
}

// numbers are the parameters that are read as floats, where a comma cuts the value (plugins/Goals).
var numbers = map[string]bool{
	"revenue": true, "ec_st": true, "ec_tx": true, "ec_sh": true, "ec_dt": true, "_pkp": true, "e_v": true, "lat": true,
	"long": true,
}

func oneOf(values ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(values, s) }
}

func whole(least, most int64) func(string) bool {
	return func(s string) bool {
		n, err := strconv.ParseInt(s, 10, 64)
		return err == nil && n >= least && n <= most && strconv.FormatInt(n, 10) == s
	}
}

// text is any well-formed text of at most so many bytes, and not blank.
func text(most int) func(string) bool {
	return func(s string) bool { return utf8.ValidString(s) && len(s) <= most && strings.TrimSpace(s) != "" }
}

func degrees(most float64) func(string) bool {
	return func(s string) bool {
		f, err := strconv.ParseFloat(s, 64)
		return err == nil && numberPattern.MatchString(s) && f >= -most && f <= most
	}
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func isTime(s string) bool {
	_, err := parseTime(s)
	return err == nil
}

// isCountry lets upper case pass, which has a rule of its own.
func isCountry(s string) bool { return countryPattern.MatchString(strings.ToLower(s)) }

func isURL(s string) bool {
	if len(s) > maxRefText || !utf8.ValidString(s) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "android-app")
}

// isPageURL does not judge the length, which has a rule of its own.
func isPageURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && utf8.ValidString(s)
}

type brand struct {
	Brand   string `json:"brand"`
	Version string `json:"version"`
}

// isHints takes what matomo.js sends as client hints (js/piwik.js).
func isHints(s string) bool {
	var hints struct {
		Brands          []brand  `json:"brands"`
		FullVersionList []brand  `json:"fullVersionList"`
		Mobile          *bool    `json:"mobile"`
		Model           *string  `json:"model"`
		Platform        string   `json:"platform"`
		PlatformVersion string   `json:"platformVersion"`
		UAFullVersion   string   `json:"uaFullVersion"`
		FormFactors     []string `json:"formFactors"`
		Architecture    string   `json:"architecture"`
		Bitness         string   `json:"bitness"`
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	if d.Decode(&hints) != nil || d.More() || hints.Platform == "" {
		return false
	}
	all := append(hints.Brands, hints.FullVersionList...)
	return len(all) > 0 && !slices.ContainsFunc(all, func(b brand) bool { return b.Brand == "" || b.Version == "" })
}
