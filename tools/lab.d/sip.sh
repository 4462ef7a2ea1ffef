# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh and network.sh set them
# SIPp that calls and SIPp that answers; their scenarios are in sip/. Sourced after network.sh.

scenario() { # NAME [PLACE VALUE]...: its file, with @PLACE@ filled in
	local file=$lab_d/sip/$1.xml text
	text=$(<"$file")
	shift
	while [ $# -gt 0 ]; do
		text=${text//@$1@/$2}
		shift 2
	done
	mkdir -p "$work/scenarios"
	filled=$(mktemp -p "$work/scenarios") # callers run at the same time
	printf '%s\n' "$text" >"$filled"
}

callee() { # ADDRESS TRANSPORT SCENARIO [PLACE VALUE]...: a SIPp that answers, until callees_stop
	local at=$1 transport=$2
	scenario "${@:3}"
	start internet "sipp-$at-$transport" sipp -sf "$filled" -i "$at" -p 5060 -t "$transport" -nostdin -max_socket 500 \
		-d 2500 -rtp_echo -trace_shortmsg -shortmessage_file "$work/sipp-$at-$transport.said"
	callees+=("$started")
	wait_for "SIPp on $at" listens internet "$([ "$transport" = u1 ] && echo udp || echo tcp)" 5060 "$at"
}
callees=()

callees_stop() {
	stop "${callees[@]}"
	callees=()
}

# What makes a scenario's caller anonymous (RFC 3323), a number asserted to the network alone (RFC 3325).
anonymous() { # NUMBER
	printf '%s\n' 's|^( *From: ).*(;tag=.*)|\1"Anonymous" <sip:anonymous@anonymous.invalid>\2|' \
		"s|^( *)(Call-ID: \\[call_id\\])|\\1P-Asserted-Identity: <sip:$1@[local_ip]>\\n\\1Privacy: id\\n\\1\\2|"
}

# Until all its calls are over; the status is SIPp's. What was said is in $filled.said, a line a message.
# RATE in the environment: calls a second.
sipp_call() { # SOURCE PEER TRANSPORT CALLS URI MS SCENARIO [PLACE VALUE]...
	local from=$1 to=$2 transport=$3 count=$4 uri=$5 ms=$6
	case "$to" in *:*) to="[$to]" ;; esac
	scenario "${@:7}"
	sed -i "s|\[uri\]|$uri|g" "$filled" # before SIPp reads it: the URI may have keywords of SIPp's, each call its own
	[ -z "${asserted:-}" ] || sed -i -E "$(anonymous "$asserted")" "$filled"
	in_ns tenants sipp -sf "$filled" -i "$from" -p "$((next_port++))" -t "$transport" -m "$count" -r "${RATE:-20}" -l 40 -d "$ms" \
		-key caller "${caller_number:-+12025550100}" -timeout "$STEP_S" -timeout_error -max_invite_retrans 9 -nostdin -max_socket 500 \
		-trace_shortmsg -shortmessage_file "$filled.said" "$to:5060" >"$filled.log" 2>&1
}
next_port=5060

# Of the calls that sipp_call placed: a message that is lost, or late, is said again, and is no other call.
calls_answered() { # CODE: how many
	awk -F '\t' -v line="SIP/2.0 $1" '$4 == "R" && index($7, line) == 1 && !seen[$5]++ { n++ } END { print n + 0 }' "$filled.said"
}

# The most that a limit can have let through meanwhile: from when the first was sent to when the last was answered.
calls_allowed() { # BURST PER-SECOND
	awk -F '\t' -v burst="$1" -v rate="$2" 'NR == 1 { first = $3 } { last = $3 }
		END { print int(burst + rate * (last - first) + 1) }' "$filled.said"
}

caller() { # as sipp_call, or die
	sipp_call "$@" || {
		tail -n 40 "$filled.log"
		die "SIPp: ${*:7} from $1 to $2"
	}
}
