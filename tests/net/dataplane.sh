#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # tools/lab.d sets them
# The dataplane by itself: what is replaced under traffic loses nothing; it ends, dies and comes back cleanly; ports that are
# no interfaces.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=echo.sh
. "$(dirname "$0")/echo.sh"
net_up "$@"
programs=$2

postern() { "$programs/tools/postern" "$@"; }

says() { # WORDS: the dataplane's log
	grep -qF "$1" "$work/dataplane.log"
}

# A configuration that differs from the one before.
configuration() { # N
	sed "s/calls = \"5\/s/calls = \"$1\/s/" "$work/gate.d/postern.conf" >"$work/gate.d/next.conf"
}

push() { # GENERATION [OPTION...]
	postern compile -c "$work/gate.d/next.conf" --push "$work/dataplane.sock" --generation "$@"
}

replaced_under_traffic() {
	local n
	echo_start internet "$mx4"
	ask_start tenants "$mx4" "$acme"
	for n in {2..13}; do
		configuration "$n"
		if [ $((n % 3)) -eq 0 ]; then push "$n"; else push "$n" -r "$lab_d/../../rules"; fi
	done
	mail_clean
	for n in {14..20}; do
		configuration "$n"
		push "$n" -r "$lab_d/../../rules"
	done
	ask_end
	expect 'all of them are told of' [ "$(grep -c 'event=ruleset.*error=0' "$work/dataplane.log")" -eq 19 ]
	expect 'none is refused' fails says error=-
}

dataplane_refuses() { # WORDS OPTION...
	expect "it is refused: $1" fails in_ns gate "$programs/dataplane/postern-dataplane" "${@:2}" 2>"$work/second.log"
	expect "it says: $1" grep -qF "$1" "$work/second.log"
}

look() { # into $seen
	seen=$("$programs/tests/net/dataplane-look" "$work/dataplane.sock")
	line look "$seen"
}

counted() { # NAME: a number above 0
	[[ " $seen" =~ \ $1=[1-9] ]]
}

seen_from_outside() {
	mail_clean
	mail_spam
	call_with udp sipp 14155550100
	look
	for name in packets messages calls hits events; do expect "$name were counted" counted "$name"; done
	expect 'events name the generation in force' grep -q 'generation=20 ' <<<"$seen"
	look
	expect 'counters stay when control starts again' counted messages
	expect 'events are read once' fails counted events
}

bad_pushes() {
	configuration 5
	ask_start tenants "$mx4" "$acme"
	head -c 5000 /dev/urandom >"$work/gate.d/junk"
	dataplane_refuses 'a dataplane listens there' --inside inside --outside outside --socket "$work/dataplane.sock"
	dataplane_refuses 'not a policy' --inside inside --outside outside --socket "$work/other.sock" --policy "$work/gate.d/junk"
	dataplane_refuses 'neither an interface nor a device' --inside nosuch --outside outside --socket "$work/other.sock" \
		--policy "$work/gate.d/policy"
	expect 'its socket is gone' [ ! -e "$work/other.sock" ]
	ask_end
}

killed_and_back() {
	local n
	for n in 1 2 3; do
		kill -KILL "$dataplane"
		wait "$dataplane" 2>/dev/null || :
		dataplane_start "$programs" --workers 1
		mail_clean
	done
	ask_start tenants "$mx4" "$acme"
	ask_end
}

ends_cleanly() {
	local rc=0
	ask_start tenants "$mx4" "$acme"
	kill -HUP "$dataplane"
	touch "$work/enough"
	wait "$ask_pid" || :
	kill -TERM "$dataplane"
	wait "$dataplane" || rc=$?
	expect_is 'exit status' 0 "$rc"
	expect 'it says so' says 'event=ended status=0'
	expect 'its socket is gone' [ ! -e "$work/dataplane.sock" ]
}

waits_for_a_policy() {
	start gate dataplane "$programs/dataplane/postern-dataplane" --inside inside --outside outside \
		--socket "$work/dataplane.sock" --idle-us 20
	dataplane=$started
	wait_for 'the dataplane' says event=waiting
	configuration 7
	push 3 -r "$lab_d/../../rules"
	wait_for 'its start' says event=started
	mail_clean
}

# Two gates in a row, memif between them.
by_memif() {
	stop "$dataplane"
	start gate memif0 "$programs/dataplane/postern-dataplane" --inside inside \
		--outside "net_memif0,role=server,socket=$work/memif.sock,socket-abstract=no" \
		--socket "$work/memif0.sock" --idle-us 20 --policy "$work/gate.d/policy"
	local first=$started
	wait_for 'the first gate' grep -q event=started "$work/memif0.log"
	start gate memif1 "$programs/dataplane/postern-dataplane" --outside outside \
		--inside "net_memif0,role=client,socket=$work/memif.sock,socket-abstract=no" \
		--socket "$work/memif1.sock" --idle-us 20 --policy "$work/gate.d/policy"
	local second=$started
	wait_for 'the second gate' grep -q event=started "$work/memif1.log"
	wait_for 'a way through' echo_once tenants "$mx4" "$acme"
	ask_start tenants "$mx4" "$acme"
	mail_clean
	ask_end
	stop "$first" "$second"
}

echo_once() { # NAMESPACE ADDRESS SOURCE
	ip netns exec "$1" python3 - "$2" "$3" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[2], 0))
s.settimeout(0.5)
s.sendto(b"12345678", (sys.argv[1], 9000))
sys.exit(0 if s.recv(100) else 1)
END
} 2>/dev/null

by_tap() {
	stop "$echo_pid"
	start gate taps "$programs/dataplane/postern-dataplane" --inside net_tap0,iface=tin --outside net_tap1,iface=tout \
		--socket "$work/taps.sock" --idle-us 20 --policy "$work/gate.d/policy" --workers 2
	local taps=$started
	wait_for 'the gate' grep -q event=started "$work/taps.log"
	namespace_up far
	ip -n gate link set tin netns tenants
	ip -n gate link set tout netns far
	ip -n tenants address add 10.9.0.1/24 dev tin
	ip -n tenants link set tin up
	ip -n far address add 10.9.0.2/24 dev tout
	ip -n far link set tout up
	echo_start far 10.9.0.2
	wait_for 'a way through' echo_once tenants 10.9.0.2 10.9.0.1
	ask_start tenants 10.9.0.2 10.9.0.1
	ask_end
	stop "$taps"
	expect 'it ended well' grep -qF 'event=ended status=0' "$work/taps.log"
}

net_case 'policy and rules are replaced under traffic, and nothing is lost' replaced_under_traffic
net_case 'control sees what is counted and told' seen_from_outside
net_case 'what is no image, port or socket is refused' bad_pushes
net_case 'killed three times, it comes back' killed_and_back
net_case 'asked to end, it leaves nothing behind' ends_cleanly
net_case 'without a policy it waits for one' waits_for_a_policy
net_case 'two gates by memif' by_memif
net_case 'two tap ports, two workers' by_tap
