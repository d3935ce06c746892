package main

import (
	"fmt"
	"strings"

	"fwsync/cloudfw"
	"fwsync/sync/reconcile"
)

func renderPacket(s *screen, e reconcile.PacketExplanation) {
	p := e.Packet
	text := fmt.Sprintf("%s, %s from %s to %s", p.Direction, p.Protocol, p.From, p.To)
	if p.Port != 0 {
		text += fmt.Sprintf(" port %d", p.Port)
	}
	if p.Application != "" {
		text += ", " + p.Application
	}
	for _, c := range p.When {
		text += ", when " + c
	}
	s.line("%s", text)
	if len(e.Targets) == 0 && len(e.Failed) == 0 {
		s.line("  no target sees such a packet")
	}
	cloud := ""
	for _, t := range e.Targets {
		if t.Cloud != cloud {
			cloud = t.Cloud
			s.title("== " + cloud)
		}
		s.title(t.Target)
		renderVerdicts(s, t)
	}
	if len(e.Paths) > 0 {
		s.title("The whole way (the first drop decides)")
	}
	for _, t := range e.Paths {
		way := t.Target
		if t.Cloud != "" {
			way = t.Cloud + ": " + way
		}
		state := fmt.Sprintf("%s at the %s", s.action(t.Live.Action), t.Live.At)
		if then := fmt.Sprintf("%s at the %s", s.action(t.Planned.Action), t.Planned.At); then != state {
			state += ", planned: " + then
		}
		s.line("  %s: %s", way, state)
	}
	for _, f := range e.Failed {
		s.line("\n== %s\n  %s %s", f.Cloud, s.bad("failed:"), f.Reason)
	}
}

// renderVerdicts prints both states, or one line where the plan changes nothing.
func renderVerdicts(s *screen, t reconcile.PacketTarget) {
	live, then := verdictText(s, t.Live), verdictText(s, t.Planned)
	if strings.Join(live, "\n") == strings.Join(then, "\n") {
		renderVerdict(s, "live and planned", live)
		return
	}
	renderVerdict(s, "live", live)
	renderVerdict(s, "planned", then)
}

func renderVerdict(s *screen, state string, lines []string) {
	s.line("  %s: %s", state, lines[0])
	for _, more := range lines[1:] {
		s.line("    %s", more)
	}
}

func verdictText(s *screen, v reconcile.PacketVerdict) []string {
	lines := []string{s.action(v.Action)}
	if v.Rule != nil {
		lines[0] += " by " + ruleText(*v.Rule)
	}
	if v.Because != "" {
		lines[0] += ", " + v.Because
	}
	for _, d := range v.Unless {
		text := fmt.Sprintf("%s if %s", s.action(d.Action), strings.Join(d.If, " and "))
		if d.Rule != nil {
			text += ", by " + ruleText(*d.Rule)
		}
		for _, c := range d.When {
			text += fmt.Sprintf(" (--when %s)", quoteShell(c))
		}
		lines = append(lines, text)
	}
	return lines
}

func ruleText(r reconcile.PacketRule) string {
	text := fmt.Sprintf("#%d ", r.Order)
	switch {
	case r.Ours && r.Declared != "":
		text += fmt.Sprintf("ours, %q at %s", r.Name, r.Declared)
	case r.Ours:
		text += "ours"
	default:
		text += "not ours"
	}
	return text + fmt.Sprintf(" (%s; %q)", r.Rule, r.Description)
}

func quoteShell(text string) string {
	if strings.ContainsAny(text, " \t'\"$&;()<>|*?\\`") {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}

// action is a verdict in its colour.
func (s *screen) action(a cloudfw.Action) string {
	if a == cloudfw.Drop {
		return s.bad(string(a))
	}
	return s.good(string(a))
}
