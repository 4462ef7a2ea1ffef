# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh and network.sh set them
# tools/lab call NUMBER|KIND. Who answers: $answers says yes, $busy has no time, $registrar keeps a register, $texts takes texts.
# Sourced after sip.sh and baresip.sh.

readonly answers=198.51.100.60 busy=198.51.100.61 registrar=198.51.100.66 texts=198.51.100.67

callees_start() {
	callee "$answers" u1 uas_answers
	callee "$answers" t1 uas_answers
	callee "$busy" u1 uas_refuses ANSWER '486 Busy Here' HEADER ''
	callee "$registrar" u1 uas_registrar
	callee "$texts" u1 uas_requests
}

# How a call to NUMBER should end: the answer, and the reason of the gate's event.
call_outcome() { # NUMBER
	case "$1" in
	911 | 112) gated '403 emergency_number' 200 ;;
	14155550106) gated '403 do_not_call' 200 ;;
	*) printf 200 ;;
	esac
}

call_number() { # NUMBER
	local uri code reason
	case "$1" in
	????*) uri=sip:+$1@$answers ;;
	*) uri=sip:$1@$answers ;;
	esac
	read -r code reason <<<"$(call_outcome "$1")" || :
	if [ "$agent" = baresip ]; then
		baresip_call "$dial" "$uri" "$transport"
		expect_telephone "$code"
	else
		place 1 "$uri" "$code"
	fi
	expect_asked "$([ "$code" = 200 ] && echo 1 || echo 0)"
	[ -z "$reason" ] || expect_event "$reason"
	[ "$reason" != emergency_number ] || alarmed
}

# People hear of it at once; of several within ten seconds once.
alarmed() {
	gate_reads || return 0
	expect_soon 'no alarm of it' grep -q '"event":"emergency_call"' "$events"
}

# SIPp plays a call that ends with CODE; anything else is a failure to it.
place() { # CALLS URI CODE
	local rc=0 way=u1
	[ "$transport" = udp ] || way=t1
	if [ "$3" = 200 ]; then
		sipp_call "$from" "$answers" "$way" "$1" "$2" 500 uac_answered || rc=$?
	else
		sipp_call "$from" "$answers" "$way" "$1" "$2" 0 uac_refused CODE "$3" || rc=$?
	fi
	expect "SIPp saw something else than $3" [ "$rc" -eq 0 ]
}

expect_telephone() { # CODE: that is how the call went in baresip's own words
	if [ "$1" = 200 ]; then
		expect 'baresip did not get through' grep -q 'Call established' "$last/baresip.log"
		expect "only $(voice_packets) packets of voice came back" [ "$(voice_packets)" -gt "$VOICE" ]
	else
		expect "baresip was not told $1" grep -q "session closed: $1" "$last/baresip.log"
	fi
}

call_with() { # udp|tcp sipp|baresip NUMBER|KIND
	transport=$1 agent=$2 from=$dial
	calls_mark
	case "$3" in
	*[!0-9]*) "call_$3" ;;
	*) call_number "$3" ;;
	esac
}

call_dnc() { # a number whose owner wants no calls
	call_number 14155550106
}

call_suspended() { # from a tenant that is suspended
	from=$shop
	place 1 "sip:+14155550100@$answers" "$(gated 403 200)"
	expect_asked "$(gated 0 1)"
	expect_event tenant_suspended
}

call_help() { # for help, with voice, from a tenant that is suspended
	local heard
	filled=$last/help
	: >"$filled.said"
	heard=$(in_ns tenants "$lab_d/help.py" "$shop" "$answers" 911) || :
	line voice "$heard"
	expect "what came back: $heard" [ "$heard" = "$(gated 'before no, voice yes, other no, after no' \
		'before yes, voice yes, other yes, after yes')" ]
	expect_event emergency_number
	expect_event emergency_media
}

call_again() { # twenty refused calls, of whose answers a fifth is lost: what comes again is answered again
	gate_reads || return 0
	expect 'SIPp saw something else' \
		sipp_call "$dial" "$answers" u1 20 "sip:911@$answers" 0 uac_again CODE 403 LOST 20
	expect_asked 0
	expect_event emergency_number
	expect 'not one refusal a call' [ "$(events_new | grep -c '"reason":"emergency_number"')" -eq 20 ]
}

call_caller() { # from a number that is not the caller's
	caller_number=+12025559999
	place 1 "sip:+14155550100@$answers" "$(gated 403 200)"
	unset caller_number
	expect_asked "$(gated 0 1)"
	expect_event caller_id
}

call_hidden() { # anonymous by Privacy: id: asserted is a number of the tenant's, then another's
	local asserted
	asserted=+12025550100
	place 1 "sip:+14155550100@$answers" 200
	expect_asked 1
	asserted=+12025559999
	place 1 "sip:+14155550100@$answers" "$(gated 403 200)"
	expect_asked "$(gated 1 2)"
	expect_event caller_id
	gate_reads || return 0
	expect 'not one refusal' [ "$(events_new | grep -c '"reason":"caller_id"')" -eq 1 ]
}

call_crowd() { # six calls at once, from a tenant that may have three
	local refused
	RATE=200 expect 'SIPp saw something else' sipp_call "$acme" "$answers" u1 6 "sip:+14155550100@$answers" 3000 uac_crowd
	refused=$(calls_answered 503)
	expect "$refused refused" [ "$refused" -eq "$(gated 3 0)" ]
	expect_asked $((6 - refused))
	expect_event calls_at_once
	gate_reads || return 0
	# Those that were let through have ended: there is room again.
	expect 'no room when they had ended' sipp_call "$acme" "$answers" u1 1 "sip:+14155550100@$answers" 100 uac_answered
}

call_texts() { # twenty texts, from a tenant that may send ten a minute
	expect 'SIPp saw something else' \
		sipp_call "$dial" "$texts" u1 20 "sip:+14155550100@$texts" 0 uac_text BODY 'Your parcel waits'
	expect_refused 20 10 0.167
	expect_event limit_sms
}

call_register() { # a registration, challenged
	expect 'no registration' sipp_call "$dial" "$registrar" u1 1 "sip:$registrar" 0 uac_register
}

call_burst() { # sixty calls at once, from a tenant that may place ten at once and five a second
	RATE=200 expect 'SIPp saw something else' \
		sipp_call "$bulk" "$busy" u1 60 "sip:+14155550104@$busy" 0 uac_either CODE 486 OR 503
	expect_refused 60 10 5
	expect_asked $((60 - $(calls_answered 503)))
	expect_event limit_calls
}

# By a limit, all of whose burst was there.
expect_refused() { # CALLS BURST PER-SECOND
	local refused least
	refused=$(calls_answered 503)
	gate_reads || {
		expect_is refused 0 "$refused"
		return 0
	}
	least=$(($1 - $(calls_allowed "$2" "$3")))
	expect "$refused refused, $least to $(($1 - $2)) were to be" \
		[ "$refused" -ge "$least" -a "$refused" -le $(($1 - $2)) -a "$refused" -gt 0 ]
}

call_unanswered() { # forty calls to forty people who have no time: the score throttles the caller
	expect 'SIPp saw something else' \
		sipp_call "$center" "$busy" u1 40 "sip:+1628555[call_number]@$busy" 0 uac_either CODE 486 OR 503
	expect_many
	expect_throttled "$center" asr
}

call_short() { # forty calls that last half a second: the score throttles the caller
	expect 'SIPp saw something else' \
		sipp_call "$robot" "$answers" u1 40 "sip:+1628555[call_number]@$answers" 500 uac_crowd
	expect_many
	expect_throttled "$robot" short_calls
}

# The last of the forty may be too late.
expect_many() {
	local asked
	asked=$(asked_count)
	expect "$asked calls reached the callee" [ "$asked" -ge 39 -a "$asked" -le 40 ]
}

# A tenth of its calls a second is left of 20, and 6 at once.
expect_throttled() { # ADDRESS TERM
	local refused asked least
	gate_reads || return 0
	expect_soon "no event says that its score rose by $2" risen "$2"
	asked=$(asked_count)
	RATE=200 expect 'SIPp saw something else' \
		sipp_call "$1" "$busy" u1 30 "sip:+1628555[call_number]@$busy" 0 uac_either CODE 486 OR 503
	refused=$(calls_answered 503) least=$((30 - $(calls_allowed 6 2)))
	expect "$refused of 30 refused, $least were to be" [ "$refused" -ge "$least" -a "$refused" -gt 0 -a "$refused" -lt 30 ]
	expect_asked $((asked + 30 - refused))
	expect_event limit_calls
}

risen() { # TERM
	events_new | grep '"event":"risk_rises"' | grep '"to":"throttle"' | finds "\"$1\""
}

asked_lines() { # what the callees heard since the mark
	local file
	for file in "$work"/sipp-*.said; do
		tail -n "+$(($(awk -v f="$file" '$2 == f { print $1 }' "$last/said") + 1))" "$file"
	done
}

asked_count() { # calls that reached the other side
	asked_lines | awk -F '\t' '$4 == "R" && /INVITE sip/ && !seen[$5]++ { n++ } END { print n + 0 }'
}

expect_asked() { # COUNT: so many did
	local found
	found=$(asked_count)
	[ "$found" -eq "$1" ] || wrong+=("$found calls reached the callee instead of $1")
}

calls_mark() {
	mkdir -p "$last"
	wc -l "$work"/sipp-*.said | grep -v total >"$last/said" || :
	events_mark
}

call_show() {
	if [ -s "$last/baresip.log" ]; then
		grep -E '^call: |Call established|session closed|terminated \(' "$last/baresip.log" | while read -r words; do line telephone "$words"; done
		line voice "$(voice_packets) packets came back"
	else
		said_show caller <"$filled.said"
	fi
	asked_lines | said_show callee
	events_show
}

# Messages as SIPp logged them, the same ones together.
said_show() { # WHO
	awk -F '\t' '{ sub(/ SIP\/2.0$/, "", $7); sub(/1628555[0-9]+/, "1628555...", $7); key = ($4 == "S" ? "-> " : "<- ") $7
		if (!count[key]++) order[++n] = key }
		END { for (i = 1; i <= n; i++) print order[i] "\t" (count[order[i]] > 1 ? count[order[i]] " times" : "") }' |
		while IFS=$'\t' read -r what times; do line "$1" "$what" "$times"; done
}

call_kinds() {
	sed -nE '/^call_with/d; s/^call_([a-z0-9-]+)\(\) \{ # ([a-z].*)/  \1\t\2/p' "$lab_d/calls.sh" | expand -t 15
}

do_call() { # [--tcp] [--agent sipp|baresip] NUMBER|KIND
	local transport=udp agent=sipp
	while :; do
		case "${1:-}" in
		--tcp) transport=tcp ;;
		--agent)
			agent=${2:-}
			shift
			;;
		*) break ;;
		esac
		shift
	done
	rm -rf "$last"
	case "${1:-}" in
	*[!0-9]* | '')
		[[ $(call_kinds) == *"  ${1:-?} "* ]] || {
			printf 'lab call [--tcp] [--agent baresip] NUMBER|KIND:\n  NUMBER       14155550100, 911, ...\n%s\n' "$(call_kinds)" >&2
			exit 2
		}
		;;
	esac
	call_with "$transport" "$agent" "$1"
	call_show
	conclude
}
