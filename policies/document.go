package policies

// document is one policy file as it is written, every value with its place. The
// comments on its types and fields are the descriptions in policy.schema.json, the
// json tags are the keys, and the enum, default, minimum and maximum parts of the
// jsonschema tags bind the schema and the reader alike.

// A policy file of fwsync. All files of the folder together, in the order of their
// names, are one policy.
type document struct {
	// Named lists of IP addresses and CIDR prefixes. An entry may also be the name of another group.
	Groups named[members] `json:"groups,omitempty"`
	// Groups, addresses and prefixes that are never blocked, whatever the detections or people say.
	Allowlist members `json:"allowlist,omitempty"`
	// Kinds of signals beside the built-in ones: how the lines of your own programs read. At most 32.
	Signals records[signalEntry] `json:"signals,omitempty"`
	// What counts as an attack, and how long its source is blocked.
	Detections records[detectionEntry] `json:"detections,omitempty"`
	// Firewall rules in order; the first one that matches wins. The rule that drops $blocked stands above every accept.
	Rules records[ruleEntry] `json:"rules,omitempty"`
	// Where the policy is enforced. All files together need at least one target.
	Targets records[targetEntry] `json:"targets,omitempty"`
	// Prepared sets of rules for emergencies, started and stopped by a person.
	Incidents named[incidentEntry] `json:"incidents,omitempty"`
	// What may be done to make all blocked addresses fit where the limits leave too little room. One file at the most has it.
	Capacity *capacityEntry `json:"capacity,omitempty"`
}

// A kind of signal beside the built-in ones: the lines of one program that read as a pattern says.
type signalEntry struct {
	spot
	// Two words of a-z, 0-9 and _ with a dot between them, such as web.login_failed; unique, and not built in.
	Name word `json:"name"`
	// The program that writes the lines, as its tag says: myapp, postfix/smtpd. Left out: the message stands right behind the stamp, as in the logs of containers and of many applications.
	Program word `json:"program,omitempty"`
	// How the whole message reads: text and places such as <address>, <account>, <number>, <text>. The address must stand where no client can write it.
	Pattern word `json:"pattern"`
	// What such a signal tells, in one sentence.
	Meaning word `json:"meaning,omitempty"`
	// What an attack with such signals is busy with, for the report of phases; none when left out.
	Phase word `json:"phase,omitempty" jsonschema:"enum=probing,enum=brute-force,enum=exploitation,enum=harassment"`
	// Whole log lines and what becomes of them; at least one that is this signal and one that is not.
	Tests records[signalTestEntry] `json:"tests"`
}

// A log line, with its stamp and all, and what the signal makes of it.
type signalTestEntry struct {
	spot
	// The line.
	Line word `json:"line"`
	// The client's address in it.
	Address word `json:"address,omitempty"`
	// The account's name in it; not looked at when left out.
	Account word `json:"account,omitempty"`
	// The line is not this signal.
	None truth `json:"none,omitempty"`
}

// A threshold over the signals of one source address, of one network, about one account, or of all sources.
type detectionEntry struct {
	spot
	// 1 to 40 of a-z, 0-9 and dashes; unique.
	Name word `json:"name"`
	// The kind of signal that counts.
	Signal word `json:"signal,omitempty" jsonschema:"oneof_required=signal"`
	// Several kinds of signals that count together.
	Signals words `json:"signals,omitempty" jsonschema:"oneof_required=signals"`
	// Whose signals count together: those of one source address (for IPv6 also of its /64), of one network, about one account, or of the whole site.
	By word `json:"by,omitempty" jsonschema:"enum=address,enum=network,enum=account,enum=site,default=address"`
	// What is counted instead of signals: the different accounts that an address tries, the different addresses that try an account, or the different networks or countries from which an account is used; countries need geo.database in the configuration.
	Distinct word `json:"distinct,omitempty" jsonschema:"enum=accounts,enum=addresses,enum=networks,enum=countries"`
	// So many signals, or different things, within the window are an attack.
	Threshold number `json:"threshold" jsonschema:"minimum=1,maximum=4096"`
	// The window, 1s to 31d.
	Within span `json:"within"`
	// Of a network: so many different addresses must take part.
	Members number `json:"members,omitempty" jsonschema:"minimum=3,maximum=256"`
	// How many bits make an IPv4 network; 24 when left out.
	IPv4 number `json:"ipv4,omitempty" jsonschema:"minimum=16,maximum=31"`
	// How many bits make an IPv6 network; 48 when left out.
	IPv6 number `json:"ipv6,omitempty" jsonschema:"minimum=32,maximum=63"`
	// The threshold for an address that also logged in successfully within 24 hours; four times the threshold when left out. A network with such an address is only detected if this is set.
	LegitimateThreshold number `json:"legitimate_threshold,omitempty" jsonschema:"minimum=1,maximum=16384"`
	// What one signal adds to the score that decides who stays blocked where there is little room; 1 when left out.
	Weight number `json:"weight,omitempty" jsonschema:"minimum=1,maximum=100"`
	// How long the source is blocked. Without it the detection only reports.
	Block *penaltyEntry `json:"block,omitempty"`
}

// How long a source is blocked.
type penaltyEntry struct {
	spot
	// The first block, at least 1m.
	For span `json:"for"`
	// The first, second, third … block of the same source; the last one repeats. Begins with the value of for.
	Escalate spans `json:"escalate,omitempty"`
	// After each such time without a block the source falls back by one step of the escalation; 30d when left out.
	Forget span `json:"forget,omitempty"`
	// For how long after a person unblocked a source the detection holds back; 1h when left out.
	CoolDown span `json:"cool_down,omitempty"`
}

// One firewall rule.
type ruleEntry struct {
	spot
	// 1 to 40 of a-z, 0-9 and dashes; unique.
	Name word `json:"name"`
	// Traffic from the internet (in), to the internet (out), or among your own networks (between: only a VPC firewall sees it).
	Direction word `json:"direction,omitempty" jsonschema:"enum=in,enum=out,enum=between,default=in"`
	// The source: any, $blocked (of traffic that comes in), a group, an address, a prefix, or a list of groups, addresses and prefixes.
	From sides `json:"from"`
	// The destination: any, $blocked (of traffic that goes out), a group, an address, a prefix, or a list of groups, addresses and prefixes.
	To sides `json:"to"`
	// The IP protocol.
	Protocol word `json:"protocol,omitempty" jsonschema:"enum=any,enum=tcp,enum=udp,enum=icmp,default=any"`
	// Ports and ranges of ports ("6000-6100"); every port when left out. Needs protocol tcp or udp.
	Ports ports `json:"ports,omitempty"`
	// The application that the firewall must recognise in the traffic, such as SMTP. Needs protocol tcp.
	Application word `json:"application,omitempty" jsonschema:"default=ANY,pattern=^[A-Za-z0-9_]+$"`
	// What happens: accept lets the traffic pass, log lets it pass and records it, drop does not.
	Action word `json:"action" jsonschema:"enum=accept,enum=drop,enum=log"`
}

// One enforcement point: a map with exactly one key, its kind.
type targetEntry struct {
	spot
	// The internet firewall of Cloud Firewall.
	InternetFirewall *internetEntry `json:"internet-firewall,omitempty"`
	// The firewall of a NAT gateway. Sees IPv4 traffic that goes out.
	NATFirewall *natEntry `json:"nat-firewall,omitempty"`
	// The firewall between your own networks. Sees the traffic of rules with direction between.
	VPCFirewall *vpcEntry `json:"vpc-firewall,omitempty"`
	// An ECS security group. Holds only the blocked addresses; its other rules stay as they are.
	SecurityGroup *groupEntry `json:"security-group,omitempty"`
}

// The internet firewall gets all rules and every blocked address.
type internetEntry struct {
	spot
	// Which of the rules it gets.
	Rules word `json:"rules,omitempty" jsonschema:"enum=all,default=all"`
	// The cloud it is in, or a list of them; needed when several are configured.
	Cloud choices `json:"cloud,omitempty"`
}

// A NAT firewall gets the rules with direction out.
type natEntry struct {
	spot
	// The id of the NAT gateway, such as ngw-bp1gjhvmcg9ltnbjv.
	ID word `json:"id" jsonschema:"pattern=^ngw-[A-Za-z0-9-]{1\\,60}$"`
	// Which of these rules it gets: all, or a list of names.
	Rules choices `json:"rules,omitempty"`
	// The cloud it is in; needed when several are configured.
	Cloud choices `json:"cloud,omitempty"`
}

// A VPC firewall gets the rules with direction between.
type vpcEntry struct {
	spot
	// The id of its rules: of the CEN instance (cen-…), or of the VPC firewall of an Express Connect circuit (vfw-…).
	ID word `json:"id" jsonschema:"pattern=^(cen|vfw)-[A-Za-z0-9-]{1\\,60}$"`
	// Which of these rules it gets: all, or a list of names.
	Rules choices `json:"rules,omitempty"`
	// The cloud it is in; needed when several are configured.
	Cloud choices `json:"cloud,omitempty"`
}

// A security group gets the worst of the blocked addresses.
type groupEntry struct {
	spot
	// The id, such as sg-bp67acfmxazb4ph.
	ID word `json:"id" jsonschema:"pattern=^sg-[A-Za-z0-9-]{1\\,60}$"`
	// The cloud it is in; needed when several are configured.
	Cloud choices `json:"cloud,omitempty"`
	// Which of the blocked addresses it gets: those with the highest scores.
	Blocked word `json:"blocked,omitempty" jsonschema:"enum=top,default=top"`
	// How it holds them: in a prefix list, or in rules of its own.
	Via word `json:"via,omitempty" jsonschema:"enum=prefix-list,enum=rules,default=prefix-list"`
	// The most blocked addresses that it holds; a fifth of the places is for IPv6.
	Capacity number `json:"capacity,omitempty" jsonschema:"minimum=1,maximum=200,default=100"`
}

// Where there is no room for every blocked address, prefixes are merged without loss
// first. Then wider prefixes may stand for several addresses, at the expense of
// innocent ones, up to this budget. Then the lowest scores are left out.
type capacityEntry struct {
	spot
	// So many innocents may be blocked, of each family in the books of the firewalls and in each security group: IPv4 addresses, or IPv6 networks of 64 bits.
	Collateral number `json:"collateral,omitempty" jsonschema:"minimum=0,maximum=65536,default=0"`
	// The fewest bits of a prefix that covers innocent IPv4 addresses.
	WidestIPv4 number `json:"widest_ipv4,omitempty" jsonschema:"minimum=16,maximum=32,default=24"`
	// The fewest bits of a prefix that covers innocent IPv6 addresses.
	WidestIPv6 number `json:"widest_ipv6,omitempty" jsonschema:"minimum=32,maximum=128,default=64"`
}

// Rules that stand above the others while the incident lasts.
type incidentEntry struct {
	spot
	// What starting the incident means, in one line.
	Summary word `json:"summary"`
	// The rules, in order.
	Rules records[ruleEntry] `json:"rules"`
}
