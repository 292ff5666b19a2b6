package setup

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Funnel is a saved funnel.
type Funnel struct {
	ID          int64        `json:"id"`
	Name        string       `json:"name"`
	Description string       `json:"description"`
	Config      FunnelConfig `json:"config"`
	// Share is the share of all visits that follows it, 0..1, given the other saved funnels.
	Share float64 `json:"share"`
	// Warnings are those of its last change.
	Warnings problem.List `json:"warnings,omitempty"`
	Created  time.Time    `json:"created_at"`
	Updated  time.Time    `json:"updated_at"`
}

// FunnelConfig are the fields of shared/funnel.Funnel.
type FunnelConfig struct {
	Probability         float64       `json:"probability"`
	Priority            int           `json:"priority"`
	Enabled             bool          `json:"enabled"`
	ExitAfterCompletion bool          `json:"exit_after_completion"`
	Steps               []funnel.Step `json:"steps"`
}

// Funnels returns all funnels by priority, then the last changed first.
func (s *Service) Funnels(ctx context.Context) ([]Funnel, error) {
	saved, err := s.sortedFunnels(ctx)
	if err != nil {
		return nil, err
	}
	plain := make([]funnel.Funnel, len(saved))
	for i, f := range saved {
		plain[i] = f.Funnel
	}
	shares := funnel.Shares(plain)
	out := make([]Funnel, len(saved))
	for i, f := range saved {
		out[i] = Funnel{ID: f.ID, Name: f.Name, Description: f.Description, Share: shares[i], Created: f.Created,
			Updated: f.Updated,
			Config:  FunnelConfig{f.Probability, f.Priority, f.Enabled, f.ExitAfterCompletion, f.Steps}}
	}
	return out, nil
}

func (s *Service) sortedFunnels(ctx context.Context) ([]stored.Funnel, error) {
	saved, err := s.store.Funnels(ctx)
	slices.SortStableFunc(saved, func(a, b stored.Funnel) int { return cmp.Compare(a.Priority, b.Priority) })
	return saved, err
}

// Funnel returns one funnel, or ErrNotFound.
func (s *Service) Funnel(ctx context.Context, id int64) (Funnel, error) {
	all, err := s.Funnels(ctx)
	return find(all, err, "funnel", id, func(f Funnel) int64 { return f.ID })
}

// find returns the element of list with an ID, or ErrNotFound; an error of reading the list is returned unchanged.
func find[T any](list []T, err error, what string, id int64, idOf func(T) int64) (T, error) {
	i := slices.IndexFunc(list, func(v T) bool { return idOf(v) == id })
	if i < 0 || err != nil {
		var none T
		return none, cmp.Or(err, fmt.Errorf("read %s %d: %w", what, id, ErrNotFound))
	}
	return list[i], nil
}

// CreateFunnel saves a new funnel from a JSON object: name, description and the fields of FunnelConfig, under config or
// next to it. The error is ErrNameTaken or a problem.List.
func (s *Service) CreateFunnel(ctx context.Context, body []byte) (Funnel, error) {
	return change(ctx, s, func(ctx context.Context) (Funnel, error) {
		return s.saveFunnel(ctx, 0, map[string]json.RawMessage{}, body)
	}, exchange.FunnelsFile)
}

// UpdateFunnel changes the fields of a funnel that body contains. The error is ErrNotFound, ErrNameTaken or a
// problem.List.
func (s *Service) UpdateFunnel(ctx context.Context, id int64, body []byte) (Funnel, error) {
	return change(ctx, s, func(ctx context.Context) (Funnel, error) {
		f, err := s.store.Funnel(ctx, id)
		if err != nil {
			return Funnel{}, err
		}
		fields := map[string]json.RawMessage{}
		data, err := json.Marshal(f.Funnel)
		if err == nil {
			err = json.Unmarshal(data, &fields)
		}
		if err != nil {
			return Funnel{}, fmt.Errorf("read funnel %d: %w", id, err)
		}
		return s.saveFunnel(ctx, id, fields, body)
	}, exchange.FunnelsFile)
}

// ValidateFunnel returns the errors and warnings of a body for CreateFunnel.
func (s *Service) ValidateFunnel(body []byte) problem.List {
	_, problems := readFunnel(map[string]json.RawMessage{}, body)
	return problems
}

// DeleteFunnel deletes a funnel, or returns ErrNotFound.
func (s *Service) DeleteFunnel(ctx context.Context, id int64) error {
	return s.update(ctx, func(ctx context.Context) error { return s.store.DeleteFunnel(ctx, id) }, exchange.FunnelsFile)
}

func (s *Service) saveFunnel(ctx context.Context, id int64, fields map[string]json.RawMessage,
	body []byte) (Funnel, error) {
	f, problems := readFunnel(fields, body)
	if err := problems.Err(); err != nil {
		return Funnel{}, err
	}
	saved, err := s.store.SaveFunnel(ctx, stored.Funnel{ID: id, Funnel: f})
	if err != nil {
		return Funnel{}, err
	}
	out, err := s.Funnel(ctx, saved.ID)
	out.Warnings = problems.Warnings()
	return out, err
}

// readFunnel overrides fields by body and decodes the result by the rules of shared/funnel.
func readFunnel(fields map[string]json.RawMessage, body []byte) (funnel.Funnel, problem.List) {
	var given, config map[string]json.RawMessage
	if problems := decodeInto("funnel", body, &given); problems != nil {
		return funnel.Funnel{}, problems
	}
	if raw, ok := given["config"]; ok {
		if problems := decodeInto("config", raw, &config); problems != nil {
			return funnel.Funnel{}, problems
		}
		delete(given, "config")
	}
	maps.Copy(fields, given)
	maps.Copy(fields, config)
	data, err := json.Marshal([]map[string]json.RawMessage{fields})
	if err != nil {
		var problems problem.List
		problems.Refuse("funnel", "", err.Error(), "")
		return funnel.Funnel{}, problems
	}
	read, problems := funnel.Decode(document, data)
	trimPlace(problems, "[0]", "funnel")
	if len(read) == 0 {
		if problems.Err() == nil {
			problems.Refuse("funnel", "", "is not an object", "send an object")
		}
		return funnel.Funnel{}, problems
	}
	read[0].Name = strings.TrimSpace(read[0].Name)
	checkText("", read[0].Name, read[0].Description, &problems)
	return read[0], problems
}

// document is the name of submitted data for the decoders of shared; trimPlace removes it.
const document = "request"

// trimPlace turns the place in a document into the name of a submitted field; a problem of the entire document is at
// whole.
func trimPlace(problems problem.List, at, whole string) {
	for i, p := range problems {
		where := strings.TrimPrefix(strings.TrimPrefix(p.Where, document), ": ")
		where = strings.TrimPrefix(strings.TrimPrefix(where, at), ".")
		problems[i].Where = cmp.Or(where, whole)
	}
}
