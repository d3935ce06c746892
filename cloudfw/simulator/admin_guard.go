package simulator

import (
	"net"
	"net/http"
	"strings"
)

// adminRoot is where the admin endpoint begins. The vendor's API has no such path.
const adminRoot = "/_simulator/"

// mayAdminister tells why a request may not use the admin endpoint, empty if it
// may. There is no password: the person must be on this machine and must not be a
// web page that somebody else wrote, be it by a plain request from the page (it
// carries an Origin) or under a foreign name that resolves to this machine (the
// Host is that name).
func mayAdminister(r *http.Request) string {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !isLoopback(peer) {
		return "the admin endpoint serves loopback peers only"
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !isLoopback(strings.Trim(host, "[]")) {
		return "the admin endpoint is asked for under a loopback address or as localhost only, not as " + host
	}
	if r.Header.Get("Origin") != "" {
		return "the admin endpoint does not serve web pages: the request carries an Origin"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" {
		return "the admin endpoint does not serve web pages: the request carries Sec-Fetch-Site " + site
	}
	return ""
}
