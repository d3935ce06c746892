package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"fwsync/cloudfw/simulator"
)

func newSimulator(g *global) *cobra.Command {
	var listen, state, key, secret string
	var empty bool
	cmd := &cobra.Command{
		Use:   "simulator",
		Short: "serve the local cloud to other programs",
		Long: `Serves the simulated Cloud Firewall and ECS on a loopback address, with signature
check, for fwsync itself, the vendor's CLI, its SDKs or curl, until interrupted. It
simulates: no real cloud is touched, and nothing here is a real account.`,
		Example: `  fwsync simulator --listen 127.0.0.1:18080 --state world.json
  fwsync simulator --listen 127.0.0.1:0 --empty`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options := simulator.Options{StateFile: state, Keys: map[string]string{key: secret}}
			if !empty {
				world := simulator.DefaultWorld()
				options.World = &world
			}
			sim, err := simulator.New(options)
			if err != nil {
				return withHint(fmt.Errorf("starting the simulator: %w", err), "repair the file, or move it away to start with a fresh world")
			}
			server, err := simulator.Listen(listen, sim.Handler())
			if err != nil {
				return withHint(fmt.Errorf("starting the simulator: %w", err), "choose another loopback address and port with --listen, such as 127.0.0.1:0")
			}
			fmt.Fprintf(cmd.OutOrStdout(), `the simulator listens on http://%s (a simulation, no real cloud)
keys: %s / %s
fwsync:     FWSYNC_CLOUD=alibaba FWSYNC_ALIBABA_REGION=cn-hangzhou FWSYNC_ALIBABA_ENDPOINT=%s FWSYNC_ALIBABA_INSECURE=true
            ALIBABA_CLOUD_ACCESS_KEY_ID=%s ALIBABA_CLOUD_ACCESS_KEY_SECRET=… fwsync plan
vendor CLI: aliyun cloudfw DescribeControlPolicy --CurrentPage 1 --PageSize 10 --Direction in --region cn-hangzhou --endpoint %s --insecure
`, server.Addr(), key, masked(key, secret), server.Addr(), key, server.Addr())
			<-cmd.Context().Done()
			if err := server.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("stopping the simulator: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:18080", "loopback `address` and port")
	cmd.Flags().StringVar(&state, "state", "", "keep the world in this `file`")
	cmd.Flags().StringVar(&key, "key", simulator.DefaultKey, "access key `id` that clients must use")
	cmd.Flags().StringVar(&secret, "secret", simulator.DefaultSecret, "its `secret`")
	cmd.Flags().BoolVar(&empty, "empty", false, "start with an empty cloud instead of the small default world")
	return cmd
}

// masked shows the well-known secret and hides any other.
func masked(key, secret string) string {
	if key == simulator.DefaultKey && secret == simulator.DefaultSecret {
		return secret
	}
	return "(as given)"
}
