package process

import (
	"bytes"
	"io"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// NewLogFile returns a rotated log file: at most four files of 10 MB. It is opened at the first line and readable by
// its owner only.
func NewLogFile(path string) io.WriteCloser {
	return &lumberjack.Logger{Filename: path, MaxSize: 10, MaxBackups: 3}
}

// maxLine is the length at which a line is broken, in bytes.
const maxLine = 64 << 10

// lineWriter writes the output of a child, line by line with the time, to the log file and to its buffer. It is not
// safe for concurrent use; exec writes from one goroutine.
type lineWriter struct {
	file   io.Writer
	buffer *logBuffer
	// prefix marks the lines of a job in the file, which all children share.
	prefix string
	rest   []byte
}

// Write implements io.Writer. It never fails, because that would end the child; an error of the file is a line in the
// buffer.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 && len(w.rest) < maxLine {
			return len(p), nil
		}
		end := i + 1
		if i < 0 || i > maxLine {
			i, end = maxLine, maxLine
		}
		w.line(string(bytes.TrimSuffix(w.rest[:i], []byte("\r"))))
		w.rest = w.rest[end:]
	}
}

// flush writes a last line without a newline.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.line(string(w.rest))
		w.rest = nil
	}
}

func (w *lineWriter) line(text string) {
	line := launcher.ParseLine(time.Now(), text)
	w.buffer.add(line)
	if _, err := io.WriteString(w.file, line.Time.Format(time.RFC3339Nano)+" "+w.prefix+line.Text+"\n"); err != nil {
		w.warn("the log file cannot be written", err)
	}
}

func (w *lineWriter) warn(message string, err error) {
	message += ": " + err.Error()
	w.buffer.add(launcher.Line{Time: time.Now().UTC(), Level: launcher.Warning, Text: message, Message: message})
}
