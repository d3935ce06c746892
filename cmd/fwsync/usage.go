package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// hintUsage lets wrong arguments of every command end with how they are written, and
// commands that only have others name those.
func hintUsage(parent *cobra.Command) {
	for _, cmd := range parent.Commands() {
		hintUsage(cmd)
		if cmd.HasSubCommands() {
			cmd.Args = known
			continue
		}
		if args := cmd.Args; args != nil {
			cmd.Args = func(cmd *cobra.Command, given []string) error {
				err := args(cmd, given)
				if err == nil {
					return nil
				}
				switch text := err.Error(); {
				case strings.HasPrefix(text, "unknown command"): // of cobra.NoArgs
					err = fmt.Errorf("%q is an argument too many", given[0])
				case strings.Contains(text, "arg(s)") && len(given) == 0:
					err = errors.New("an argument is missing")
				case strings.Contains(text, "arg(s)"):
					err = fmt.Errorf("%s given, which is not what it takes", plural(len(given), "argument"))
				}
				return withHint(err, "usage: %s", cmd.UseLine())
			}
		}
	}
}

// known refuses the name of no command.
func known(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := errors.New("unknown command " + quote(strings.TrimPrefix(cmd.CommandPath()+" "+args[0], cmd.Root().Name()+" ")))
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	if near := nearest(args[0], names); near != "" {
		return withHint(err, "did you mean %s?", quote(near))
	}
	return withHint(err, "%s --help lists the commands", cmd.CommandPath())
}

// strictHelp has help and completion, which cobra adds, refuse what they do not know.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Run, cmd.RunE = nil, func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err != nil || len(rest) > 0 {
					return known(about, append(rest, args...)[:1])
				}
				return about.Help()
			}
		case "completion":
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// flagError says in words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	wanted := map[string]string{"int": "a whole number", "duration": "a time such as 30m", "bool": "true or false", "float64": "a number", "uint16": "a number up to 65535"}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if want := wanted[invalid.GetFlag().Value.Type()]; want != "" {
			return withHint(fmt.Errorf("--%s is %q", invalid.GetFlag().Name, invalid.GetValue()), "it is %s", want)
		}
	}
	return withHint(err, "%s", flagHint(cmd, err))
}

// flagHint names the flag that was probably meant.
func flagHint(cmd *cobra.Command, err error) string {
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		if near := nearest(name, flagNames(cmd)); near != "" {
			return "did you mean --" + near + "?"
		}
	}
	return cmd.CommandPath() + " --help lists the flags"
}
