# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # tools/demo sets $scratch
# The live part: steps made of tools/lab's commands, and what is worth seeing of each. Sourced by tools/demo.

export LAB_ID=demo-$$
readonly UP_AGAIN_S=60 CUT_OFF_S=60 GREETING_S=3 # the last is how long none comes
live_gate='' live_why='' dataplane='' posternd='' live_steps=0 live_failed=()

# In the background, so that an interruption is heard at once.
lab() { # WORDS...
	local rc=0
	tools/lab "$@" </dev/null &
	lab_pid=$!
	wait "$lab_pid" || rc=$?
	lab_pid=''
	return "$rc"
}
lab_pid=''

# First the command that is under way, or `up` would go on afterwards.
live_down() {
	[ -z "$lab_pid" ] || kill "$lab_pid" 2>/dev/null || :
	[ -z "$lab_pid" ] || wait "$lab_pid" 2>/dev/null || :
	lab_pid=''
	tools/lab down >/dev/null 2>&1 || :
}

# $live_gate is what stands in the wire then; nothing, if this machine can't, and $live_why says why.
live_up() {
	local gate
	live_why='needs root (sudo tools/demo)'
	[ "$(id -u)" -eq 0 ] || return 0
	live_why='this kernel, or container, lets nobody make namespaces'
	unshare --mount --uts --pid --net --fork true 2>/dev/null || return 0
	live_why='the peers (Postfix, SIPp, ...) could not be installed'
	tools/setup lab || return 0
	printf 'demo: setting up the lab (docs/lab.md)\n'
	live_why=''
	for gate in xdp native; do
		if lab up --gate "$gate" >"$scratch/up" 2>&1; then
			live_gate=$gate
			return 0
		fi
		live_why+="${live_why:+; }$gate: $(sed -n 's/^lab: //p' "$scratch/up" | tail -n 1)"
	done
	sed 's/^/   /' "$scratch/up"
}

heading() { # WORDS [COMMAND]
	printf '\n== %s\n' "$1"
	[ -z "${2:-}" ] || printf '   $ sudo tools/lab %s\n' "$2"
}

step_end() { # WORDS OK: what went wrong is shown whole
	live_steps=$((live_steps + 1))
	[ "$2" -eq 0 ] || return 0
	live_failed+=("$1")
	sed 's/^/   | /' "$scratch/step"
}

# Of the command's lines: of the sender's those that match, and what arrived and the gate did.
step() { # WORDS PATTERN COMMAND...
	local ok=1
	heading "$1" "${*:3}"
	lab "${@:3}" >"$scratch/step" 2>&1 || ok=0
	excerpt "$2" <"$scratch/step"
	step_end "$1" "$ok"
}

excerpt() { # PATTERN
	sed -E 's/host [^ ]+ said: //; s/ \(in reply to .*\)$//' | PATTERN=$1 awk '
		!/^  / || /^  (as expected|NOT)/ { next }
		substr($0, 3, 9) ~ /[a-z]/ { who = substr($0, 3, 9) }
		who ~ /^(sent|caller|telephone)/ && substr($0, 13) !~ ENVIRON["PATTERN"] { next }
		who ~ /^callee/ { next }
		{ printf "   %-10s%s\n", who == said ? "" : who, substr($0, 13); said = who }'
}

shown() { # WHO WHAT RESULT: a line like the lab's own
	printf '   %-10s%-40s %s\n' "$@"
}

comes() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# Whoever sends is refused from then on, in sessions that are open, too; then a mail is let through again.
live_suspend() {
	local words='A tenant is suspended while it sends, then let back' sender begun ok=1
	heading "$words" 'postern tenant suspend acme --reason "stolen password"'
	tools/lab shell tenants "$PWD/tools/demo.d/sessions.py" 198.51.100.25 192.0.2.10 ann@acme.example.com \
		</dev/null >"$scratch/step" 2>&1 &
	sender=$!
	comes "$CUT_OFF_S" grep -q '' "$scratch/step" || :
	begun=$(date +%s.%N)
	lab postern tenant suspend acme --reason 'stolen password' >"$scratch/page" 2>&1 || ok=0
	comes "$CUT_OFF_S" ended "$sender" || kill "$sender" 2>/dev/null || :
	[ "$(grep -c $'session\t421 4' "$scratch/step")" -eq 2 ] || ok=0
	awk -F '\t' -v begun="$begun" '{
		when = $1 > begun ? sprintf("%.2f s after the command", $1 - begun) : "before"
		printf "   %-10s%-40s %s\n", NR == 1 ? "sent" : "", $2 ", " when, $3 }' "$scratch/step"
	gate_events tenant_suspended
	printf '   $ sudo tools/lab postern tenant resume acme; sudo tools/lab mail clean\n'
	lab postern tenant resume acme >>"$scratch/page" 2>&1 || ok=0
	lab mail clean >"$scratch/mail" 2>&1 || ok=0
	excerpt '^.message' <"$scratch/mail"
	cat "$scratch/page" "$scratch/mail" >>"$scratch/step"
	step_end "$words" "$ok"
}

ended() { # PID
	! kill -0 "$1" 2>/dev/null
}

# The number after KEY... in the gate's status.
status_number() { # KEY...
	tools/lab postern status --json 2>/dev/null | python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1:]:
    value = value[key]
print(value)' "$@" 2>/dev/null
}

reads_again() { # PID: another dataplane has a policy
	[ "$(status_number dataplane pid)" != "$1" ] && tools/lab postern status 2>/dev/null | grep '^worker 0 .*heartbeat [0-9].*policy [1-9]' >/dev/null
}

gate_events() { # PATTERN: the last two that posternd wrote
	local who=posternd time event more
	tools/lab shell gate grep -hE "\"event\":\"($1)\"" /run/postern-lab/gate.d/eve.json 2>/dev/null | python3 -c '
import json, sys
for event in map(json.loads, sys.stdin):
    more = {k: v for k, v in event["gate"].items() if k not in ("event", "severity", "until") and v}
    print("\t".join((event["timestamp"][11:23], event["gate"]["event"], " ".join(f"{k}={v}" for k, v in more.items()))))' |
		tail -n 2 | while IFS=$'\t' read -r time event more; do
		shown "$who" "$time $event" "$more"
		who=''
	done
}

# $dataplane dies; with XDP posternd is held back until dataplane_back, or another one would be there at once.
dataplane_kill() {
	dataplane=$(status_number dataplane pid) && posternd=$(status_number posternd pid) || return 1
	if [ "$live_gate" = xdp ]; then
		printf '   $ sudo tools/lab shell gate kill -STOP %d     # posternd, which would start another\n' "$posternd"
		tools/lab shell gate kill -STOP "$posternd" || return 1
	fi
	printf '   $ sudo tools/lab shell gate kill -9 %d\n' "$dataplane"
	tools/lab shell gate kill -KILL "$dataplane"
}

dataplane_back() {
	tools/lab shell gate kill -CONT "$posternd" && comes "$UP_AGAIN_S" reads_again "$dataplane"
}

# With XDP the kernel holds the wire. DPDK's ports end with their dataplane: what is sent waits for the next one.
live_kill() {
	local ok=1 words='kill -9 of the dataplane: mail waits until posternd has started another'
	[ "$live_gate" = native ] || words='kill -9 of the dataplane, failure = "open": mail goes on, unread'
	heading "$words"
	dataplane_kill || ok=0
	printf '   $ sudo tools/lab mail clean\n'
	lab mail clean >"$scratch/step" 2>&1 || ok=0
	dataplane_back || ok=0
	excerpt '^.message' <"$scratch/step"
	gate_events 'dataplane_(died|up)'
	step_end "$words" "$ok"
	[ "$live_gate" = native ] || live_kill_closed
	step 'The new dataplane refuses as the old one did' '^.message' mail spam
}

live_kill_closed() {
	local ok=1 without with words='The same with failure = "closed": no mail without a dataplane'
	heading "$words" 'postern reload     # with failure = "closed" in its configuration'
	tools/lab shell gate sed -i 's/failure = "open"/failure = "closed"/' /run/postern-lab/gate.d/postern.conf || ok=0
	lab postern reload >"$scratch/step" 2>&1 || ok=0
	dataplane_kill || ok=0
	without=$(greeting)
	dataplane_back || ok=0
	comes "$UP_AGAIN_S" greeted || :
	with=$(cat "$scratch/greeting")
	shown sent 'a new session, without a dataplane' "$without"
	shown '' 'a new session, with another' "$with"
	[[ $without == no* && $with == 220* ]] || ok=0
	gate_events 'dataplane_(died|up)'
	step_end "$words" "$ok"
}

greeted() {
	greeting >"$scratch/greeting"
	grep -q '^220' "$scratch/greeting"
}

greeting() { # the exchanger's, as acme sees it
	# shellcheck disable=SC2016 # the inner shell's
	tools/lab shell tenants timeout "$GREETING_S" bash -c 'exec 3<>/dev/tcp/198.51.100.25/25 && head -n 1 <&3' 2>/dev/null ||
		printf 'no greeting within %d s' "$GREETING_S"
}

live_show() {
	step 'An ordinary mail is delivered' '^.message' mail clean
	step "Spam is refused in the rule's words, in the sender's own log" '^.message' mail spam
	step 'One of three recipients opted out: the mail goes to the other two' '^(RCPT|.message)' mail optout
	step "A burst, forty mails where thirty a minute are allowed, is slowed by 421" . mail burst
	step 'A call is completed' . call 14155550100
	step '911, on a service without emergency calls: 403' . call 911
	live_suspend
	live_kill
}

live_part() {
	live_up
	if [ -z "$live_gate" ]; then
		say 'No live gate here; captures of the same peers follow' "$live_why"
		return 0
	fi
	case "$live_gate" in
	xdp) say 'The live gate: XDP and AF_XDP between two ports of the kernel' ;;
	*) say "The live gate: ports of DPDK's own drivers (no XDP: ${live_why#xdp: })" ;;
	esac
	printf '   %s\n' 'tenants (swaks, Postfix, SIPp) ── inside │ gate │ outside ── the internet (Postfix, SIPp)' \
		'three network namespaces; below, what the sender logged, what arrived, what the gate said of it'
	live_show
	live_down
}
