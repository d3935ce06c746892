package main

import (
	"github.com/spf13/cobra"
)

func newValidate(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "validate [PATH]",
		Short: "check the configuration and the policy files",
		Long: `Reads fwsync.yaml and every policy file strictly and reports all that is wrong, each
with file, line, column and a hint. With PATH only the policies there are checked.`,
		Example: `  fwsync validate
  fwsync validate policies/smtp.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			var path string
			var clouds []string
			if len(args) == 1 {
				path = args[0]
			} else {
				config, err := loadConfig(g.config)
				if err != nil {
					return err
				}
				path, clouds = config.Policies, config.cloudNames()
			}
			policy, err := loadPolicy(path, clouds...)
			if err != nil {
				return err
			}
			value := struct {
				Schema     string `json:"schema"`
				Policies   string `json:"policies"`
				Hash       string `json:"hash"`
				Groups     int    `json:"groups"`
				Signals    int    `json:"signals"` // declared ones
				Detections int    `json:"detections"`
				Rules      int    `json:"rules"`
				Targets    int    `json:"targets"`
			}{"fwsync.validation/v1", path, policy.Hash(), len(policy.Groups), len(policy.Signals), len(policy.Detections), len(policy.Rules), len(policy.Targets)}
			return answer(cmd, g, value, func(s *screen) {
				signals := ""
				if value.Signals > 0 {
					signals = plural(value.Signals, "declared signal") + ", "
				}
				s.line("%s is valid: %s, %s%s, %s, %s", path, plural(value.Groups, "group"), signals, plural(value.Detections, "detection"), plural(value.Rules, "rule"), plural(value.Targets, "target"))
			})
		},
	}
}
