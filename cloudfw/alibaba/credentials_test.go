package alibaba

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
)

// bare removes everything from the surroundings that could name credentials.
func bare(t *testing.T) (home string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "ALIBABA_CLOUD_") {
			t.Setenv(name, "")
		}
	}
	home = t.TempDir()
	t.Setenv("HOME", home)
	return home
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

const cliConfigFile = `{"current":"prod","profiles":[
	{"name":"default","mode":"AK","access_key_id":"","access_key_secret":""},
	{"name":"prod","mode":"AK","access_key_id":"cli-id","access_key_secret":"cli-secret-value"},
	{"name":"sts","mode":"StsToken","access_key_id":"sts-id","access_key_secret":"sts-secret","sts_token":"sts-token"},
	{"name":"half","mode":"StsToken","access_key_id":"sts-id","access_key_secret":"sts-secret"},
	{"name":"sso","mode":"CloudSSO"},
	{"name":"loop","mode":"ChainableRamRoleArn","source_profile":"loop","ram_role_arn":"acs:ram::1:role/a"},
	{"name":"norole","mode":"RamRoleArn","access_key_id":"cli-id","access_key_secret":"cli-secret-value","ram_role_arn":"nonsense"},
	{"name":"orphan","mode":"ChainableRamRoleArn","source_profile":"gone","ram_role_arn":"acs:ram::1:role/a"}]}`

const iniFile = "; comment\n[default]\ntype = access_key\naccess_key_id = \"ini-id\"  # note\naccess_key_secret = 'ini-secret-value'\nnonsense\n" +
	"[odd]\ntype = bearer\n[empty]\n"

func TestTheFirstConfiguredSourceIsChosen(t *testing.T) {
	for _, c := range []struct {
		what   string
		env    map[string]string
		cli    string
		ini    string
		source CredentialSource
		name   string // of the source; "" for none
		id     string // of the key
		fails  string // what the error says
	}{
		{what: "nothing at all", fails: "no credentials are configured; looked for options (no access key given); env (ALIBABA_CLOUD_ACCESS_KEY_ID"},
		{what: "the environment", env: map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret"}, cli: cliConfigFile, ini: iniFile, name: "env", id: "env-id"},
		{what: "options before the environment", env: map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret"}, source: CredentialSource{AccessKeyID: "opt-id", AccessKeySecret: "opt-secret"}, name: "options", id: "opt-id"},
		{what: "another order", env: map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret"}, cli: cliConfigFile, source: CredentialSource{Order: []string{FromCLIProfile, FromEnv}}, name: "cli-profile prod", id: "cli-id"},
		{what: "the profile of the CLI", cli: cliConfigFile, ini: iniFile, name: "cli-profile prod", id: "cli-id"},
		{what: "a profile by option", cli: cliConfigFile, source: CredentialSource{Profile: "sts"}, name: "cli-profile sts", id: "sts-id"},
		{what: "a profile by environment", env: map[string]string{"ALIBABA_CLOUD_PROFILE": "sts"}, cli: cliConfigFile, name: "cli-profile sts", id: "sts-id"},
		{what: "an empty profile passed over for the file", cli: `{"current":"default","profiles":[{"name":"default","mode":"AK"}]}`, ini: iniFile, name: "ini-file default", id: "ini-id"},
		{what: "the CLI switched off", env: map[string]string{"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "TRUE"}, cli: cliConfigFile, ini: iniFile, name: "ini-file default", id: "ini-id"},
		{what: "a source by name", env: map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret"}, ini: iniFile, source: CredentialSource{Name: FromINIFile}, name: "ini-file default", id: "ini-id"},

		{what: "half an environment does not fall through", env: map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id"}, cli: cliConfigFile, fails: "credentials env: denied: configured but not usable: the access key id has no secret"},
		{what: "half OIDC does not fall through", env: map[string]string{"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/nowhere"}, cli: cliConfigFile, fails: "ALIBABA_CLOUD_OIDC_PROVIDER_ARN is not set"},
		{what: "OIDC without its file", env: map[string]string{"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/nowhere", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1:oidc-provider/x", "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/x"}, fails: "token file"},
		{what: "a broken file of the CLI", cli: `{"access_key_secret":"cli-secret-value"`, ini: iniFile, fails: "is not the JSON that the vendor's CLI writes"},
		{what: "an unsupported mode", cli: cliConfigFile, source: CredentialSource{Profile: "sso"}, fails: `profile "sso" in`},
		{what: "a token mode without token", cli: cliConfigFile, source: CredentialSource{Profile: "half"}, fails: "no sts_token"},
		{what: "profiles in a circle", cli: cliConfigFile, source: CredentialSource{Profile: "loop"}, fails: "more than 5 profiles"},
		{what: "a role that is none", cli: cliConfigFile, source: CredentialSource{Profile: "norole"}, fails: "is not an ARN"},
		{what: "a source profile that is gone", cli: cliConfigFile, source: CredentialSource{Profile: "orphan"}, fails: `no source profile "gone"`},
		{what: "an unknown type in the file", ini: iniFile, source: CredentialSource{Profile: "odd"}, fails: `type "bearer" is not`},
		{what: "a missing file that was named", env: map[string]string{"ALIBABA_CLOUD_CREDENTIALS_FILE": "/nowhere/credentials"}, fails: "no such file"},
		{what: "a named source that is not configured", source: CredentialSource{Name: FromURI}, fails: "looked for uri (ALIBABA_CLOUD_CREDENTIALS_URI is not set)"},
		{what: "a source that does not exist", source: CredentialSource{Name: "magic"}, fails: `unknown source "magic"`},
		{what: "metadata without a role is not asked", fails: "ecs-role (ALIBABA_CLOUD_ECS_METADATA names no role)"},
		{what: "metadata switched off", env: map[string]string{"ALIBABA_CLOUD_ECS_METADATA": "r", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}, fails: "ecs-role (ALIBABA_CLOUD_ECS_METADATA_DISABLED is true)"},
		{what: "a URI that is none", source: CredentialSource{URI: "file:///etc/passwd"}, fails: "not an http or https URL"},
		{what: "an assumed role that is none", source: CredentialSource{AccessKeyID: "opt-id", AccessKeySecret: "opt-secret", RoleARN: "fwsync"}, fails: "is not an ARN"},
		{what: "too short a session", source: CredentialSource{AccessKeyID: "opt-id", AccessKeySecret: "opt-secret", RoleARN: "acs:ram::1:role/x", RoleDuration: time.Minute}, fails: "is not between 15 minutes and 12 hours"},
	} {
		t.Run(c.what, func(t *testing.T) {
			home := bare(t)
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			if c.cli != "" {
				writeFile(t, filepath.Join(home, ".aliyun/config.json"), c.cli)
			}
			if c.ini != "" {
				writeFile(t, filepath.Join(home, ".alibabacloud/credentials"), c.ini)
			}
			s, err := choose(t, "", c.source)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("got %v, want %q", err, c.fails)
				}
				if kind := cloudfw.KindOf(err); kind != cloudfw.Denied && kind != cloudfw.Invalid {
					t.Errorf("kind %q", kind)
				}
				demandNoSecret(t, err.Error(), "env-secret", "cli-secret-value", "ini-secret-value", "opt-secret")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			key, err := s.key(t.Context())
			if err != nil || key.AccessKeyId != c.id || s.name != c.name {
				t.Errorf("got %q with key %+v (%v), want %q with %q", s.name, key, err, c.name, c.id)
			}
		})
	}
}

func TestSourcesThatNeedTheNetworkAreChosenWithoutIt(t *testing.T) {
	home := bare(t)
	writeFile(t, filepath.Join(home, "token"), "the-token")
	writeFile(t, filepath.Join(home, ".aliyun/config.json"), strings.ReplaceAll(`{"current":"none","profiles":[
		{"name":"metadata","mode":"EcsRamRole","ram_role_name":"mail-role"},
		{"name":"rrsa","mode":"OIDC","oidc_token_file":"HOME/token","oidc_provider_arn":"acs:ram::1:oidc-provider/x","ram_role_arn":"acs:ram::1:role/x"},
		{"name":"uri","mode":"CredentialsURI","credentials_uri":"http://127.0.0.1:1/"},
		{"name":"role","mode":"RamRoleArn","access_key_id":"a","access_key_secret":"b","ram_role_arn":"acs:ram::1:role/x"}]}`, "HOME", home))
	writeFile(t, filepath.Join(home, ".alibabacloud/credentials"),
		"[metadata]\ntype=ecs_ram_role\nrole_name=mail-role\n[role]\ntype=ram_role_arn\naccess_key_id=a\naccess_key_secret=b\nrole_arn=acs:ram::1:role/x\nrole_session_name=s\n")
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA", "mail-role")
	for want, c := range map[string]CredentialSource{
		"ecs-role mail-role":   {},
		"ecs-role other-role":  {Name: FromECSRole, ECSRole: "other-role"},
		"cli-profile metadata": {Profile: "metadata"},
		"cli-profile rrsa":     {Profile: "rrsa"},
		"cli-profile uri":      {Profile: "uri"},
		"cli-profile role":     {Profile: "role"},
		"ini-file metadata":    {Name: FromINIFile, Profile: "metadata"},
		"ini-file role":        {Name: FromINIFile, Profile: "role"},
	} {
		if s, err := choose(t, "", c); err != nil || s.name != want {
			t.Errorf("got %+v (%v), want %s", s, err, want)
		}
	}
}

func TestAnErrorOfUnknownMakingIsNotRepeated(t *testing.T) {
	s := &source{name: "env", busy: make(chan struct{}, 1)}
	for _, err := range []error{errors.New("the file says very-secret"), fmt.Errorf("get credentials from x failed: %s", `{"AccessKeySecret":"very-secret"}`)} {
		got := s.failure(err)
		if cloudfw.KindOf(got) != cloudfw.Denied {
			t.Errorf("got %v", got)
		}
		demandNoSecret(t, got.Error(), "very-secret")
	}
}

func TestASourceThatGivesNoKeysSaysWhatToLookAt(t *testing.T) {
	for name, want := range map[string]string{
		"oidc": "token file", "cli-profile prod, role acs:ram::1:role/x": "aliyun sts GetCallerIdentity", "ecs-role": "attach a RAM role",
		"ecs-role mail": "attach a RAM role", "uri host": "ALIBABA_CLOUD_CREDENTIALS_URI", "env": "check the credentials",
	} {
		s := &source{name: name}
		if err := s.failure(errNoCredentials); !strings.Contains(hint(err), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, hint %q", name, err, hint(err))
		}
	}
}

func TestTheAccountNamesItsSource(t *testing.T) {
	r := newRig(t, world())
	if got := r.CredentialsFrom(); got != "options" {
		t.Errorf("got %q", got)
	}
	if got := Sources(); !slices.Equal(got, defaultSources) {
		t.Errorf("sources %v", got)
	}
}

// choose picks a source; calls of the token service go to the endpoint, by plain http.
func choose(t *testing.T, endpoint string, c CredentialSource) (*source, error) {
	t.Helper()
	o, err := Options{Region: "cn-hangzhou", Endpoint: endpoint, Insecure: endpoint != "", Credentials: c, Pace: restless()}.complete()
	if err != nil {
		t.Fatal(err)
	}
	return chooseSource(c, newCaller(o))
}

// restless is a pace without pauses.
func restless() *Pace {
	p := NewPace(0)
	p.sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return p
}

// plainTokenService is the vendor's token service by plain http.
func plainTokenService(t *testing.T, answer http.HandlerFunc) (endpoint string) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// tokenService is the vendor's token service as the SDK calls it: by https only, with
// the default transport's trust.
func tokenService(t *testing.T, answer http.HandlerFunc) (endpoint string) {
	t.Helper()
	server := httptest.NewUnstartedServer(answer)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	original := http.DefaultTransport
	trusting := original.(*http.Transport).Clone()
	trusting.TLSClientConfig.RootCAs = roots
	http.DefaultTransport = trusting
	t.Cleanup(func() { http.DefaultTransport = original })
	return strings.TrimPrefix(server.URL, "https://")
}

func TestARoleIsAssumedOnTopOfAnySource(t *testing.T) {
	home := bare(t)
	var asked []string
	endpoint := plainTokenService(t, func(w http.ResponseWriter, req *http.Request) {
		req.ParseForm()
		asked = append(asked, req.Form.Get("Action")+" "+req.Form.Get("AccessKeyId")+" "+req.Form.Get("RoleArn")+" "+req.Form.Get("RoleSessionName")+" "+req.Form.Get("DurationSeconds"))
		fmt.Fprintf(w, `{"RequestId":"R","Credentials":{"AccessKeyId":"STS.%d","AccessKeySecret":"s","SecurityToken":"t","Expiration":%q}}`,
			len(asked), time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z"))
	})
	writeFile(t, filepath.Join(home, ".aliyun/config.json"), `{"current":"top","profiles":[
		{"name":"base","mode":"AK","access_key_id":"base-id","access_key_secret":"base-secret"},
		{"name":"top","mode":"ChainableRamRoleArn","source_profile":"base","ram_role_arn":"acs:ram::1:role/first","ram_session_name":"s1","expired_seconds":900}]}`)
	s, err := choose(t, endpoint, CredentialSource{RoleARN: "acs:ram::1:role/second"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		key, err := s.key(t.Context())
		if err != nil || key.AccessKeyId != "STS.2" || key.SecurityToken != "t" {
			t.Fatalf("got %+v, %v", key, err)
		}
	}
	if s.name != "cli-profile top, role acs:ram::1:role/second" {
		t.Errorf("named %q", s.name)
	}
	want := "AssumeRole base-id acs:ram::1:role/first s1 900|AssumeRole STS.1 acs:ram::1:role/second fwsync 3600"
	if got := strings.Join(asked, "|"); got != want {
		t.Errorf("asked %s\nwant  %s", got, want)
	}
}

func TestAnOIDCTokenIsExchanged(t *testing.T) {
	home := bare(t)
	endpoint := tokenService(t, func(w http.ResponseWriter, req *http.Request) {
		req.ParseForm()
		if req.Form.Get("Action") != "AssumeRoleWithOIDC" || req.Form.Get("OIDCToken") != "the-token" {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprintf(w, `{"RequestId":"R","Credentials":{"AccessKeyId":"STS.oidc","AccessKeySecret":"s","SecurityToken":"t","Expiration":%q}}`, time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z"))
	})
	writeFile(t, filepath.Join(home, "token"), "the-token")
	t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", filepath.Join(home, "token"))
	t.Setenv("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "acs:ram::1:oidc-provider/x")
	t.Setenv("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/x")
	s, err := choose(t, "", CredentialSource{STSEndpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	if key, err := s.key(t.Context()); err != nil || key.AccessKeyId != "STS.oidc" || s.name != "oidc" {
		t.Errorf("got %+v, %v from %s", key, err, s.name)
	}
}

func TestAFailingTokenServiceIsReportedByKindAndWithoutSecrets(t *testing.T) {
	bare(t)
	for _, c := range []struct {
		status int
		body   string
		want   cloudfw.Kind
	}{
		{403, `{"RequestId":"R-1","Code":"NoPermission","Message":"key LTAIbaseKeyNumber1 may not ?$QUERY"}`, cloudfw.Denied},
		{503, `{"RequestId":"R-1","Code":"ServiceUnavailable","Message":"x"}`, cloudfw.Unavailable},
		{403, `{"RequestId":"R-1","Code":17}`, cloudfw.Denied},
		{200, `{"RequestId":"R-1","Credentials":{"AccessKeyId":"a","AccessKeySecret":"very-secret","SecurityToken":"t"}}`, cloudfw.Unavailable},
		{200, `{"AccessKeySecret":"very-secret"`, cloudfw.Unavailable},
		{200, `{}`, cloudfw.Unavailable},
	} {
		endpoint := plainTokenService(t, func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, strings.ReplaceAll(c.body, "$QUERY", req.URL.RawQuery))
		})
		o := Options{Region: "cn-hangzhou", Endpoint: endpoint, Insecure: true, Pace: restless(), Credentials: CredentialSource{AccessKeyID: "LTAIbaseKeyNumber1", AccessKeySecret: "base-secret", RoleARN: "acs:ram::1:role/x"}}
		_, err := Open(t.Context(), o)
		if cloudfw.KindOf(err) != c.want || !strings.Contains(err.Error(), "options, role acs:ram::1:role/x") {
			t.Errorf("%d %s: %v, want kind %s", c.status, c.body, err, c.want)
		}
		demandNoSecret(t, err.Error(), "LTAIbaseKeyNumber1", "base-secret", "very-secret")
	}
	o := Options{Region: "cn-hangzhou", Credentials: CredentialSource{AccessKeyID: "LTAIbaseKeyNumber1", AccessKeySecret: "base-secret", RoleARN: "acs:ram::1:role/x", STSEndpoint: "127.0.0.1:1"}, Pace: restless()}
	_, err := Open(t.Context(), o)
	if cloudfw.KindOf(err) != cloudfw.Unavailable {
		t.Errorf("got %v", err)
	}
	demandNoSecret(t, err.Error(), "LTAIbaseKeyNumber1", "base-secret")
}

func TestATokenServiceThatHangsIsLeftWhenTheContextEnds(t *testing.T) {
	bare(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	released := make(chan struct{})
	endpoint := plainTokenService(t, func(http.ResponseWriter, *http.Request) {
		cancel()
		<-released
	})
	defer close(released)
	o := Options{Region: "cn-hangzhou", Credentials: CredentialSource{AccessKeyID: "id-1", AccessKeySecret: "secret", RoleARN: "acs:ram::1:role/x"}, Endpoint: endpoint, Insecure: true}
	if _, err := Open(ctx, o); cloudfw.KindOf(err) != cloudfw.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestKeysFromAURIAreRenewedBeforeTheyEnd(t *testing.T) {
	bare(t)
	lifetime := 2 * time.Minute
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":"id-%d","AccessKeySecret":"s","SecurityToken":"t","Expiration":%q}`, n, time.Now().Add(lifetime).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(server.Close)
	t.Setenv("ALIBABA_CLOUD_CREDENTIALS_URI", server.URL)
	s, err := choose(t, "", CredentialSource{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"id-1", "id-2", "id-3", "id-3"}
	for i, id := range want {
		if i == 2 {
			lifetime = time.Hour
		}
		if key, err := s.key(t.Context()); err != nil || key.AccessKeyId != id {
			t.Errorf("call %d: %+v, %v, want %s", i, key, err, id)
		}
	}
	for body, kind := range map[string]cloudfw.Kind{
		`{"AccessKeyId":"id","AccessKeySecret":"very-secret"}`:                    cloudfw.Denied,
		`{"AccessKeyId":"id","AccessKeySecret":"very-secret"`:                     cloudfw.Denied,
		`{"AccessKeyId":"i","AccessKeySecret":"very-secret","SecurityToken":"t"}`: cloudfw.Denied,
	} {
		bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		s, err := choose(t, "", CredentialSource{Name: FromURI, URI: bad.URL + "/?token=very-secret"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.key(t.Context())
		bad.Close()
		if cloudfw.KindOf(err) != kind {
			t.Errorf("%s: %v", body, err)
		}
		demandNoSecret(t, err.Error(), "very-secret")
		_, err = s.key(t.Context())
		if cloudfw.KindOf(err) != cloudfw.Unavailable {
			t.Errorf("a closed server: %v", err)
		}
		demandNoSecret(t, err.Error(), "very-secret")
	}
}

func TestACredentialSourceNeverPrintsItsSecrets(t *testing.T) {
	o := Options{Region: "cn-hangzhou", Credentials: CredentialSource{AccessKeyID: "LTAIsecretKeyId1", AccessKeySecret: "very-secret", SecurityToken: "very-token"}}
	raw, err := json.Marshal(o.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("opening", "credentials", o.Credentials)
	for _, text := range []string{fmt.Sprint(o), fmt.Sprintf("%+v", o), fmt.Sprintf("%#v", o), o.Credentials.String(), string(raw), logged.String()} {
		demandNoSecret(t, text, "LTAIsecretKeyId1", "very-secret", "very-token")
	}
}

func TestDebugMessagesNameTheCallAndNoSecret(t *testing.T) {
	r := newRig(t, world())
	var logged strings.Builder
	r.log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if _, err := r.readAssets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(logged.String(), "api=DescribeAssetList") || !strings.Contains(logged.String(), "status=200") {
		t.Errorf("logged %s", logged.String())
	}
	demandNoSecret(t, logged.String(), "Signature", "AccessKey")
}

func TestOptionsAreCheckedBeforeAnythingHappens(t *testing.T) {
	bare(t)
	good := Options{Region: "cn-hangzhou", Credentials: CredentialSource{AccessKeyID: "id-1", AccessKeySecret: "secret"}}
	if _, err := Open(t.Context(), good); err != nil {
		t.Errorf("good options: %v", err)
	}
	for what, edit := range map[string]func(*Options){
		"no region":                func(o *Options) { o.Region = "" },
		"a region with a slash":    func(o *Options) { o.Region = "cn/../x" },
		"an unknown site":          func(o *Options) { o.Site = "moon" },
		"plain http to the vendor": func(o *Options) { o.Insecure = true },
		"an endpoint with a path":  func(o *Options) { o.Endpoint = "127.0.0.1:80/x" },
		"an endpoint with a user":  func(o *Options) { o.Endpoint = "user:pw@127.0.0.1:80" },
		"an endpoint without port": func(o *Options) { o.Endpoint = "localhost" },
		"the vendor's whole rate":  func(o *Options) { o.QPS = 10 },
		"a negative rate":          func(o *Options) { o.QPS = -1 },
		"a negative timeout":       func(o *Options) { o.ReadTimeout = -1 },
		"no attempts":              func(o *Options) { o.MaxAttempts = -1 },
		"a user agent of lines":    func(o *Options) { o.UserAgent = "a\r\nb" },
	} {
		o := good
		edit(&o)
		if _, err := Open(t.Context(), o); cloudfw.KindOf(err) != cloudfw.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	t.Setenv("DEBUG", "http,sdk")
	if _, err := Open(t.Context(), good); cloudfw.KindOf(err) != cloudfw.Invalid || !strings.Contains(err.Error(), "DEBUG=sdk") {
		t.Errorf("DEBUG=sdk: %v", err)
	}
}

func TestCallsGoToTheRightPlace(t *testing.T) {
	for _, c := range []struct {
		o             Options
		product       string
		host, regions string
	}{
		{Options{Region: "cn-hangzhou"}, firewallProduct, "cloudfw.cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{Options{Region: "cn-beijing"}, firewallProduct, "cloudfw.aliyuncs.com", "cn-beijing"},
		{Options{Region: "ap-southeast-1"}, firewallProduct, "cloudfw.ap-southeast-1.aliyuncs.com", "ap-southeast-1"},
		{Options{Region: "eu-central-1", Site: International}, firewallProduct, "cloudfw.ap-southeast-1.aliyuncs.com", "ap-southeast-1"},
		{Options{Region: "eu-central-1", Site: International}, computeProduct, "ecs.eu-central-1.aliyuncs.com", "eu-central-1"},
		{Options{Region: "cn-hangzhou"}, computeProduct, "ecs-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{Options{Region: "cn-beijing", Endpoint: "127.0.0.1:18080"}, computeProduct, "127.0.0.1:18080", "cn-beijing"},
		{Options{Region: "cn-beijing", Endpoint: "127.0.0.1:18080"}, firewallProduct, "127.0.0.1:18080", "cn-beijing"},
	} {
		if to := c.o.door(c.product); to.host != c.host || to.region != c.regions {
			t.Errorf("%s of %+v goes to %s in %s", c.product, c.o, to.host, to.region)
		}
	}
}
