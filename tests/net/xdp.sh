#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # tools/lab.d sets them
# The dataplane behind the XDP program: whatever becomes of it, what is not inspected goes on without it and nothing is
# lost; what is, follows the failure policy (FAILURE=open|closed in the environment).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=echo.sh
. "$(dirname "$0")/echo.sh"
net_up "$@"
programs=$2

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
		expect_soon 'without a dataplane mail does not pass' greeted
	else
		expect 'without a dataplane mail passes' fails greeted
	fi
}

killed_and_back() {
	echo_start internet "$mx4"
	ask_start tenants "$mx4" "$acme"
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
	ask_start tenants "$mx4" "$acme"
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
	ask_start tenants "$mx4" "$acme"
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
