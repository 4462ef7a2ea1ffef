#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # tools/lab.d sets them
# Random kills of both programs in any order, under traffic: the wire is in the chosen state while they are away,
# both come back, nothing that was decided over a tenant is lost, and nothing is left behind.
#
#     kills.sh native|xdp PROGRAMS [KILLS [SEED]]       by hand: BOUND_S=1800 kills.sh xdp build 200
#
# FAILURE=open|closed in the environment. What was done is in its output, the same again with the same seed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
export HEARTBEAT=3s # see stale
net_up "$@"
readonly kills=${3:-6} seed=${4:-$$$(date +%s)}
readonly stream_py=$tests_d/stream.py BACK_S=60
readonly counts=$work/stream.json
RANDOM=$seed

# The programs -----------------------------------------------------------------

# Who was adopted by somebody that does not wait for it stays a zombie: that is not running.
running() { # NAME: pids
	local pid
	for pid in $(pgrep -x "$1"); do
		case "$(ps -o stat= -p "$pid")" in
		Z* | '') ;;
		*) printf '%s\n' "$pid" ;;
		esac
	done
}

dataplane_pid() { running postern-datapla; }
posternd_pid() { running posternd | head -n 1; } # its child that compiles has the same name

ended() { # PID
	case "$(ps -o stat= -p "$1" 2>/dev/null)" in
	Z* | '') return 0 ;;
	esac
	return 1
}

hit() { # WHO PID SIGNAL
	printf '    %s %s\n' "$3" "$1" >>"$work/kills.log"
	kill "-$3" "$2"
	[ "$3" = STOP ] || wait_for "the end of $1" ended "$2"
}

# The wire ---------------------------------------------------------------------

greeted() { # SOURCE: whether a new connection to the exchanger reaches its greeting
	in_ns tenants timeout 15 python3 - "$mx4" "$1" <<'PY'
import socket, sys
s = socket.create_connection((sys.argv[1], 25), 1.5, (sys.argv[2], 0))
s.settimeout(1.5)
sys.exit(0 if s.recv(4).startswith(b"220") else 1)
PY
} 2>/dev/null

fails() { ! "$@"; }

dark() { # not one of the stream's datagrams comes back
	local before
	before=$(count_of udp back)
	sleep 0.7
	[ "$(count_of udp back)" -eq "$before" ]
}

# Nobody polls and nobody starts anybody: the failure policy is all there is.
away() {
	if [ "$(gate_kind)" = native ]; then
		expect 'without a dataplane the wire is dark' dark
		return
	fi
	expect_soon 'what is not inspected does not pass without a dataplane' flows udp back "$(count_of udp back)"
	if [ "${FAILURE:-open}" = open ]; then
		expect_soon 'open, and mail does not pass without a dataplane' greeted "$acme"
	else
		expect 'closed, and mail passes without a dataplane' fails greeted "$acme"
	fi
	expect 'a suspended tenant gets through without a dataplane' fails greeted "$bulk"
}

stale() { sleep 3.2; } # longer than gate.heartbeat: there is nothing to wait for but time

# What has to be as before ------------------------------------------------------

decide() { # what the operator decided before the first kill
	postern limits set acme messages=unlimited recipients=unlimited >/dev/null
	postern limits set blue messages=unlimited recipients=unlimited >/dev/null
	postern limits set dial messages=2/day >/dev/null
	postern tenant suspend bulk --reason 'a test' >/dev/null
	for _ in 1 2; do
		mail_of_dial
		expect_reply '(message)' 250
	done
}

mail_of_dial() {
	text 5 | letter dan@dial.example.com bob@example.net dial
	swaks_send "$dial" --helo dial.example.com --from dan@dial.example.com --to bob@example.net
}

state_of() { # TENANT STATE
	postern show tenant "$1" --json | finds "\"state\": *\"$2\""
}

# Others' mails arrive meanwhile: this one is looked for by its name.
mail_arrives() {
	text 40 | letter "$ann" bob@example.net 'an ordinary letter'
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' 250
	expect_soon 'the mail did not arrive as it was sent' arrived_whole
}

arrived_whole() {
	local file
	file=$(grep -rlF "$(grep '^Message-ID:' "$last/message")" "$work/mx/mail/bob/new") && same_mail "$file"
} 2>/dev/null

as_before() {
	expect 'bulk is not suspended any more' state_of bulk suspended
	expect 'bulk gets through' fails greeted "$bulk"
	mail_arrives
	text 5 | letter "$ann" carol@example.net kills
	swaks_send "$acme" "${as_acme[@]}" --to carol@example.net
	expect_reply 'RCPT TO' 550
	expect_event opt_out
	mail_of_dial
	expect "dial's bucket was filled again: $(cut -f 1,2 "$last/talk" | paste -sd ' ')" fails said 250 '(message)'
	expect_event limit_messages
}

said() { # CODE COMMAND
	reply_to "$2" | finds "^$1"
}

# One round ----------------------------------------------------------------------

# $RANDOM of a subshell goes back with it: chosen here, in this shell.
choose() { # NAME WORD...: sets the variable NAME
	local words=("${@:2}")
	printf -v "$1" '%s' "${words[RANDOM % ($# - 1)]}"
}

round() { # NUMBER
	local who signal first second dataplane posternd
	printf 'round %d\n' "$1" >>"$work/kills.log"
	dataplane=$(dataplane_pid) posternd=$(posternd_pid)
	choose who dataplane posternd both
	choose signal KILL TERM STOP
	choose first KILL TERM STOP
	choose second KILL TERM STOP
	case "$who" in
	dataplane) round_dataplane "$signal" ;;
	posternd) round_posternd "$signal" ;;
	both) round_both "$first" "$second" ;;
	esac
	comes "$BACK_S" gate_in_force || wrong+=("not back after $BACK_S s")
	expect_is 'dataplanes' 1 "$(dataplane_pid | wc -l)"
	as_before
}

round_dataplane() { # SIGNAL: posternd starts it again
	hit dataplane "$dataplane" "$1"
	if [ "$1" = STOP ]; then
		stale
		away
		kill -CONT "$dataplane"
	else
		comes "$BACK_S" other_dataplane || wrong+=('no other dataplane was started')
	fi
}

other_dataplane() {
	local now
	now=$(dataplane_pid)
	[ -n "$now" ] && [ "$now" != "$dataplane" ]
}

round_posternd() { # SIGNAL: the dataplane goes on as if nothing were
	hit posternd "$posternd" "$1"
	mail_arrives
	expect 'bulk gets through without posternd' fails greeted "$bulk"
	posternd_back "$1"
	comes "$BACK_S" gate_in_force || wrong+=("posternd not back after $BACK_S s")
	expect_is 'the dataplane that goes on' "$dataplane" "$(dataplane_pid)"
}

posternd_back() { # SIGNAL that it got
	if [ "$1" = STOP ]; then
		kill -CONT "$posternd"
	else
		posternd_start
	fi
}

round_both() { # POSTERND'S DATAPLANE'S: who starts dataplanes first, so that nobody does
	if [ $((RANDOM % 2)) -eq 0 ] || [ "$1" = KILL ]; then
		hit posternd "$posternd" "$1"
		hit dataplane "$dataplane" "$2"
	else
		hit dataplane "$dataplane" "$2"
		hit posternd "$posternd" "$1"
	fi
	stale
	# It may have started another one before it was hit itself.
	[ -n "$(other_or_none)" ] || away
	[ "$2" != STOP ] || kill -CONT "$dataplane" 2>/dev/null || :
	posternd_back "$1"
}

other_or_none() { # pid of one that is not the one that was hit
	dataplane_pid | grep -vx "$dataplane" || :
}

# What is left behind ------------------------------------------------------------

left() { # lines "WHAT NUMBER"
	local pid
	printf 'dataplanes %d\n' "$(dataplane_pid | wc -l)"
	printf 'posternds %d\n' "$(running posternd | wc -l)"
	printf 'pins %d\n' "$(find /run/bpf -mindepth 1 2>/dev/null | wc -l)"
	printf 'namespaces %d\n' "$(find /proc -mindepth 3 -maxdepth 3 -path '/proc/[0-9]*/ns/net' -printf '%l\n' 2>/dev/null | grep '^net:' | sort -u | wc -l)"
	printf 'interfaces %d\n' "$(ip -n gate -br link show | wc -l)"
	printf 'xdp %d\n' "$(ip -n gate link show | grep -c 'prog/xdp' || :)"
	printf 'memfds %d\n' "$(memfds | wc -l)"
	printf 'hugepages %d\n' "$(awk '/^HugePages_Total/ { n += $2 } /^HugePages_Free/ { n -= $2 } END { print n + 0 }' /proc/meminfo)"
	printf 'files %d\n' "$(find /run/postern "$gate_d/state" -mindepth 1 2>/dev/null | wc -l)"
	for pid in $(dataplane_pid) $(posternd_pid); do
		printf 'fds-of-%s %d\n' "$(ps -o comm= -p "$pid")" "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)"
	done
	[ "$(gate_kind)" = native ] || kernel_left
}

memfds() { # those of the two programs, once each
	local pid
	for pid in $(dataplane_pid) $(posternd_pid); do
		find "/proc/$pid/fd" -lname '/memfd:*' -printf '%p %l\n' 2>/dev/null || :
		grep -o '/memfd:[^ ]*' "/proc/$pid/maps" || :
	done
}

# Programs and maps that anybody in here holds, by their ids.
kernel_left() {
	local pid ids
	ids=$(for pid in $(dataplane_pid) $(posternd_pid); do
		grep -hE '^(prog|map)_id' /proc/"$pid"/fdinfo/* 2>/dev/null
	done | sort -u)
	printf 'programs %d\n' "$(grep -c '^prog' <<<"$ids")"
	printf 'maps %d\n' "$(grep -c '^map' <<<"$ids")"
}

# What there is more of than before. (Less is fine: who adopted a dataplane does not watch a child. That there is
# one of each program is looked at after each kill.)
left_more() {
	awk 'NR == FNR { before[$1] = $2; next } $2 > before[$1] { print $1, $2, "instead of", before[$1] + 0 }' \
		"$work/left.before" "$work/left.after"
}

steady() { # the same twice, a second apart; into $1
	left >"$1"
	sleep 1
	left >"$1.again"
	cmp -s "$1" "$1.again"
}

# All of it ------------------------------------------------------------------------

stream_start() {
	start internet serve "$stream_py" serve "$mx4" 9000
	wait_for 'the echo' grep -q ready "$work/serve.log"
	rm -f "$work/enough"
	start tenants stream "$stream_py" run "$mx4" 9000 "$acme" "$mx4" "$blue" "$joe" dave@example.net "$work/enough" "$counts"
	stream_pid=$started
	wait_for 'traffic' test -s "$counts"
}

count_of() { # STREAM WHAT
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]][sys.argv[3]])' "$counts" "$@"
}

flows() { # STREAM WHAT: more than $3
	[ "$(count_of "$1" "$2")" -gt "$3" ]
}

streams_go_on() {
	expect_soon 'no datagrams come back any more' flows udp back "$(count_of udp back)"
	expect_soon 'no TCP any more' flows tcp blocks "$(count_of tcp blocks)"
	expect_soon 'no mails are delivered any more' flows smtp delivered "$(count_of smtp delivered)"
}

prepare() {
	decide
	as_before
	stream_start
	streams_go_on
	comes 20 steady "$work/left.before" || :
}

killed() { # NUMBER
	round "$1"
	streams_go_on
}

nothing_left() {
	touch "$work/enough"
	wait "$stream_pid" || wrong+=('the streams failed')
	line streams "$(cat "$counts")"
	expect_is 'TCP blocks that came back wrong' 0 "$(count_of tcp wrong)"
	expect_is 'datagrams that came twice' 0 "$(count_of udp doubled)"
	expect_is 'TCP connections that broke' 0 "$(count_of tcp broken)"
	expect_is 'mails that were refused' 0 "$(count_of smtp refused)"
	if [ "$(gate_kind)" != native ]; then
		expect_is 'datagrams lost' 0 "$(count_of udp lost)"
	fi
	comes 20 steady "$work/left.after" || :
	line left "$(paste -sd ' ' "$work/left.after")"
	while read -r what; do wrong+=("left behind: $what"); done < <(left_more)
}

echo "$kills kills, seed $seed"
net_case 'traffic, and what an operator decided' prepare
for ((number = 1; number <= kills && !net_failed; number++)); do
	net_case "kill $number" killed "$number"
	sed -n '/^round '"$number"'$/,$p' "$work/kills.log"
done
net_case 'nothing was lost, nothing is left' nothing_left
