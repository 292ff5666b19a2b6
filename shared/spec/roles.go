package spec

import "github.com/puttrix/trafficinator/shared/envspec"

// Role is what kind of decision a knob is: what is to become of it follows from that, for a plan's hash, a comparison,
// a preset, what is published, and a form.
type Role = envspec.Role

// The roles. Each knob has one.
const (
	// Behaviour decides what is sent: a different value makes different visits.
	Behaviour Role = "behaviour"
	// OfTarget is where hits go and how they get there. It belongs to a set-up; no preset holds it.
	OfTarget Role = "target"
	// OfRun names one run or one start of it.
	OfRun Role = "run"
	// Speed is how fast the same visits are sent.
	Speed Role = "speed"
	// Place is where the loadgen finds and leaves things, set where it is started.
	Place Role = "place"
	// Verdict is what is made of the results.
	Verdict Role = "verdict"
	// Log is what is logged, and in which form.
	Log Role = "log"
)

// Roles are all roles.
func Roles() []Role { return []Role{Behaviour, OfTarget, OfRun, Speed, Place, Verdict, Log} }

// Keys are the knobs for which is says yes, in the order of their declaration.
func Keys(is func(Field) bool) []string {
	var out []string
	for _, f := range fields {
		if is(f) {
			out = append(out, f.Key)
		}
	}
	return out
}

// RoleOf is the role of the knob called key, empty where there is none.
func RoleOf(key string) Role {
	for _, f := range fields {
		if f.Key == key {
			return f.Role
		}
	}
	return ""
}
