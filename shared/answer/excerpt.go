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
		said += ", to be asked again in " + a.RetryAfter.Round(time.Second).String()
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
		return fmt.Sprintf("answered %d with other text around", a.Status)
	case a.Class == InFront:
		return fmt.Sprintf("something in front of Matomo answered %d%s", a.Status, server)
	default:
		return fmt.Sprintf("answered %d%s", a.Status, server)
	}
}

func (a *Answer) cause() string {
	switch a.Class {
	case NoReceipt:
		return "bulk without a receipt, a queue is on"
	case TooLarge:
		return "the request is too large for the server"
	case NotNow:
		switch a.Status {
		case http.StatusOK:
			return "tracked none of the hits, tracking is switched off"
		case http.StatusServiceUnavailable:
			return "switched off for now, or overloaded"
		}
		return "not now"
	case Rejected:
		switch {
		case a.Excerpt != "": // Matomo itself says why
			return ""
		case a.Status == http.StatusOK:
			return "all hits are called invalid, the token has no write access to the site, is a superuser's for " +
				"secure requests only, or the site does not exist"
		case a.Status == http.StatusBadRequest:
			return "the token has no write access to the site, the site does not exist, or Matomo's database is down"
		}
		return ""
	case Token:
		return "the token is refused"
	case RolledBack:
		return "the whole request was rolled back"
	case Unreadable:
		if a.Status == http.StatusOK {
			return "not as Matomo does, is the address right?"
		}
		return ""
	case InFront:
		switch {
		case a.Status == http.StatusNotFound:
			return "nothing is at that address"
		case a.Status < 400:
			return "redirects are not followed"
		}
		return ""
	case Late:
		return "not in time"
	case Breaker:
		return "its target was failing"
	case Standstill:
		return "this process stood still"
	case Stopped:
		return "the run was stopped"
	default:
		return ""
	}
}
