package policies

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options are what loading needs to know from the outside.
type Options struct {
	// Signals are the names that detections may count. Empty: names are not checked.
	Signals []string
	// Successes are signals that speak for an address; counting them is refused
	// with a message of its own. They may be among Signals too.
	Successes []string
	// CheckSignals says what is wrong with declared signals that are well-formed, their
	// tests included. nil: patterns and tests are not checked.
	CheckSignals func([]Signal) []SignalFault
	// Clouds are the configured clouds. With several, each target names its own; the
	// only one may have the empty name, and then no target names any. Empty: names
	// are not checked.
	Clouds []string
}

// File is a policy file in memory.
type File struct {
	Name string // for messages
	Data []byte
}

// Load reads a policy file, or every *.yaml and *.yml directly in a folder in the
// order of their names (hidden ones left out), as one policy. Every error is an
// *Error with all that is wrong; one about a missing folder or an unreadable file
// has a finding without a line.
func Load(path string, options Options) (*Policy, error) {
	rep := &report{}
	info, err := os.Stat(path)
	if err != nil {
		rep.about(path, 0, "", "%s", cause(err, "no such file or folder"))
		return nil, rep.err()
	}
	paths := []string{path}
	if info.IsDir() {
		if paths, err = folder(path); err != nil {
			rep.about(path, 0, "", "reading the folder: %s", cause(err, "it is gone"))
			return nil, rep.err()
		}
		if len(paths) == 0 {
			rep.about(path, 0, "a policy lives in files ending in .yaml or .yml", "the folder holds no policy files")
			return nil, rep.err()
		}
	}
	files := make([]File, len(paths))
	for i, p := range paths {
		data, err := readFile(p)
		if err != nil {
			rep.about(p, i, "", "reading the file: %s", cause(err, "it is gone"))
			rep.incomplete = true
		}
		files[i] = File{p, data}
	}
	return build(path, files, options, rep)
}

// Files reads what Load reads, without a look at what it says.
func Files(path string) ([]File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	paths := []string{path}
	if info.IsDir() {
		if paths, err = folder(path); err != nil {
			return nil, err
		}
	}
	files := make([]File, len(paths))
	for i, p := range paths {
		data, err := readFile(p)
		if err != nil {
			return nil, err
		}
		files[i] = File{p, data}
	}
	return files, nil
}

// Parse is Load for files in memory, in the order given.
func Parse(files []File, options Options) (*Policy, error) {
	rep := &report{}
	root := "policy"
	if len(files) == 1 {
		root = files[0].Name
	}
	return build(root, files, options, rep)
}

func build(root string, files []File, options Options, rep *report) (*Policy, error) {
	docs := make([]*document, 0, len(files))
	for i, f := range files {
		docs = append(docs, parse(&source{name: f.Name, index: i}, f.Data, rep))
	}
	policy := check(root, docs, options, rep)
	if err := rep.err(); err != nil {
		return nil, err
	}
	return policy, nil
}

// folder lists a folder's policy files.
func folder(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || e.IsDir() {
			continue
		}
		if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
			paths = append(paths, filepath.Join(path, name))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// readFile reads a regular file, at most one byte more than the parser accepts.
func readFile(path string) ([]byte, error) {
	// Opening a pipe would wait for a writer, so the kind is asked first.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
}

// cause is an I/O error without the path, which the finding names anyway.
func cause(err error, missing string) string {
	if errors.Is(err, fs.ErrNotExist) {
		return missing
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
