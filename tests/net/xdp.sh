#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # tools/lab.d sets them
# The dataplane behind the XDP program: whatever becomes of it, what is not inspected goes on without it and nothing is
# lost; what is, follows the failure policy (FAILURE=open|closed in the environment).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"
programs=$2
echo_py=$(realpath "$(dirname "$0")/echo.py")

fails() { ! "$@"; }

echo_start() {
	start internet echo "$echo_py" serve "$mx4" 9000
	wait_for 'the echo' grep -q ready "$work/echo.log"
}

ask_start() { # until ask_end
	rm -f "$work/enough"
	start tenants ask "$echo_py" ask "$mx4" 9000 "$work/enough" "$acme"
	ask_pid=$started
	wait_for 'an answer' grep -q answered "$work/ask.log"
}

ask_end() { # expects that everything came back
	local rc=0
	touch "$work/enough"
	wait "$ask_pid" || rc=$?
	line echo "$(tail -n 1 "$work/ask.log")"
	expect 'every datagram comes back, once' [ "$rc" -eq 0 ]
}

greeted() { # whether a connection to the exchanger reaches its greeting
	in_ns tenants timeout 3 python3 - "$mx4" "$acme" <<'END'
import socket, sys
s = socket.create_connection((sys.argv[1], 25), 2, (sys.argv[2], 0))
s.settimeout(2)
sys.exit(0 if s.recv(4).startswith(b"220") else 1)
END
} 2>/dev/null

follows_the_policy() {
	if [ "${FAILURE:-open}" = open ]; then
		expect 'without a dataplane mail passes' greeted
	else
		expect 'without a dataplane mail does not pass' fails greeted
	fi
}

killed_and_back() {
	echo_start
	ask_start
	for _ in 1 2 3; do
		kill -KILL "$dataplane"
		wait "$dataplane" 2>/dev/null || :
		follows_the_policy
		xdp_dataplane_start "$programs"
		wait_for 'mail again' greeted
	done
	mail_clean
	ask_end
}

asked_to_end_and_back() {
	local rc=0
	ask_start
	kill -TERM "$dataplane"
	wait "$dataplane" || rc=$?
	expect_is 'exit status' 0 "$rc"
	follows_the_policy
	xdp_dataplane_start "$programs"
	wait_for 'mail again' greeted
	mail_clean
	ask_end
}

stands_still() {
	ask_start
	kill -STOP "$dataplane"
	sleep 1.5 # longer than the heartbeat may be old: there is nothing to wait for but time
	follows_the_policy
	kill -CONT "$dataplane"
	wait_for 'mail again' greeted
	mail_clean
	ask_end
}

net_case 'killed three times' killed_and_back
net_case 'asked to end' asked_to_end_and_back
net_case 'it stands still' stands_still
