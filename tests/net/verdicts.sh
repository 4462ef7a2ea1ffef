#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # tools/lab.d sets them
# Verdicts about flows in the kernel: TLS that nobody can read passes there, and what must hold for it holds. And what
# the failure policy does is told.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"
readonly verdicts_py=$tests_d/verdicts.py server=198.51.100.61

served() { # PORT: the server is there
	[ ! -e "$work/serve$1.log" ] || return 0
	start internet "serve$1" "$verdicts_py" serve "$server" "$1"
	wait_for 'the server' grep -q ready "$work/serve$1.log"
}

verdict() { # CASE PORT
	local rc=0
	served "$2"
	in_ns tenants "$verdicts_py" "$1" /run/postern/control.sock "$server" "$2" "$acme" >"$work/verdict.log" 2>&1 || rc=$?
	line flows "$(tail -n 1 "$work/verdict.log")"
	expect "$1" [ "$rc" -eq 0 ]
}

gate_event() { # NAME
	grep -qF "\"event\":\"$1\"" "$events"
}

told() {
	expect_soon 'no alarm when the failure policy began to act' gate_event failure_acting
	expect_soon 'not told that it is over' gate_event failure_over
}

off() {
	sed -i 's/^ *failure = .*/&\n  flow_verdicts = false;/' "$gate_d/postern.conf"
	expect 'postern reload' postern reload >/dev/null
	verdict off 465
}

postern limits set acme connections=unlimited messages=unlimited recipients=unlimited >/dev/null
net_case 'TLS from the first byte passes in the kernel' verdict passes 465
net_case 'a suspension holds for it at once, and ends' verdict suspended 465
net_case 'other sessions between the same ports are read' verdict reused 25
net_case 'it outlives the dataplane' verdict outlives 465
net_case 'what the failure policy does is told' told
net_case 'turned off, everything is read' off
