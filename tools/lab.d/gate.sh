# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh sets them
# What stands between the two ports: a bridge that reads nothing, or Postern: `shadow` is its packet path alone,
# which reads everything and refuses nothing. Sourced after network.sh.

readonly events=$work/gate.d/eve.json

# Whether this machine can have it; if not, $gate_impossible says why.
gate_possible() { # GATE [PROGRAMS]
	case "$1" in
	bridge) ;;
	shadow)
		gate_impossible='the programs are not built'
		[ -x "${2:-}/dataplane/postern-dataplane" ]
		;;
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
	shadow) dataplane_up "$2" ;;
	*) die "no such gate: $1" ;;
	esac
	printf '%s\n' "$1" >"$work/gate"
}

gate_kind() {
	cat "$work/gate"
}

gate_reads() { # whether what stands there refuses anything
	case "$(gate_kind)" in
	bridge | shadow) return 1 ;;
	esac
}

# The dataplane without posternd, from images in files. WORKERS and QUEUES in the environment.
dataplane_up() { # PROGRAMS
	local workers=${WORKERS:-1}
	cp "$lab_d"/{optout,do-not-call}.txt "$work/gate.d"
	{ cat "$lab_d/postern.conf"; echo 'policy: { shadow = true; };'; } >"$work/gate.d/postern.conf"
	"$1/tools/postern" compile -c "$work/gate.d/postern.conf" -r "$lab_d/../../rules" \
		--policy "$work/gate.d/policy" --ruleset "$work/gate.d/ruleset"
	dataplane_start "$1" --workers "$workers" --queues "${QUEUES:-$workers}"
}

dataplane_start() { # PROGRAMS [OPTION...]; $dataplane is its pid
	start gate dataplane "$1/dataplane/postern-dataplane" --inside inside \
		--outside outside --socket "$work/dataplane.sock" --idle-us 20 \
		--policy "$work/gate.d/policy" --ruleset "$work/gate.d/ruleset" "${@:2}"
	# shellcheck disable=SC2034 # tests end it
	dataplane=$started
	wait_for 'the dataplane' grep -q event=started "$work/dataplane.log"
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
