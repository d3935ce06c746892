package maillog

import "strings"

// ownWords are what the daemons themselves write: the reasons, the commands, the parts
// of a session. No name of a person or a mailbox that one expects is among them.
var ownWords = wordSet(`
	a abort aborted aborting accept accepted access acl action address after again alert all allow allowed allowlisted allowusers and anonymous anvil any
	arg1 arg2 argument as at attempt attempts auth auth-worker auth_failed authenticate authenticated authenticating authentication authenticator
	authenticators authid authorization available average back bad banner bare bdat be because been before blacklisted blocked body bounced break-in
	broken buffer busy but by bye bytes cached cannot ccerts cert certificate channel character check check_mail check_rcpt check_relay checking cipher
	cleanup cleartext client close closed closing code collect command commands complete completed concurrency config configuration configured connect
	connection connections contains corrupt could count cr cram-md5 data database debug deferred delay delayed deleted delivered delivery denied
	denylisted did didn't digest-md5 disabled disallowed discarded disconnect disconnected disconnecting disconnection dispatch dn dns dnsbl dnsblog does
	dovecot drop dropped dropping due during ehlo empty end end-of-data end-of-message eof eom error errors esmtp esmtpa esmtps esmtpsa established etrn
	exceed exceeded exceeds exchange exim exim4 exist exists expired expn expunged extended fail failed failure failures false fatal find first flood for
	forbidden forged format found from fully-qualified gave generic given giving gone greet greeting greylisted greylisting gssapi handshake handshaking
	hangup has have header headers hello helo host hostname http https ident identification idle if illegal imap imap-login improper in inactivity
	inbound incorrect input insufficient interactive internal invalid ip is issue it kerberos kex key keyboard-interactive known last later length lf
	limit limited line lip listed local locked log logged login logout long lookup lost mail mailbox malformed managesieve managesieve-login many
	matching max maximum maxstartups may mech mechanism mechanisms message message-id method milter milter-reject mismatch missing more mta must need
	negotiate negotiation new newline no no-match no_auth_attempts non-smtp none nonmail noop noqueue not notice nrcpts null number of offer old on one
	only open or other out over pam parameter parse pass passdb passed passwd-file password past peer penalty per permanent permission permitted pid
	pipelining plain plaintext please pop3 pop3-login port possible possibly postfix postscreen pre-greeting preauth pregreet premature present problem
	process progress prohibited proper properly proto protocol proxy proxy-reject ptr publickey queue quit quota rank rate rbl rcpt reached read reading
	reason received recipient recipients record recv refused reject rejected rejecting relay relaying remote repeated reply reported request requested
	require required requires reset resolve resources response restriction restrictions retry reverse rewrite rip rset ruleset sasl saslauthd says
	scram-sha-1 scram-sha-256 screening seconds secret secs secured see sender sending sendmail sent serial server service session sieve size slow sm-mta
	smtp smtpa smtpd smtps smtputf8 some source spam spf ssh ssh2 sshd sshd-session ssl ssl_accept sslv2 sslv23 sslv3 start started starttls state status
	storage string submission submission-login submissions such supported synchronization syntactically syntax table tcp tcp_wrappers temporarily
	temporary terminated than that the their there this throttled throttling time timed timeout times tls tls1 tls1.2 tls1.3 tls1_2 tls1_3 tlsproxy tlsv1
	tlsv1.2 tlsv1.3 to too tried tries try trying unable unavailable undeliverable unexpected unix unknown unrecognized unrouteable unspecified
	unsupported until unverified use used user userdb username using utf-8 value verification verify version violation vrfy wait waited waiting warning
	was went were when while whitelisted with without write writing wrong xclient xforward you your
`)

func wordSet(text string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(text) {
		all[w] = true
	}
	return all
}

// ownValue says what a daemon's key may keep of its value.
type ownValue uint8

const (
	noValue     ownValue = iota // the key alone
	wordValue                   // a word of the daemon's own
	numberValue                 // a number, or two
)

// ownKeys are the keys whose values are the daemon's own.
var ownKeys = map[string]ownValue{
	"proto": wordValue, "method": wordValue, "mech": wordValue, "p": wordValue, "ruleset": wordValue, "cv": wordValue,
	"ehlo": numberValue, "helo": numberValue, "auth": numberValue, "starttls": numberValue, "mail": numberValue, "rcpt": numberValue,
	"data": numberValue, "bdat": numberValue, "rset": numberValue, "noop": numberValue, "vrfy": numberValue, "expn": numberValue, "etrn": numberValue,
	"quit": numberValue, "xclient": numberValue, "xforward": numberValue, "unknown": numberValue, "commands": numberValue,
	"reject": numberValue, "nrcpts": numberValue, "class": numberValue,

	"h": noValue, "i": noValue, "f": noValue, "a": noValue, "x": noValue, "u": noValue, "d": noValue, "c": noValue, "dn": noValue, "s": noValue,
	"sasl_username": noValue, "sasl_method": wordValue, "sasl_sender": noValue, "set_id": noValue, "authid": noValue, "user": noValue,
	"from": noValue, "to": noValue, "client": noValue, "relay": noValue, "arg1": noValue, "arg2": noValue, "rip": noValue, "lip": noValue,
	"mpid": noValue, "session": noValue, "size": noValue, "daemon": noValue, "bits": noValue, "msgid": noValue, "id": noValue,
	"rhost": noValue, "ruser": noValue, "logname": noValue, "uid": noValue, "euid": noValue, "tty": noValue, "pid": noValue,
}
