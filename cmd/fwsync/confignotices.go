package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"fwsync/notify"
)

// NoticeConfig is one channel. Addresses of webhooks, secrets and passwords are secrets:
// the file names an environment variable or a file that has them.
type NoticeConfig struct {
	Name        string   `yaml:"name" mapstructure:"name"`
	Kind        string   `yaml:"kind" mapstructure:"kind"` // dingtalk, feishu, wecom, slack, webhook or mail
	URLEnv      string   `yaml:"url_env" mapstructure:"url_env"`
	URLFile     string   `yaml:"url_file" mapstructure:"url_file"`
	SecretEnv   string   `yaml:"secret_env" mapstructure:"secret_env"` // mail: the password
	SecretFile  string   `yaml:"secret_file" mapstructure:"secret_file"`
	Events      []string `yaml:"events" mapstructure:"events"`     // none: all
	Template    string   `yaml:"template" mapstructure:"template"` // none: the standard text
	Server      string   `yaml:"server" mapstructure:"server"`     // of mail: host:port
	Username    string   `yaml:"username" mapstructure:"username"`
	From        string   `yaml:"from" mapstructure:"from"`
	To          []string `yaml:"to" mapstructure:"to"`
	Unencrypted bool     `yaml:"unencrypted" mapstructure:"unencrypted"` // mail without STARTTLS, loopback only
}

// NotifyConfig says when there is something to tell.
type NotifyConfig struct {
	Repeat   time.Duration `yaml:"repeat" mapstructure:"repeat"`
	GapAfter time.Duration `yaml:"gap_after" mapstructure:"gap_after"`
	Capacity int           `yaml:"capacity" mapstructure:"capacity"` // per cent
	Wait     time.Duration `yaml:"wait" mapstructure:"wait"`         // of a run, for its notices
}

// mostWait bounds what notices may cost a scheduled job.
const mostWait = time.Minute

// pace is what a kind of channel takes, with a share left for others.
var pace = map[string]struct {
	every time.Duration
	burst int
}{
	"dingtalk": {4 * time.Second, 5}, // 20 a minute, and ten minutes of silence for more
	"wecom":    {4 * time.Second, 5}, // 20 a minute
	"feishu":   {time.Second, 3},     // 100 a minute, 5 a second
	"slack":    {2 * time.Second, 3}, // about one a second
	"webhook":  {time.Second, 5},
	"mail":     {20 * time.Second, 5},
}

// completeNotices checks the channels, all but what only their secrets would tell.
func (c *Config) completeNotices(bad func(key, value, want string) error) error {
	switch n := &c.Notify; {
	case n.Repeat < time.Minute:
		return bad("notify.repeat", n.Repeat.String(), "it is 1m or more, such as 4h")
	case n.GapAfter < 0:
		return bad("notify.gap_after", n.GapAfter.String(), "it is a time such as 10m")
	case n.Capacity < 1 || n.Capacity > 100:
		return bad("notify.capacity", fmt.Sprint(n.Capacity), "it is per cent, 1 to 100")
	case n.Wait <= 0 || n.Wait > mostWait:
		return bad("notify.wait", n.Wait.String(), "it is a time up to 1m, such as 5s")
	}
	names := map[string]bool{}
	for i := range c.Notices {
		n := &c.Notices[i]
		if _, known := pace[n.Kind]; !known {
			return bad(fmt.Sprintf("notices[%d].kind", i), n.Kind, "it is dingtalk, feishu, wecom, slack, webhook or mail")
		}
		n.Name = cmp.Or(n.Name, n.Kind)
		if names[n.Name] {
			return bad(fmt.Sprintf("notices[%d].name", i), n.Name, "each channel has a name of its own")
		}
		names[n.Name] = true
		at := "notices." + n.Name + "."
		for _, e := range n.Events {
			if _, err := notify.ParseKind(e); err != nil {
				return bad(at+"events", e, err.Error())
			}
		}
		if _, err := notify.ParseTemplate(n.Template); err != nil {
			return bad(at+"template", n.Template, err.Error())
		}
		mail := n.Kind == "mail"
		switch {
		case mail && (n.URLEnv != "" || n.URLFile != ""):
			return bad(at+"url_env", n.URLEnv+n.URLFile, "mail has a server: host:port, and no address to post to")
		case !mail && (n.Server != "" || n.Username != "" || n.From != "" || len(n.To) > 0 || n.Unencrypted):
			return bad(at+"kind", n.Kind, "server, username, from, to and unencrypted are for mail")
		case !mail && (n.URLEnv == "") == (n.URLFile == ""):
			return bad(at+"url_env", n.URLEnv, "name the variable (url_env) or the file (url_file) that has the address, one of the two")
		case n.SecretEnv != "" && n.SecretFile != "":
			return bad(at+"secret_env", n.SecretEnv, "name the variable or the file that has the secret, not both")
		case (n.Kind == "wecom" || n.Kind == "slack") && (n.SecretEnv != "" || n.SecretFile != ""):
			return bad(at+"secret_env", n.SecretEnv+n.SecretFile, n.Kind+" signs nothing: the address is the secret")
		case mail && (n.Username == "") != (n.SecretEnv == "" && n.SecretFile == ""):
			return bad(at+"username", n.Username, "a user name and a password (secret_env or secret_file) go together")
		}
		if mail {
			if _, err := n.mail(""); err != nil {
				return bad(at+"server", n.Server, err.Error())
			}
		}
		for _, file := range []*string{&n.URLFile, &n.SecretFile} {
			if *file != "" {
				*file = c.within(*file)
			}
		}
	}
	return nil
}

func (n *NoticeConfig) mail(password notify.Secret) (notify.Mail, error) {
	host, port, err := net.SplitHostPort(n.Server)
	if err != nil {
		return notify.Mail{}, errors.New("the server of a mail channel is host:port, such as smtp.example.com:587")
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return notify.Mail{}, errors.New("the server's port is no number")
	}
	m := notify.Mail{Host: host, Port: number, Username: n.Username, Password: password, From: n.From, To: n.To, Plain: n.Unencrypted}
	return m, m.Check()
}

// route opens a channel: it reads its secrets. No error repeats one.
func (n *NoticeConfig) route() (notify.Route, error) {
	address, err := secret(n.URLEnv, n.URLFile)
	if err != nil {
		return notify.Route{}, err
	}
	key, err := secret(n.SecretEnv, n.SecretFile)
	if err != nil {
		return notify.Route{}, err
	}
	p := pace[n.Kind]
	r := notify.Route{Name: n.Name, Every: p.every, Burst: p.burst}
	for _, e := range n.Events {
		r.Events = append(r.Events, notify.Kind(e))
	}
	if r.Template, err = notify.ParseTemplate(n.Template); err != nil {
		return r, err
	}
	if n.Kind == "mail" {
		r.Channel, err = n.mail(key)
		return r, err
	}
	switch n.Kind {
	case "dingtalk":
		r.Channel = notify.DingTalk{URL: address, Secret: key, Now: time.Now}
	case "feishu":
		r.Channel = notify.Feishu{URL: address, Secret: key, Now: time.Now}
	case "wecom":
		r.Channel = notify.WeCom{URL: address}
	case "slack":
		r.Channel = notify.Slack{URL: address}
	case "webhook":
		r.Channel = notify.Webhook{URL: address, Secret: key, Now: time.Now}
	}
	return r, notify.CheckURL(address)
}

// mostSecret is more than any address or secret has.
const mostSecret = 8 << 10

// secret reads what a variable or a file holds; nothing if neither is named.
func secret(variable, file string) (notify.Secret, error) {
	switch {
	case variable != "":
		text := strings.TrimSpace(os.Getenv(variable))
		if text == "" {
			return "", fmt.Errorf("the environment variable %s is not set", variable)
		}
		return notify.Secret(text), nil
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		text := strings.TrimSpace(string(data))
		if text == "" || len(text) > mostSecret || strings.ContainsAny(text, "\r\n") {
			return "", fmt.Errorf("%s must hold one line", file)
		}
		return notify.Secret(text), nil
	}
	return "", nil
}

// routes opens the named channels, or all. The error names those that cannot be opened;
// the others are returned.
func (c *Config) routes(names ...string) ([]notify.Route, error) {
	var routes []notify.Route
	var errs []error
	for _, n := range c.Notices {
		if len(names) > 0 && !slices.Contains(names, n.Name) {
			continue
		}
		r, err := n.route()
		if err != nil {
			errs = append(errs, fmt.Errorf("channel %s: %w", n.Name, err))
			continue
		}
		routes = append(routes, r)
	}
	return routes, errors.Join(errs...)
}
