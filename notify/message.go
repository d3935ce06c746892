package notify

import (
	"fmt"
	"strings"
	"text/template"
	"unicode/utf8"
)

// Message is what a channel sends: some events, and what they come to as text.
type Message struct {
	Title   string
	Text    string
	Events  []Event
	Origin  Origin
	Dropped int // notices that were lost before this one
}

// Origin is who speaks.
type Origin struct {
	Owner string `json:"owner"`
	Host  string `json:"host"`
}

// mostText bounds a message's text: the chats take between 2 and 20 kB.
const mostText = 1800

// standard is the text of a message whose channel has no template of its own.
const standard = `{{.Title}}
{{- range .Events}}
{{.Kind}}: {{.Text}}{{if gt .Count 1}} (x{{.Count}}){{end}}
{{- end}}
{{- if .Dropped}}
{{.Dropped}} notices before this one were dropped
{{- end}}`

// ParseTemplate reads the text of a channel's messages, with the fields of Message. The
// empty text is the standard one. A template that cannot be run is an error.
func ParseTemplate(text string) (*template.Template, error) {
	if strings.TrimSpace(text) == "" {
		text = standard
	}
	t, err := template.New("notice").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	trial := compose(Origin{"owner", "host"}, []Event{{Kind: Test, Count: 2}}, 1)
	if err := t.Execute(&strings.Builder{}, trial); err != nil {
		return nil, fmt.Errorf("trying the template: %w", err)
	}
	return t, nil
}

// compose makes a message of events, without its text.
func compose(from Origin, events []Event, dropped int) Message {
	title := fmt.Sprintf("fwsync %s on %s", from.Owner, from.Host)
	kinds := ""
	seen := map[Kind]bool{}
	for _, e := range events {
		if !seen[e.Kind] {
			seen[e.Kind] = true
			kinds += ", " + string(e.Kind)
		}
	}
	return Message{Title: title + ": " + strings.TrimPrefix(kinds, ", "), Events: events, Origin: from, Dropped: dropped}
}

// render fills a message's text in. A template that fails on these events falls back to
// the standard one: a notice is not lost for its layout.
func render(m Message, t *template.Template) Message {
	var b strings.Builder
	if err := t.Execute(&b, m); err != nil {
		b.Reset()
		_ = template.Must(template.New("").Parse(standard)).Execute(&b, m)
	}
	m.Text = shorten(b.String(), mostText)
	return m
}

// shorten cuts at a letter and says so.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	const more = "\n… (shortened)"
	cut := most - len(more)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + more
}
