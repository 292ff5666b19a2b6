package answer

import (
	"fmt"
	"net/http"
	"time"
)

// String says in a sentence what was answered, and what may be the cause.
func (a *Answer) String() string {
	said := a.answered()
	switch cause := a.cause(); {
	case said == "":
		said = cause
	case cause != "":
		said += ": " + cause
	}
	if a.RetryAfter > 0 {
		said += ", retry after " + a.RetryAfter.Round(time.Second).String()
	}
	if a.Excerpt == "" {
		return said
	}
	if said == "" {
		return a.Excerpt
	}
	return fmt.Sprintf("%s: %q", said, a.Excerpt)
}

// answered says who answered with which status.
func (a *Answer) answered() string {
	server := ""
	if a.Server != "" {
		server = " (Server: " + a.Server + ")"
	}
	switch {
	case a.Status == 0:
		return ""
	case a.Class == Accepted && a.Malformed:
		return fmt.Sprintf("answered %d with additional text", a.Status)
	case a.Class == InFront:
		return fmt.Sprintf("something in front of Matomo answered %d%s", a.Status, server)
	default:
		return fmt.Sprintf("answered %d%s", a.Status, server)
	}
}

func (a *Answer) cause() string {
	switch a.Class {
	case NoReceipt:
		return "no receipt for a bulk request, a queue is active"
	case TooLarge:
		return "the request is too large for the server"
	case NotNow:
		switch a.Status {
		case http.StatusOK:
			return "tracked none of the hits, tracking is disabled"
		case http.StatusServiceUnavailable:
			return "in maintenance or overloaded"
		}
		return "temporarily unavailable"
	case Rejected:
		switch {
		case a.Excerpt != "": // Matomo itself says why
			return ""
		case a.Status == http.StatusOK:
			return "all hits are invalid: the token has no write access to the site, is a superuser's for secure requests " +
				"only, or the site does not exist"
		case a.Status == http.StatusBadRequest:
			return "the token has no write access to the site, the site does not exist, or Matomo's database is down"
		}
		return ""
	case Token:
		return "the token is rejected"
	case RolledBack:
		return "the whole request was rolled back"
	case Unreadable:
		if a.Status == http.StatusOK {
			return "not Matomo's answer, is the URL right?"
		}
		return ""
	case InFront:
		switch {
		case a.Status == http.StatusNotFound:
			return "not found"
		case a.Status < 400:
			return "redirects are not followed"
		}
		return ""
	case Late:
		return "too late"
	case Breaker:
		return "its target was failing"
	case Standstill:
		return "this process was suspended"
	case Stopped:
		return "the run was stopped"
	default:
		return ""
	}
}
