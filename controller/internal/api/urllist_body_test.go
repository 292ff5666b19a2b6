package api_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPagesAreDecodedAsJSONIs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	text := "https://shop.example.test/é/\"\\/\t😀\u2028\r\nhttps://shop.example.test/b\n"
	plain, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, written := range []string{string(plain),
		`"https:\/\/shop.example.test\/\u00e9/\"\\/\t\ud83d\uDE00\u2028\r\nhttps://shop.example.test/b\n"`} {
		got := f.ask("POST", "/api/urls", " { \"content\" :\n"+written+" } ")
		if got.Code != 200 {
			t.Fatalf("%s: %d %s", written, got.Code, got.Body)
		}
		if kept := f.ask("GET", "/api/urls/file", "").Body.String(); kept != text {
			t.Errorf("%q became %q", written, kept)
		}
	}
	for body, want := range map[string]int{
		``: 400, `{`: 400, `{"content":"a`: 400, `{"content":"a"`: 400, `{"content":"a"}x`: 400, `null`: 400,
		`{"content":null}`: 400, `{"content":7}`: 400, `{}`: 400,
		`{"content":"a","more":1}`: 400, `{"Content":"a"}`: 400, `{"content":"\ud83d"}`: 400,
		`{"content":"\ude00\ud83d"}`: 400, `{"content":"\x"}`: 400,
		`{"content":"\u12"}`: 400, `{"content":"\u12g4"}`: 400, "{\"content\":\"\n\"}": 400,
		"{\"content\":\"\xff\"}":                              400,
		`{"content":"` + strings.Repeat("a", 32<<20+1) + `"}`: 413,
	} {
		if got := f.ask("POST", "/api/urls", body); got.Code != want ||
			!strings.Contains(got.Body.String(), `"location":"body"`) {
			t.Errorf("%.60q: %d %s", body, got.Code, got.Body)
		}
	}
}

func TestOneLargeBodyIsReadAtATime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	begun, rest := make(chan struct{}), make(chan struct{})
	send := func(body func(p []byte) (int, error), length int64) <-chan int {
		done := make(chan int, 1)
		go func() {
			r := httptest.NewRequest("POST", "/api/urls/validate", reading(body))
			r.ContentLength = length
			r.Header.Set("X-API-Key", apiKey)
			rec := httptest.NewRecorder()
			f.ServeHTTP(rec, r)
			done <- rec.Code
		}()
		return done
	}
	first := send(func([]byte) (int, error) {
		close(begun)
		<-rest
		return 0, errCut
	}, 70<<20)
	<-begun
	touched := make(chan struct{})
	second := send(func([]byte) (int, error) {
		close(touched)
		return 0, errCut
	}, 70<<20)
	if got := f.ask("POST", "/api/urls/validate", `{"content":"https://shop.example.test/"}`); got.Code != 200 {
		t.Errorf("a small one waits for a large one: %d", got.Code)
	}
	select {
	case <-touched:
		t.Error("two are read at once")
	default:
	}
	close(rest)
	if a, b := <-first, <-second; a != 400 || b != 400 {
		t.Errorf("%d, %d", a, b)
	}
}

// reading is a body.
type reading func(p []byte) (int, error)

// Read implements io.Reader.
func (r reading) Read(p []byte) (int, error) { return r(p) }

var errCut = errors.New("cut off")
