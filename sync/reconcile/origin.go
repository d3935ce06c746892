package reconcile

import (
	"strings"

	"fwsync/detect"
)

// origin tells files and names apart. The engine knows where a line was read, which is
// not always the source's path: a rotated log lies beside it. A line that an earlier
// version kept has only the name, and one of a source that is gone only the file.
func (l *Look) origin(evidence []detect.Evidence) {
	for i := range evidence {
		e := &evidence[i]
		name, longest := "", -1
		for _, s := range l.Sources {
			if path := s.Log.Path; len(path) > longest && (e.Source == path || rotatedFrom(path, e.Source)) {
				name, longest = s.Name, len(path)
			}
		}
		if name != "" {
			e.Source, e.File = name, e.Source
		}
	}
}

// rotatedFrom reports whether a file is called as a log is after its rotation.
func rotatedFrom(log, file string) bool {
	suffix, ok := strings.CutPrefix(file, log)
	return ok && len(suffix) > 1 && (suffix[0] == '.' || suffix[0] == '-')
}
