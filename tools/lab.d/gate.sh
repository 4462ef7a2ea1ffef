# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh sets them
# What stands between the two ports: a bridge that reads nothing, or Postern. Sourced after network.sh.

readonly events=$work/gate.d/eve.json

# Whether this machine can have it; if not, $gate_impossible says why.
gate_possible() { # GATE [PROGRAMS]
	case "$1" in
	bridge) ;;
	*)
		gate_impossible="no such gate: $1"
		return 1
		;;
	esac
}

gate_up() { # GATE [PROGRAMS]
	mkdir -p "$work/gate.d"
	case "$1" in
	bridge) bridge_up ;;
	*) die "no such gate: $1" ;;
	esac
	printf '%s\n' "$1" >"$work/gate"
}

gate_kind() {
	cat "$work/gate"
}

gate_reads() { # whether what stands there is Postern
	[ "$(gate_kind)" != bridge ]
}

# Of two expectations: with a gate that reads, and without.
gated() { # WITH WITHOUT
	if gate_reads; then printf '%s' "$1"; else printf '%s' "$2"; fi
}

events_mark() { # from here on, events are new
	events_seen=0
	[ ! -e "$events" ] || events_seen=$(wc -l <"$events")
}

events_new() {
	[ ! -e "$events" ] || tail -n "+$((events_seen + 1))" "$events"
}

event_has() { # FIELD VALUE: among the new ones, as "reason":"opt_out"
	events_new | grep -qF "\"$1\":\"$2\""
}

expect_event() { # REASON: of a verdict
	gate_reads || return 0
	wait_for "the event $1" event_has reason "$1"
}

events_show() {
	local what words
	gate_reads || return 0
	events_new | "$lab_d/events.py" | while IFS=$'\t' read -r what words; do line gate "$what" "$words"; done
}

gate_status() {
	gate_reads || return 0
}
