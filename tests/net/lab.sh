#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/lab: stays between commands, says what it expects, and leaves nothing behind, however it ends.
set -euo pipefail

lab_d=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../tools/lab.d")
readonly lab=${lab_d%.d}
failed=0

[ "$(id -u)" -eq 0 ] || {
	echo 'skipped: needs root'
	exit 77
}
missing=$("$lab_d/run" missing bridge) || {
	printf 'skipped: %s\n' "$missing"
	exit 77
}

# Its labs end with it, also when it is killed; and so does what is known of them.
[ -n "${LAB_TEST:-}" ] || LAB_TEST=1 exec unshare --mount --pid --fork --kill-child --mount-proc "$0"
mount -t tmpfs tmpfs /run

export LAB_ID=test-$$
trap 'exit 130' INT TERM
trap '$lab down >/dev/null; LAB_ID=$LAB_ID-b $lab down >/dev/null' EXIT
out=$(mktemp)

says() { # WORDS STATUS COMMAND...: COMMAND's status, and the words in what it says
	local rc=0 command="${*:3}"
	command=${command/#"${lab%lab}"/}
	"${@:3}" >"$out" 2>&1 || rc=$?
	if [ "$rc" -eq "$2" ] && grep -qF "$1" "$out"; then
		printf 'ok - %s: %s\n' "$command" "$1"
	else
		printf 'not ok - %s: status %d instead of %d, or not "%s"\n' "$command" "$rc" "$2" "$1"
		sed 's/^/    /' "$out"
		failed=1
	fi
}

# shellcheck disable=SC2317 # says calls it
processes_in() { # PID-NAMESPACE: how many
	find /proc -mindepth 3 -maxdepth 3 -path '/proc/[0-9]*/ns/pid' -lname "$1" 2>/dev/null | wc -l
}

cell() { # the PID namespace of the lab that is up
	readlink "/proc/$(cut -d ' ' -f 1 "/run/postern-labs/$LAB_ID/holder")/ns/pid_for_children"
}

# shellcheck disable=SC2317
gone() { # PID-NAMESPACE
	[ "$(processes_in "$1")" -eq 0 ] && [ ! -e "/run/postern-labs/$LAB_ID" ] && echo gone
}

says 'not up' 1 "$lab" mail clean
says 'not up' 0 "$lab" down
says '1/50' 1 "$lab" up --loss 50
says 'gate      bridge' 0 "$lab" up --gate bridge
says 'up already' 1 "$lab" up --gate bridge
says 'as expected' 0 "$lab" mail clean
says 'as expected' 0 "$lab" call 14155550100
says 'optout' 2 "$lab" mail no-such-kind
says 'no such log' 1 "$lab" log no-such-log
says 'status=sent' 0 "$lab" log mx
says '192.0.2.10' 0 "$lab" shell tenants ip address
LAB_ID=$LAB_ID-b says 'gate      bridge' 0 "$lab" up --gate bridge
LAB_ID=$LAB_ID-b says 'mailboxes 0 mails' 0 "$lab" status
says 'mailboxes 1 mails' 0 "$lab" status
LAB_ID=$LAB_ID-b says 'down' 0 "$lab" down
inside=$(cell)
says 'down' 0 "$lab" down
says 'gone' 0 gone "$inside"

says 'gate      bridge' 0 "$lab" up --gate bridge
inside=$(cell)
kill -KILL "$(cut -d ' ' -f 1 "/run/postern-labs/$LAB_ID/holder")"
says 'not up' 1 "$lab" mail clean
says 'down' 0 "$lab" down
says 'gone' 0 gone "$inside"
rm -f "$out"
exit "$failed"
