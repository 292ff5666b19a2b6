package launcher

import (
	"regexp"
	"strings"
	"time"
)

// Level is how severe a line is, in the words of LOG_LEVEL.
type Level string

// The levels, and the one of lines that tell none, such as the table at a run's end.
const (
	Debug   Level = "DEBUG"
	Info    Level = "INFO"
	Warning Level = "WARNING"
	Error   Level = "ERROR"
	NoLevel Level = ""
)

var severity = map[Level]int{Debug: 1, Info: 2, Warning: 3, Error: 4}

// AtLeast reports whether l is as severe as least. A line without a level goes with every least: it may be the one that
// explains the rest.
func (l Level) AtLeast(least Level) bool { return l == NoLevel || severity[l] >= severity[least] }

// Line is one line of the loadgen's log.
type Line struct {
	// Time is when it was written, UTC.
	Time  time.Time `json:"time"`
	Level Level     `json:"level"`
	Text  string    `json:"text"`
}

// told is how a loadgen marks the level: slog's text and JSON forms, and the problems it tells before it logs.
var told = regexp.MustCompile(
	`^(?:time=\S+ level=|\{"time":"[^"]*","level":")(DEBUG|INFO|WARN|ERROR)|^(error|warning): `)

// ParseLine is the line that text is.
func ParseLine(at time.Time, text string) Line {
	line := Line{Time: at.UTC(), Text: text}
	if m := told.FindStringSubmatch(text); m != nil {
		line.Level = Level(strings.ToUpper(m[1] + m[2]))
		if line.Level == "WARN" {
			line.Level = Warning
		}
	}
	return line
}
