# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # net.sh and tools/lab.d set them
# Numbered datagrams through the gate while something is done to it (echo.py). Sourced after net.sh.

readonly echo_py=$tests_d/echo.py

fails() { ! "$@"; }

echo_start() { # NAMESPACE ADDRESS; $echo_pid is its pid
	start "$1" echo "$echo_py" serve "$2" 9000
	# shellcheck disable=SC2034 # tests end it
	echo_pid=$started
	wait_for 'the echo' grep -q ready "$work/echo.log"
}

ask_start() { # NAMESPACE ADDRESS SOURCE: until ask_end
	rm -f "$work/enough"
	start "$1" ask "$echo_py" ask "$2" 9000 "$work/enough" "$3"
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
