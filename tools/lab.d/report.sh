# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh sets them
# What a command says: aligned lines, and whether it went as expected. Sourced after cell.sh.

wrong=()
readonly SOON_S=60

line() { # WHO WHAT [RESULT]: WHO is said once
	local who=$1
	[ "$who" != "${line_who:-}" ] || who=''
	line_who=$1
	printf '  %-9s %-40s %s\n' "$who" "$2" "${3:-}" | sed 's/ *$//'
}

expect() { # WHAT COMMAND...: WHAT is wrong unless COMMAND succeeds
	"${@:2}" || wrong+=("$1")
}

expect_soon() { # WHAT COMMAND...: WHAT is wrong unless COMMAND succeeds sooner or later
	comes "$SOON_S" "${@:2}" || wrong+=("$1")
}

expect_is() { # WHAT WANTED FOUND: FOUND begins with WANTED
	[ "${3:0:${#2}}" = "$2" ] || wrong+=("$1: \"$3\" instead of \"$2\"")
}

# Says what is wrong; the status is the command's.
conclude() {
	local what
	if [ "${#wrong[@]}" -eq 0 ]; then
		echo '  as expected'
		return 0
	fi
	for what in "${wrong[@]}"; do printf '  NOT AS EXPECTED: %s\n' "$what"; done
	wrong=()
	return 1
}
