package alibaba

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cliProfile is one profile of the vendor CLI's configuration (reference §1.8).
type cliProfile struct {
	Name            string `json:"name"`
	Mode            string `json:"mode"`
	AccessKeyID     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret"`
	SecurityToken   string `json:"sts_token"`
	RoleARN         string `json:"ram_role_arn"`
	RoleSession     string `json:"ram_session_name"`
	RoleSeconds     int    `json:"expired_seconds"`
	ExternalID      string `json:"external_id"`
	Policy          string `json:"policy"`
	STSRegion       string `json:"sts_region"`
	VPC             bool   `json:"enable_vpc"`
	SourceProfile   string `json:"source_profile"`
	ECSRole         string `json:"ram_role_name"`
	OIDCTokenFile   string `json:"oidc_token_file"`
	OIDCProvider    string `json:"oidc_provider_arn"`
	URI             string `json:"credentials_uri"`
}

type cliConfig struct {
	Current  string       `json:"current"`
	Profiles []cliProfile `json:"profiles"`
}

func (c cliConfig) profile(name string) (cliProfile, bool) {
	for _, p := range c.Profiles {
		if p.Name == name {
			return p, true
		}
	}
	return cliProfile{}, false
}

func findCLIProfile(c CredentialSource, calls *caller, _ bool) (found, error) {
	if strings.EqualFold(os.Getenv("ALIBABA_CLOUD_CLI_PROFILE_DISABLED"), "true") {
		return found{looked: "ALIBABA_CLOUD_CLI_PROFILE_DISABLED is true"}, nil
	}
	raw, path, err := readHomeFile(".aliyun/config.json")
	if err != nil || raw == nil {
		return found{looked: "no " + path}, err
	}
	var config cliConfig
	if json.Unmarshal(raw, &config) != nil { // its error would quote the file
		return found{}, fmt.Errorf("%s is not the JSON that the vendor's CLI writes", path)
	}
	name := cmp.Or(c.Profile, os.Getenv("ALIBABA_CLOUD_PROFILE"), config.Current)
	p, ok := config.profile(name)
	if !ok {
		return found{looked: fmt.Sprintf("no profile %q in %s", name, path)}, nil
	}
	// The CLI writes an empty profile when it is first run.
	if p.Mode == "" || p.Mode == "AK" && p.AccessKeyID == "" && p.AccessKeySecret == "" {
		return found{looked: fmt.Sprintf("profile %q in %s is empty", name, path)}, nil
	}
	f, err := config.issuer(p, c.STSEndpoint, calls, 0)
	if err != nil {
		return found{}, fmt.Errorf("profile %q in %s: %w", name, path, err)
	}
	f.detail = name
	return f, nil
}

// cliModes are the ways of the vendor's CLI to get keys that are understood here. Not
// understood are those that run a program or open a browser: External, CloudSSO, OAuth.
var cliModes = []string{"AK", "StsToken", "RamRoleArn", "EcsRamRole", "OIDC", "CredentialsURI", "ChainableRamRoleArn"}

// longestChain bounds profiles that assume roles on top of one another.
const longestChain = 5

func (c cliConfig) issuer(p cliProfile, endpoint string, calls *caller, depth int) (found, error) {
	assume := func(base found, err error) (found, error) {
		if err != nil {
			return found{}, err
		}
		r := role{
			arn: p.RoleARN, session: p.RoleSession, external: p.ExternalID, policy: p.Policy,
			duration: time.Duration(p.RoleSeconds) * time.Second, endpoint: endpoint, region: p.STSRegion, vpc: p.VPC,
		}
		assumed, err := r.on(base.issuer, "profile "+p.Name, calls)
		return found{issuer: assumed}, err
	}
	switch p.Mode {
	case "AK":
		return fixedKey(p.AccessKeyID, p.AccessKeySecret, "")
	case "StsToken":
		if p.SecurityToken == "" {
			return found{}, errors.New("mode StsToken has no sts_token")
		}
		return fixedKey(p.AccessKeyID, p.AccessKeySecret, p.SecurityToken)
	case "RamRoleArn":
		return assume(fixedKey(p.AccessKeyID, p.AccessKeySecret, p.SecurityToken))
	case "EcsRamRole":
		return ecsRole(p.ECSRole)
	case "OIDC":
		return oidc(oidcRole{
			tokenFile: p.OIDCTokenFile, provider: p.OIDCProvider, role: p.RoleARN, session: p.RoleSession, policy: p.Policy,
			seconds: p.RoleSeconds, endpoint: endpoint, region: p.STSRegion, vpc: p.VPC,
		})
	case "CredentialsURI":
		return uriProvider(p.URI)
	case "ChainableRamRoleArn":
		base, ok := c.profile(p.SourceProfile)
		if !ok {
			return found{}, fmt.Errorf("there is no source profile %q", p.SourceProfile)
		}
		if depth >= longestChain {
			return found{}, fmt.Errorf("more than %d profiles follow one another", longestChain)
		}
		return assume(c.issuer(base, endpoint, calls, depth+1))
	}
	return found{}, fmt.Errorf("mode %q is not supported; supported are %s", p.Mode, strings.Join(cliModes, ", "))
}

func findINIFile(c CredentialSource, calls *caller, _ bool) (found, error) {
	path := os.Getenv("ALIBABA_CLOUD_CREDENTIALS_FILE")
	var raw []byte
	var err error
	if path != "" {
		raw, err = os.ReadFile(path)
	} else {
		raw, path, err = readHomeFile(".alibabacloud/credentials")
	}
	if err != nil || raw == nil {
		return found{looked: "no " + path}, err
	}
	name := cmp.Or(c.Profile, os.Getenv("ALIBABA_CLOUD_PROFILE"), "default")
	section, ok := iniSection(string(raw), name)
	if !ok {
		return found{looked: fmt.Sprintf("no section [%s] in %s", name, path)}, nil
	}
	f, err := section.issuer(c.STSEndpoint, calls)
	if err != nil {
		return found{}, fmt.Errorf("section [%s] in %s: %w", name, path, err)
	}
	f.detail = name
	return f, nil
}

// iniKeys are the keys of one section.
type iniKeys map[string]string

func (s iniKeys) issuer(endpoint string, calls *caller) (found, error) {
	switch s["type"] {
	case "access_key":
		return fixedKey(s["access_key_id"], s["access_key_secret"], "")
	case "ecs_ram_role":
		return ecsRole(s["role_name"])
	case "ram_role_arn":
		base, err := fixedKey(s["access_key_id"], s["access_key_secret"], "")
		if err != nil {
			return found{}, err
		}
		assumed, err := role{arn: s["role_arn"], session: s["role_session_name"], policy: s["policy"], endpoint: endpoint}.on(base.issuer, "the key of the file", calls)
		return found{issuer: assumed}, err
	}
	return found{}, fmt.Errorf("type %q is not access_key, ecs_ram_role or ram_role_arn", s["type"])
}

// iniSection reads one section: "key = value" lines, comments behind # or ;, values
// in quotes or not. Lines that are nothing of this are passed over.
func iniSection(text, name string) (iniKeys, bool) {
	var keys iniKeys
	inside := false
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			inside = strings.TrimSpace(line[1:len(line)-1]) == name
			if inside && keys == nil {
				keys = iniKeys{}
			}
		case inside:
			if key, value, ok := strings.Cut(line, "="); ok {
				keys[strings.TrimSpace(key)] = iniValue(value)
			}
		}
	}
	return keys, keys != nil
}

func iniValue(value string) string {
	for _, mark := range []string{" #", " ;"} {
		value, _, _ = strings.Cut(value, mark)
	}
	value = strings.TrimSpace(value)
	for _, quote := range []string{`"`, `'`} {
		if inner, ok := strings.CutPrefix(value, quote); ok && strings.HasSuffix(inner, quote) {
			return strings.TrimSuffix(inner, quote)
		}
	}
	return value
}

// readHomeFile reads a file of the home directory; nil without an error when there
// is no such file.
func readHomeFile(name string) (raw []byte, path string, err error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, "~/" + name, nil
	}
	path = filepath.Join(home, name)
	raw, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, path, nil
	}
	if err == nil && raw == nil {
		raw = []byte{}
	}
	return raw, path, err
}
