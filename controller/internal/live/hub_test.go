package live_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/live"
)

// waiting reads the waiting events of a reader; open reports whether there may be more.
func waiting(r *live.Reader) (data []string, ids []string, open bool) {
	for {
		select {
		case e, ok := <-r.Events():
			if !ok {
				return data, ids, false
			}
			data, ids = append(data, string(e.Data)), append(ids, e.ID)
		default:
			return data, ids, true
		}
	}
}

func hub() *live.Hub { return live.NewHub(time.Unix(1e9, 0)) }

func send(h *live.Hub, from, to int) {
	for n := from; n < to; n++ {
		h.Send(live.SampleEvent, fmt.Append(nil, n))
	}
}

func TestReaderResumesWhereItLeft(t *testing.T) {
	t.Parallel()
	h := hub()
	first := h.Join("", live.Filter{})
	send(h, 0, 5)
	_, ids, _ := waiting(first)
	first.Close()
	first.Close()
	send(h, 5, 8)
	second := h.Join(ids[2], live.Filter{})
	send(h, 8, 9)
	if data, _, _ := waiting(second); !slices.Equal(data, []string{"3", "4", "5", "6", "7", "8"}) {
		t.Errorf("want all after 2, got %v", data)
	}
}

func TestNewReaderStartsWithTheLatestStateAndSample(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"without an id": "", "with the id of an earlier controller": "zzz-3",
		"with nonsense": "\x00-"} {
		h := hub()
		h.Send(live.StateEvent, []byte("old"))
		h.Send(live.StateEvent, []byte("state"))
		h.SendLine(launcher.Line{}, []byte("line"))
		send(h, 0, 3)
		if data, _, _ := waiting(h.Join(id, live.Filter{})); !slices.Equal(data, []string{"state", "2"}) {
			t.Errorf("%s: want the state and the sample, got %v", name, data)
		}
	}
}

func TestLatestStateIsSentEvenIfOld(t *testing.T) {
	t.Parallel()
	h := hub()
	before := h.Join("", live.Filter{})
	h.Send(live.StateEvent, []byte("old"))
	_, ids, _ := waiting(before)
	before.Close()
	h.Send(live.StateEvent, []byte("state"))
	send(h, 0, 5000)
	if data, _, _ := waiting(h.Join("", live.Filter{})); !slices.Equal(data, []string{"state", "4999"}) {
		t.Errorf("want the state and the sample, got %v", data)
	}
	if data, _, _ := waiting(h.Join(ids[0], live.Filter{})); data[0] != "state" || data[1] == "0" ||
		data[len(data)-1] != "4999" {
		t.Errorf("who was away for long: want the state and the last samples, got %v", data)
	}
}

func TestOnlyASlowReaderIsDropped(t *testing.T) {
	t.Parallel()
	h := hub()
	slow, quick := h.Join("", live.Filter{}), h.Join("", live.Filter{})
	got := 0
	for n := range 2000 {
		send(h, n, n+1)
		data, _, open := waiting(quick)
		if got += len(data); !open {
			t.Fatal("who reads must not be dropped")
		}
	}
	if _, _, open := waiting(slow); open || got != 2000 {
		t.Errorf("dropped: %v; the other got %d of 2000", !open, got)
	}
}

func TestLinesAreFilteredByLevelAndText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		filter live.Filter
		want   []string
	}{
		"all":       {live.Filter{}, []string{"a", "b", "c", "sample"}},
		"level":     {live.Filter{Log: launcher.LogQuery{Level: launcher.Warning}}, []string{"b", "c", "sample"}},
		"text":      {live.Filter{Log: launcher.LogQuery{Texts: []string{"INFO"}}}, []string{"a", "sample"}},
		"none":      {live.Filter{NoLog: true}, []string{"sample"}},
		"two texts": {live.Filter{Log: launcher.LogQuery{Texts: []string{"info", "MSG"}}}, []string{"a", "sample"}},
		"not both":  {live.Filter{Log: launcher.LogQuery{Texts: []string{"info", "table"}}}, []string{"sample"}},
		"level, txt": {live.Filter{Log: launcher.LogQuery{Level: launcher.Error, Texts: []string{"info"}}},
			[]string{"sample"}},
	} {
		h := hub()
		r := h.Join("", c.filter)
		h.SendLine(launcher.Line{Level: launcher.Info, Text: "time=x level=INFO msg=x"}, []byte("a"))
		h.SendLine(launcher.Line{Level: launcher.Error}, []byte("b"))
		h.SendLine(launcher.Line{Text: "a table"}, []byte("c"))
		h.Send(live.SampleEvent, []byte("sample"))
		if data, _, _ := waiting(r); !slices.Equal(data, c.want) {
			t.Errorf("%s: want %v, got %v", name, c.want, data)
		}
	}
}

func TestCloseClosesAllReaders(t *testing.T) {
	t.Parallel()
	h := hub()
	r := h.Join("", live.Filter{})
	h.Close()
	send(h, 0, 1)
	if data, _, open := waiting(r); open || len(data) > 0 {
		t.Errorf("want an end and nothing more, got %v", data)
	}
	if _, _, open := waiting(h.Join("", live.Filter{})); open {
		t.Error("who comes late should end at once")
	}
}
