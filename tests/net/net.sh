# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # tools/lab.d sets them
# A test with real peers on both sides of a gate. Sourced by the tests of this folder, each of which is
#
#     . net.sh
#     net_up "$@"
#     net_case WORDS FUNCTION [ARGUMENT...]      # as often as it likes; FUNCTION collects what is wrong (report.sh)
#
# and is run as TEST GATE [PROGRAMS]: bridge is the control without Postern; PROGRAMS is the build's folder.
# Everything lives in a cell that ends with the test. When a case fails, the state is printed.

tests_d=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
lab_d=$(realpath "$tests_d/../../tools/lab.d")
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/all.sh
. "$lab_d/all.sh"

readonly BOUND_S=${BOUND_S:-300} # below meson's own limit: the state is still printed

skip() {
	printf 'skipped: %s\n' "$*"
	exit 77
}

net_up() { # GATE [PROGRAMS]; LOSE and SWAP in the environment
	local missing
	if [ -z "${POSTERN_NET:-}" ]; then
		[ "$(id -u)" -eq 0 ] || skip 'needs root'
		missing=$(lab_missing | paste -sd ' ')
		[ -z "$missing" ] || skip "missing: $missing (tools/setup lab)"
		unshare --mount --uts --pid --net --fork true 2>/dev/null || skip 'no namespaces here'
		gate_possible "$@" || skip "$gate_impossible"
		POSTERN_NET=1 cell_exec timeout --foreground -k 20 "$BOUND_S" "$0" "$@"
	fi
	trap net_down EXIT
	trap 'echo "not ok - within $BOUND_S s"; exit 124' TERM
	cell_prepare
	lab_up "$1" "${LOSE:-0}" "${SWAP:-0}" "${@:2}"
	in_ns tenants tcpdump -Z root -U --immediate-mode -n -s 256 -i eth0 -w "$work/tenants.pcap" 2>/dev/null &
	in_ns internet tcpdump -Z root -U --immediate-mode -n -s 256 -i eth0 -w "$work/internet.pcap" 2>/dev/null &
	net_failed=0
}

net_case() { # WORDS FUNCTION [ARGUMENT...]
	rm -rf "$last"
	mkdir "$last"
	wrong=()
	"${@:2}"
	[ "$(type -t "${2%%_*}_show")" != function ] || "${2%%_*}_show"
	if conclude; then
		printf 'ok - %s\n' "$1"
	else
		printf 'not ok - %s\n' "$1"
		net_failed=1
	fi
}

# At the end of a test on a bad wire: it was one.
net_wire() {
	[ "${LOSE:-0}" -eq 0 ] || net_case 'the wire lost some of it' expect 'nothing was lost' wire_has_lost
}

# The cell's end takes the network, mounts and processes; what is left to do is to say what was there.
net_down() {
	local rc=$?
	trap - EXIT
	[ "$rc" -ne 0 ] || rc=$net_failed
	[ "$rc" -eq 0 ] || net_state
	exit "$rc"
}

net_state() {
	local file ns
	for ns in tenants gate internet; do
		printf '\n== %s: interfaces\n' "$ns"
		ip -n "$ns" -s -br link show || :
	done
	for file in "$work"/{mx,mta}/log "$work"/exim/mainlog "$work"/*.log "$work"/gate.d/eve.json; do
		if [ ! -f "$file" ] || [ ! -s "$file" ]; then continue; fi
		printf '\n== %s\n' "${file#"$work"/}"
		grep -v postfix-script "$file" | tail -n 15 || :
	done
	for ns in tenants internet; do
		printf '\n== the last packets at %s\n' "$ns"
		tcpdump -n -r "$work/$ns.pcap" 2>/dev/null | tail -n 25 || :
	done
}
