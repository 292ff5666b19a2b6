package reports

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Segment reports whether it contains a visit.
type Segment func(*Visit) bool

var condition = regexp.MustCompile(`^([A-Za-z0-9]+)(==|!=|>=|<=|>|<)(.*)$`)

// ParseSegment parses conditions joined by ; for and, and by , for or, which has precedence
// (core/Segment/SegmentExpression.php). Unsupported conditions are errors.
func ParseSegment(text string) (Segment, error) {
	if text == "" {
		return func(*Visit) bool { return true }, nil
	}
	var and [][]Segment
	for part := range strings.SplitSeq(text, ";") {
		var or []Segment
		for one := range strings.SplitSeq(part, ",") {
			s, err := parseCondition(one)
			if err != nil {
				return nil, err
			}
			or = append(or, s)
		}
		and = append(and, or)
	}
	return func(v *Visit) bool {
		return !slices.ContainsFunc(and, func(or []Segment) bool {
			return !slices.ContainsFunc(or, func(s Segment) bool { return s(v) })
		})
	}, nil
}

func parseCondition(text string) (Segment, error) {
	m := condition.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("segment %q is invalid", text)
	}
	name, op, want := m[1], m[2], m[3]
	if decoded, err := url.QueryUnescape(want); err == nil {
		want = decoded
	}
	if of, ok := numbers[name]; ok {
		n, err := strconv.ParseFloat(want, 64)
		if err != nil {
			return nil, fmt.Errorf("segment %q does not compare with a number", text)
		}
		return func(v *Visit) bool { return comparisons[op](cmp.Compare(float64(of(v)), n)) }, nil
	}
	of, ok := texts[name]
	if strings.HasPrefix(name, "dimension") {
		of, ok = func(v *Visit) string { return v.Dimensions[name] }, true
	}
	if !ok || op != "==" && op != "!=" {
		return nil, fmt.Errorf("segment %q is not supported", text)
	}
	return func(v *Visit) bool { return (of(v) == want) == (op == "==") }, nil
}

var texts = map[string]func(*Visit) string{
	"countryCode":  func(v *Visit) string { return v.Country },
	"deviceType":   func(v *Visit) string { return v.Device },
	"referrerType": func(v *Visit) string { return v.Source },
	"referrerName": func(v *Visit) string { return v.Campaign },
	"visitorId":    func(v *Visit) string { return v.Visitor },
	"visitorType":  func(v *Visit) string { return visitorType(v) },
}

var numbers = map[string]func(*Visit) int64{
	"visitDuration":  func(v *Visit) int64 { return v.Seconds },
	"actions":        func(v *Visit) int64 { return int64(len(v.Actions)) },
	"visitConverted": func(v *Visit) int64 { return int64(min(v.Counts[Orders], 1)) },
}

var comparisons = map[string]func(int) bool{
	"==": func(c int) bool { return c == 0 }, "!=": func(c int) bool { return c != 0 },
	">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 },
	"<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
}

func visitorType(v *Visit) string {
	if v.Returning {
		return "returning"
	}
	return "new"
}
