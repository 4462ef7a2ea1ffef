# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh sets them
# What stands between the two ports. Sourced after network.sh.
#
#     bridge   reads nothing
#     shadow   the packet path alone (postern-dataplane), which reads everything and refuses nothing
#     xdp-shadow   the same behind Postern's XDP program
#     native   all of Postern, on the ports of DPDK's own drivers (packet sockets)
#     xdp      all of Postern, behind its XDP program (AF_XDP)

readonly gate_d=$work/gate.d
readonly events=$gate_d/eve.json

# Whether this machine can have it; if not, $gate_impossible says why.
gate_possible() { # GATE [PROGRAMS]
	local program needs=()
	case "$1" in
	bridge) ;;
	shadow) needs=(dataplane/postern-dataplane tools/postern) ;;
	xdp-shadow) needs=(dataplane/postern-dataplane tools/postern tests/net/kernel-side) ;;
	native) needs=(dataplane/postern-dataplane tools/postern control/posternd) ;;
	xdp) needs=(dataplane/postern-dataplane tools/postern control/posternd bpf/gate.bpf.o) ;;
	*)
		gate_impossible="no such gate: $1"
		return 1
		;;
	esac
	for program in "${needs[@]}"; do
		gate_impossible="not built: $program in ${2:-no folder}"
		[ -e "${2:-}/$program" ] || return 1
	done
}

gate_up() { # GATE [PROGRAMS]
	mkdir -p "$gate_d"
	cp "$lab_d"/{optout,do-not-call}.txt "$gate_d"
	printf '%s\n' "$1" >"$work/gate"
	printf '%s\n' "${2:-}" >"$work/programs"
	case "$1" in
	bridge) bridge_up gate inside outside ;;
	shadow) dataplane_up "$2" ;;
	native) postern_up "$2" dpdk ;;
	xdp-shadow) xdp_up "$2" ;;
	xdp)
		bpffs_up
		postern_up "$2" xdp
		;;
	*) die "no such gate: $1" ;;
	esac
}

gate_kind() {
	cat "$work/gate"
}

gate_reads() { # whether what stands there refuses anything
	case "$(gate_kind)" in
	bridge | shadow | xdp-shadow) return 1 ;;
	esac
}

# Of two expectations: with a gate that refuses, and without.
gated() { # WITH WITHOUT
	if gate_reads; then printf '%s' "$1"; else printf '%s' "$2"; fi
}

# The dataplane without posternd, from images in files. WORKERS and QUEUES in the environment.
dataplane_up() { # PROGRAMS
	local workers=${WORKERS:-1}
	images_make "$1"
	dataplane_start "$1" --workers "$workers" --queues "${QUEUES:-$workers}"
}

images_make() { # PROGRAMS
	sed 's/^policy: {/& shadow = true;/' "$lab_d/postern.conf" >"$gate_d/postern.conf"
	"$1/tools/postern" compile -c "$gate_d/postern.conf" -r "$lab_d/../../rules" \
		--policy "$gate_d/policy" --ruleset "$gate_d/ruleset"
}

# `ip netns exec` mounts a /sys of its own, without what was mounted there. All see the same bpffs.
# shellcheck disable=SC2016 # its dollars are its own
readonly with_bpffs=(sh -c 'mount --bind /run/bpf /sys/fs/bpf && exec "$@"' -)

in_gate() { # COMMAND...
	in_ns gate "${with_bpffs[@]}" "$@"
}

bpffs_up() {
	mount -t bpf bpf /run/bpf
	# What is redirected into a veth pair needs a receiver that polls; a bad wire's does for its own program.
	in_ns tenants ethtool -K eth0 gro on >/dev/null
	in_ns internet ethtool -K eth0 gro on >/dev/null
}

xdp_up() { # PROGRAMS
	images_make "$1"
	bpffs_up
	in_gate "$1/tests/net/kernel-side" "$1/bpf/gate.bpf.o" "$gate_d/postern.conf" inside outside \
		"${FAILURE:-open}" 1000
	xdp_dataplane_start "$1"
}

xdp_dataplane_start() { # PROGRAMS; $dataplane is its pid
	start gate dataplane "${with_bpffs[@]}" \
		"$1/dataplane/postern-dataplane" --mode xdp --xdp-program "$1/bpf/gate.bpf.o" --inside inside --outside outside \
		--socket "$work/dataplane.sock" --idle-us 20 --policy "$gate_d/policy" --ruleset "$gate_d/ruleset"
	# shellcheck disable=SC2034 # tests end it
	dataplane=$started
	wait_for 'the dataplane' grep -q event=started "$work/dataplane.log"
}

dataplane_start() { # PROGRAMS [OPTION...]; $dataplane is its pid
	start gate dataplane "$1/dataplane/postern-dataplane" --inside inside \
		--outside outside --socket "$work/dataplane.sock" --idle-us 20 \
		--policy "$gate_d/policy" --ruleset "$gate_d/ruleset" "${@:2}"
	# shellcheck disable=SC2034 # tests end it
	dataplane=$started
	wait_for 'the dataplane' grep -q event=started "$work/dataplane.log"
}

# posternd, and the dataplane that it starts. /run is the cell's own. FAILURE, HEARTBEAT, WORKERS and FIRST_QUEUE in
# the environment.
postern_up() { # PROGRAMS dpdk|xdp
	{
		cat "$lab_d/postern.conf"
		cat <<-CF
			gate:
			{
			  inside = "inside";
			  outside = "outside";
			  mode = "$2";
			  failure = "${FAILURE:-open}";
			  heartbeat = "${HEARTBEAT:-10s}"; # a busy machine lets nobody run for a while: that is no death
			  xdp_program = "$1/bpf/gate.bpf.o";
			  workers = ${WORKERS:-1};
			  first_queue = ${FIRST_QUEUE:-0};
			  idle_us = 20;                    # the peers need the CPUs, too
			  huge = "no";
			  dataplane = "$1/dataplane/postern-dataplane";
			  rules = [ "$(realpath "$lab_d/../../rules")" ];
			  state_dir = "$gate_d/state";
			  eve: { path = "$events"; addresses = "plain"; };
			};
		CF
	} >"$gate_d/postern.conf"
	posternd_start
	wait_for 'the gate' gate_in_force
}

posternd_start() { # $posternd is its pid
	start gate posternd "${with_bpffs[@]}" \
		"$(cat "$work/programs")/control/posternd" -c "$gate_d/postern.conf"
	# shellcheck disable=SC2034 # tests end it
	posternd=$started
}

# The command that people type, at this gate.
postern() { # WORDS...
	in_ns gate "$(cat "$work/programs")/tools/postern" "$@"
}

gate_in_force() { # the workers run, and use the configuration
	postern status --json 2>/dev/null | python3 -c '
import json, sys
s = json.load(sys.stdin)
now, workers = s["configuration"]["generation"], s["dataplane"].get("workers")
sys.exit(not workers or any(w["policy_generation"] != now or w["heartbeat_age_ms"] is None for w in workers))' 2>/dev/null
}

events_mark() { # from here on, events are new
	events_seen=0
	[ ! -e "$events" ] || events_seen=$(wc -l <"$events")
}

events_new() {
	[ ! -e "$events" ] || tail -n "+$((events_seen + 1))" "$events"
}

event_has() { # FIELD VALUE: among the new ones, as "reason":"opt_out"
	events_new | finds -F "\"$1\":\"$2\""
}

expect_event() { # REASON: of a verdict
	gate_reads || return 0
	expect_soon "no event with the reason $1" event_has reason "$1"
}

events_show() {
	local what words
	gate_reads || return 0
	events_new | sed -E "s/\+1628555[0-9]+/+1628555.../g" | "$lab_d/events.py" | while IFS=$'\t' read -r what words; do line gate "$what" "$words"; done
}

gate_status() {
	gate_reads || return 0
	postern status || :
}
