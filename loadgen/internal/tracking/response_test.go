package tracking

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzAnswer checks the reading of answers against net/http: what that understands must be understood alike, however
// the bytes arrive.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 204 No Content\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nGIF8",
		"HTTP/1.1 200 OK\nContent-Length: 4\n\nGIF8",
		"HTTP/1.0 200 OK\r\n\r\nGIF8",
		"HTTP/1.1 200 OK\r\nConnection: close, x\r\nX: a\r\n folded\r\n\r\nGIF8",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nGI\r\n02\r\nF8\r\n0\r\nTrailer: a\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), &http.Request{Method: http.MethodPost})
		if err != nil || resp.StatusCode < 200 || !strings.HasPrefix(resp.Proto, "HTTP/1.") ||
			len(data) >= maxResponse {
			return
		}
		if resp.ProtoMinor == 0 && bytes.Contains(bytes.ToLower(data), []byte("transfer-encoding")) {
			return // HTTP/1.0 has no chunks; net/http returns them raw, we join them anyway
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return
		}
		for name, r := range map[string]io.Reader{"at once": bytes.NewReader(data),
			"by the byte": iotest.OneByteReader(bytes.NewReader(data))} {
			var p response
			if err := p.read(r); err != nil || p.Status != resp.StatusCode || !bytes.Equal(p.Body, body) ||
				string(p.Location) != resp.Header.Get("Location") {
				t.Errorf("%s: %v, %d %q to %q, but net/http reads %d %q to %q", name, err, p.Status, p.Body, p.Location,
					resp.StatusCode, body, resp.Header.Get("Location"))
			}
			if resp.Close && !p.mustClose {
				t.Errorf("%s: the connection is used again", name)
			}
		}
	})
}
