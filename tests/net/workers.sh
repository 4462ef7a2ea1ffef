#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # tools/lab.d sets them
# More than one worker behind XDP, on ports with as many queues: the two directions of a connection come in on
# whichever, and are one worker's all the same. WORKERS and LINK_QUEUES in the environment.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=echo.sh
. "$(dirname "$0")/echo.sh"
net_up "$@"
readonly server=198.51.100.61

sessions() { # COUNT
	local rc=0
	[ -e "$work/serve.log" ] || {
		start internet serve "$tests_d/verdicts.py" serve "$server" 25
		wait_for 'the server' grep -q ready "$work/serve.log"
	}
	in_ns tenants "$tests_d/workers.py" "$server" 25 "$acme" "$1" >"$work/sessions.log" 2>&1 || rc=$?
	line sessions "$(head -n 1 "$work/sessions.log")"
	expect "$(tail -n 1 "$work/sessions.log")" [ "$rc" -eq 0 ]
}

# Metrics: one line a worker.
metric() { # NAME
	in_ns gate python3 -c '
import sys, urllib.request
text = urllib.request.urlopen("http://127.0.0.1:9425/metrics", timeout=10).read().decode()
print(" ".join(line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(sys.argv[1])))' "$1"
}

all_work() {
	local handed turns
	sessions 60
	handed=$(metric 'postern_worker_handed_over_total{')
	turns=$(metric 'postern_worker_turns_total{worker="1",kind="busy"}')
	line workers "handed over $handed"
	expect 'a figure for each worker' [ "$(wc -w <<<"$handed")" -eq "$WORKERS" ]
	for n in $handed; do expect 'no worker received for another' [ "$n" -gt 0 ]; done
	expect 'the second worker had nothing to do' [ "$turns" -gt 0 ]
	expect 'packets met the failure policy' [ "$(metric 'postern_failure_packets_total{reason="no_socket",action="pass"}')" -eq 0 ]
}

dataplane_pid() {
	pgrep -x postern-datapla
}

killed() {
	local old
	echo_start internet "$mx4"
	ask_start tenants "$mx4" "$acme"
	for _ in 1 2; do
		old=$(dataplane_pid)
		kill -KILL "$old"
		sessions_pass
		wait_for 'another dataplane' replaced "$old"
		sessions 20
	done
	ask_end
}

# Open: nobody reads, so nobody is refused.
sessions_pass() {
	expect_soon 'mail does not pass without a dataplane' in_ns tenants timeout 10 python3 -c '
import socket, sys
s = socket.create_connection((sys.argv[1], 25), 3, (sys.argv[2], 0))
s.settimeout(3)
sys.exit(s.recv(4) != b"220 ")' "$server" "$acme"
}

replaced() { # PID
	local now
	now=$(dataplane_pid) && [ "$now" != "$1" ] && gate_in_force
}

postern limits set acme connections=unlimited messages=unlimited recipients=unlimited >/dev/null
net_case 'every session is its own, whichever worker hears what' all_work
net_case 'killed twice' killed
net_case 'an ordinary mail' mail_clean
net_case 'spam' mail_spam
