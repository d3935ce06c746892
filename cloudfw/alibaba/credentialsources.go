package alibaba

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
)

func findOptions(c CredentialSource, _ *caller, _ bool) (found, error) {
	if c.AccessKeyID == "" && c.AccessKeySecret == "" {
		return found{looked: "no access key given"}, nil
	}
	return fixedKey(c.AccessKeyID, c.AccessKeySecret, c.SecurityToken)
}

func findEnv(CredentialSource, *caller, bool) (found, error) {
	id, secret := os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
	if id == "" && secret == "" {
		return found{looked: "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are not set"}, nil
	}
	return fixedKey(id, secret, os.Getenv("ALIBABA_CLOUD_SECURITY_TOKEN"))
}

// fixedKey is a permanent or temporary key that is known already.
func fixedKey(id, secret, token string) (found, error) {
	switch {
	case id == "":
		return found{}, errors.New("the access key secret has no access key id")
	case secret == "":
		return found{}, errors.New("the access key id has no secret")
	}
	kind := "static_ak"
	if token != "" {
		kind = "static_sts"
	}
	return found{issuer: &fixed{credentials.Credentials{AccessKeyId: id, AccessKeySecret: secret, SecurityToken: token, ProviderName: kind}}}, nil
}

func findOIDC(c CredentialSource, _ *caller, _ bool) (found, error) {
	names := []string{"ALIBABA_CLOUD_OIDC_TOKEN_FILE", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_ROLE_ARN"}
	// The role alone is also set for other sources.
	if os.Getenv(names[0]) == "" && os.Getenv(names[1]) == "" {
		return found{looked: names[0] + " is not set"}, nil
	}
	for _, name := range names {
		if os.Getenv(name) == "" {
			return found{}, fmt.Errorf("%s is not set", name)
		}
	}
	return oidc(oidcRole{
		tokenFile: os.Getenv(names[0]), provider: os.Getenv(names[1]), role: os.Getenv(names[2]),
		session: os.Getenv("ALIBABA_CLOUD_ROLE_SESSION_NAME"), endpoint: c.STSEndpoint,
	})
}

type oidcRole struct {
	tokenFile, provider, role, session, policy string
	seconds                                    int
	endpoint, region                           string
	vpc                                        bool
}

func oidc(o oidcRole) (found, error) {
	if _, err := os.Stat(o.tokenFile); err != nil {
		return found{}, fmt.Errorf("token file: %w", err)
	}
	return newSDKIssuer(func() (credentials.CredentialsProvider, error) {
		return credentials.NewOIDCCredentialsProviderBuilder().
			WithOIDCTokenFilePath(o.tokenFile).WithOIDCProviderARN(o.provider).WithRoleArn(o.role).
			WithRoleSessionName(cmp.Or(o.session, "fwsync")).WithPolicy(o.policy).WithDurationSeconds(o.seconds).
			WithSTSEndpoint(o.endpoint).WithStsRegion(o.region).WithEnableVpc(o.vpc).Build()
	})
}

func findECSRole(c CredentialSource, _ *caller, chosen bool) (found, error) {
	name := cmp.Or(c.ECSRole, os.Getenv("ALIBABA_CLOUD_ECS_METADATA"))
	if strings.EqualFold(os.Getenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED"), "true") {
		return found{looked: "ALIBABA_CLOUD_ECS_METADATA_DISABLED is true"}, nil
	}
	if name == "" && !chosen {
		return found{looked: "ALIBABA_CLOUD_ECS_METADATA names no role"}, nil
	}
	return ecsRole(name)
}

func ecsRole(name string) (found, error) {
	// Without a session token of its own, the metadata service answers whoever gets a
	// program on this machine to fetch a URL for him.
	f, err := newSDKIssuer(func() (credentials.CredentialsProvider, error) {
		return credentials.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(name).WithDisableIMDSv1(true).Build()
	})
	f.detail = name
	return f, err
}
