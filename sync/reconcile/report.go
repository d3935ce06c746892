package reconcile

import (
	"fmt"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/apply"
	"fwsync/sync/gates"
	"fwsync/sync/plan"
	"fwsync/sync/verify"
)

// Schema is the version of the report's JSON form.
const Schema = "fwsync.report/v1"

// Report is what reconcile, plan and apply answer. Parts that a command does not
// get to are absent. With one cloud its part stands in the report itself; with
// several each has its own in Clouds.
type Report struct {
	Schema     string            `json:"schema"`
	Command    string            `json:"command"`
	At         time.Time         `json:"at"`
	Owner      cloudfw.Owner     `json:"owner"`
	Summary    Summary           `json:"summary"`
	Sources    []SourceReport    `json:"sources"`
	Detections []DetectionReport `json:"detections"`
	Decisions  DecisionCount     `json:"decisions"`
	Ledger     *LedgerCount      `json:"ledger,omitempty"`
	Lapsed     []Lapsed          `json:"lapsed,omitempty"`    // what the policies end
	Incidents  []IncidentView    `json:"incidents,omitempty"` // that are running: their rules stand above all others
	Recovered  string            `json:"recovered,omitempty"`
	NextEnd    time.Time         `json:"-"` // when the first of the decisions in force ends; zero if none does
	*CloudReport
	Clouds []*CloudReport `json:"clouds,omitempty"`
}

// Each returns the part of each cloud.
func (r Report) Each() []*CloudReport {
	if r.CloudReport != nil {
		return []*CloudReport{r.CloudReport}
	}
	return r.Clouds
}

// Changes reports whether the plan of a cloud has steps.
func (r Report) Changes() bool {
	return slices.ContainsFunc(r.Each(), func(c *CloudReport) bool { return c.Plan.Changes() })
}

// CloudReport is what was found and done in one cloud.
type CloudReport struct {
	Cloud        string           `json:"cloud"`          // for people
	Name         string           `json:"name,omitempty"` // as policies name it; absent with a single cloud
	Failed       string           `json:"failed,omitempty"`
	Exempted     []Exempted       `json:"exempted,omitempty"`
	Narrowed     *Narrowed        `json:"narrowed,omitempty"` // of a pass about some addresses only
	Waiting      []Waiting        `json:"waiting,omitempty"`  // of feeds
	Plan         plan.Plan        `json:"plan"`
	Proof        plan.Proof       `json:"proof"`    // the plan's, at hand for other programs
	Capacity     []plan.Use       `json:"capacity"` // likewise
	Withheld     []gates.Withheld `json:"withheld"` // of all gates
	Gates        []gates.Finding  `json:"gates"`    // what each gate let pass and withheld
	Refusals     []gates.Refusal  `json:"refusals"`
	Applied      *apply.Result    `json:"applied,omitempty"`
	Stopped      string           `json:"stopped,omitempty"`
	Calls        []Call           `json:"calls"`
	Timings      []Timing         `json:"timings,omitempty"`
	Verification *verify.Report   `json:"verification,omitempty"`

	targets []string         // that the intent has
	live    cloudfw.Snapshot // what the plan was made from
}

// Targets names the targets that the policies have in the cloud.
func (c *CloudReport) Targets() []string { return c.targets }

// Summary are the figures that other programs read first, over all clouds.
type Summary struct {
	Lines      int64 `json:"lines"`      // read in this pass
	Signals    int64 `json:"signals"`    // found in them
	Detections int   `json:"detections"` // reported in this pass
	Decisions  int   `json:"decisions"`  // blocks that must be in force
	Steps      int   `json:"steps"`      // of the plans
	Reads      int   `json:"reads"`      // calls made
	Writes     int   `json:"writes"`
	Gaps       int   `json:"gaps"`   // what is demanded and not enforced; of a plan: 0
	Failed     int   `json:"failed"` // clouds that could not be read or brought into shape
}

// Timing is how long what was done with one outcome took, waiting for the vendor's
// limit included.
type Timing struct {
	Op      string  `json:"op"`
	Outcome string  `json:"outcome"`
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"`
	Longest float64 `json:"longest_seconds"`
}

// DecisionCount says how the decisions changed in this pass.
type DecisionCount struct {
	Active    int `json:"active"`
	New       int `json:"new"`
	Prolonged int `json:"prolonged"`
	Ended     int `json:"ended,omitempty"` // by feeds that no longer list their prefix
}

func (n *DecisionCount) add(d ledger.Decision, fresh bool) {
	switch {
	case fresh:
		n.New++
	case !d.RevokedAt.IsZero():
		n.Ended++
	default:
		n.Prolonged++
	}
}

// LedgerCount says how many decisions of each state the ledger holds.
type LedgerCount struct {
	Blocks  int `json:"blocks"` // in force
	Allows  int `json:"allows"` // in force
	Later   int `json:"later"`  // begin in the future
	Ended   int `json:"ended"`
	Revoked int `json:"revoked"`
}

func countLedger(decisions []ledger.Decision, now time.Time) *LedgerCount {
	var n LedgerCount
	for _, d := range decisions {
		switch {
		case !d.RevokedAt.IsZero():
			n.Revoked++
		case d.Start.After(now):
			n.Later++
		case !d.ActiveAt(now):
			n.Ended++
		case d.Verdict == ledger.Allow:
			n.Allows++
		default:
			n.Blocks++
		}
	}
	return &n
}

// Exempted is a block that is not enforced because its address must not be.
type Exempted struct {
	Prefix string `json:"prefix"`
	Reason string `json:"reason"`
}

// Call is what the calls of one API came to.
type Call struct {
	API      string         `json:"api"`
	Write    bool           `json:"write"`
	Count    int            `json:"count"`
	Outcomes map[string]int `json:"outcomes"`       // how many of them: done, or the error's kind
	Seconds  float64        `json:"seconds"`        // that they took
	Waited   float64        `json:"waited_seconds"` // before that, for the vendor's limit
}

// report puts together what is known so far.
func (l *Look) report(command string, g Gathered, jobs []*job) Report {
	r := Report{
		Schema: Schema, Command: command, At: l.Now().UTC(), Owner: l.Owner,
		Sources: g.Sources, Detections: g.Detections, Lapsed: lapsedReports(jobs), Ledger: g.inLedger,
	}
	if r.Sources == nil {
		r.Sources = []SourceReport{}
	}
	if r.Detections == nil {
		r.Detections = []DetectionReport{}
	}
	r.Decisions = g.counted
	for _, d := range g.Intake.Decisions {
		r.Decisions.add(d, g.fresh(d.ID))
	}
	for _, s := range g.Sources {
		r.Summary.Lines += s.Lines
		r.Summary.Signals += s.Signals
	}
	r.Summary.Detections = len(g.Detections)
	if len(jobs) > 0 && l.pretend == nil {
		for _, i := range jobs[0].during {
			r.Incidents = append(r.Incidents, viewOf(i, l.Now()))
		}
	}
	for _, j := range jobs {
		part := j.report
		if j.err != nil {
			part.Failed = j.err.Error()
			r.Summary.Failed++
		}
		part.Proof, part.Capacity, part.Withheld = part.Plan.Proof, part.Plan.Capacity, []gates.Withheld{}
		for _, f := range part.Gates {
			part.Withheld = append(part.Withheld, f.Withheld...)
		}
		traffic := j.Traffic()
		r.Summary.Reads += traffic.Reads
		r.Summary.Writes += traffic.Writes
		part.Calls = j.Calls()
		if j.Timings != nil {
			part.Timings = j.Timings()
		}
		if part.Verification != nil {
			r.Summary.Gaps += len(part.Verification.Gaps)
		}
		// Clouds differ only in which of the blocks are their own addresses.
		r.Decisions.Active = max(r.Decisions.Active, len(j.outlook.Intent.Blocked))
		r.Summary.Steps += len(part.Plan.Steps)
		r.Clouds = append(r.Clouds, &part)
	}
	r.Summary.Decisions = r.Decisions.Active
	if len(jobs) == 1 {
		r.CloudReport, r.Clouds = r.Clouds[0], nil
	}
	return r
}

// fresh reports whether a decision was new in this pass: before it was stored it
// had no id.
func (g Gathered) fresh(id int64) bool { return id == 0 || !g.prolonged[id] }

// Sick names the sources that cannot be believed.
func (r Report) Sick() []string {
	var sick []string
	for _, s := range r.Sources {
		if !s.Health.OK {
			note := "unhealthy"
			if len(s.Health.Notes) > 0 {
				note = s.Health.Notes[0]
			}
			sick = append(sick, fmt.Sprintf("%s: %s", s.Name, note))
		}
	}
	return sick
}
