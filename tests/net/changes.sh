#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # tools/lab.d sets them
# Reloads and changes to tenants while the wire is full: no packet is lost, and a change holds soon, in the kernel and
# in the workers. The figures are in the output; ROUNDS in the environment.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=echo.sh
. "$(dirname "$0")/echo.sh"
net_up "$@"
readonly changes_py=$tests_d/changes.py BOUND_MS=2000 # on any machine; 100 ms is aimed at

change_all() {
	local n
	for n in 1 2 3 4 5 6; do
		sed -i "s/calls = \"[0-9]*\/s burst/calls = \"$((n + 4))\/s burst/" "$gate_d/postern.conf"
		expect "reload $n" postern reload >/dev/null
		expect "suspend $n" postern tenant suspend bulk --reason "number $n" >/dev/null
		expect "limits $n" postern limits set blue "messages=$((n + 600))/min" >/dev/null
		expect "resume $n" postern tenant resume bulk >/dev/null
	done
}

under_load() {
	echo_start internet "$mx4"
	ask_start tenants "$mx4" "$acme"
	change_all
	ask_end
}

inspected_under_load() { # mails go on, each as it should
	change_all &
	mail_clean
	mail_optout
	wait $!
}

holds_soon() { # udp|sip PORT
	local rc=0
	[ "$2" = 9000 ] || {
		start internet echo5060 "$echo_py" serve "$mx4" "$2"
		wait_for 'the echo' grep -q ready "$work/echo5060.log"
	}
	expect 'limits' postern limits set acme sip_requests=unlimited >/dev/null
	in_ns tenants "$changes_py" /run/postern/control.sock acme "$mx4" "$2" "$acme" "$1" "${ROUNDS:-5}" "$BOUND_MS" \
		>"$work/changes.log" 2>&1 || rc=$?
	line holds "$(cat "$work/changes.log")"
	expect "it holds within $BOUND_MS ms" [ "$rc" -eq 0 ]
}

net_case 'reloads and changes under load: no datagram is lost' under_load
net_case 'reloads and changes while mails go through' inspected_under_load
net_case 'a change holds soon for what is not read' holds_soon udp 9000
net_case 'a change holds soon for what is' holds_soon sip 5060
