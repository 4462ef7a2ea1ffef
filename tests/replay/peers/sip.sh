# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # record sets them
# What is said in SIP. Sourced by record.

call() { # as caller; counts as calls
	calls=$((calls + $4))
	caller "$@"
}

together() { # runs the calls given, one a line, at the same time
	local line pids=() pid
	while read -r line; do
		read -r -a words <<<"$line"
		calls=$((calls + words[3]))
		next_port=$((next_port + 1))
		caller "${words[@]}" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || die 'a call failed'; done
}

calls_udp() {
	callee 198.51.100.60 u1 uas_answers
	callee 198.51.100.61 u1 uas_refuses ANSWER '486 Busy Here' HEADER ''
	callee 198.51.100.62 u1 uas_rings
	callee 198.51.100.63 u1 uas_refuses ANSWER '404 Not Found' HEADER ''
	callee 198.51.100.64 u1 uas_challenges
	callee 198.51.100.65 u1 uas_ends
	callee 198.51.100.66 u1 uas_refuses ANSWER '302 Moved Temporarily' HEADER $'Contact: <sip:+14155550199@198.51.100.60>\n'
	callee 198.51.100.67 u1 uas_refuses ANSWER '603 Decline' HEADER ''
	together <<-CALLS
		$dial 198.51.100.60 u1 4 sip:+14155550100@198.51.100.60 2000 uac_answered
		$dial 198.51.100.60 u1 4 sip:+14155550101@198.51.100.60 7500 uac_answered
		$dial 198.51.100.60 u1 1 sip:+14155550102@198.51.100.60 0 uac_left_open
		$dial 198.51.100.60 u1 1 sip:+14155550103@198.51.100.60 1000 uac_reinvite
		$dial 198.51.100.61 u1 3 sip:+14155550104@198.51.100.61 0 uac_refused CODE 486
		$dial 198.51.100.62 u1 2 sip:+14155550105@198.51.100.62 600 uac_cancelled
		$dial 198.51.100.63 u1 2 sip:+14155550106@198.51.100.63 0 uac_refused CODE 404
		$dial 198.51.100.64 u1 2 sip:+14155550107@198.51.100.64 1000 uac_challenged
		$dial 198.51.100.65 u1 1 sip:+14155550108@198.51.100.65 0 uac_callee_ends
		$dial 198.51.100.66 u1 1 sip:+14155550109@198.51.100.66 0 uac_refused CODE 302
		$dial 198.51.100.67 u1 1 sip:+14155550110@198.51.100.67 0 uac_refused CODE 603
	CALLS
	callees_stop
}

calls_tcp() {
	callee 198.51.100.60 t1 uas_answers
	callee 198.51.100.61 t1 uas_refuses ANSWER '486 Busy Here' HEADER ''
	call "$dial" 198.51.100.60 t1 3 sip:+14155550100@198.51.100.60 1000 uac_answered
	call "$dial" 198.51.100.60 tn 2 sip:+14155550101@198.51.100.60 500 uac_answered
	call "$dial" 198.51.100.61 t1 1 sip:+14155550104@198.51.100.61 0 uac_refused CODE 486
	callees_stop
}

calls_ipv6() {
	callee "$sip6" u1 uas_answers
	call "$dial6" "$sip6" u1 2 "sip:+14155550100@[$sip6]" 1000 uac_answered
	callees_stop
}

# The exact numbers are emergency calls, those that merely begin or end like one are not.
calls_emergency() {
	local uri
	callee 198.51.100.60 u1 uas_answers
	for uri in sip:911@198.51.100.60 tel:911 urn:service:sos 'sip:911;phone-context=+1@198.51.100.60' \
		sip:%39%31%31@198.51.100.60 sip:9112345678@198.51.100.60 sip:+14155550911@198.51.100.60; do
		call "$dial" 198.51.100.60 u1 1 "$uri" 200 uac_answered
	done
	callees_stop
}

requests() {
	callee 198.51.100.60 u1 uas_registrar
	caller "$dial" 198.51.100.60 u1 2 sip:198.51.100.60 0 uac_register
	callees_stop
	callee 198.51.100.61 u1 uas_requests
	caller "$dial" 198.51.100.61 u1 3 sip:198.51.100.61 0 uac_request METHOD OPTIONS BODY ''
	caller "$dial" 198.51.100.61 u1 5 sip:+14155550100@198.51.100.61 0 uac_request METHOD MESSAGE BODY 'Your parcel waits'
	callees_stop
}

# The INVITE is sent again because nobody answers in time, and again, fragmented, because it is large.
repeated() {
	local attributes
	callee 198.51.100.60 u1 uas_slow
	call "$dial" 198.51.100.60 u1 2 sip:+14155550100@198.51.100.60 500 uac_answered
	callees_stop
	callee 198.51.100.61 u1 uas_answers
	attributes=$(for i in {1..40}; do printf 'a=x-padding:%02d of forty lines that make this offer longer than a packet\n' "$i"; done)
	sed "/a=rtpmap/r /dev/stdin" "$lab_d/sip/uac_answered.xml" <<<"$attributes" >"$work/uac_large.xml"
	calls=$((calls + 2))
	in_ns tenants sipp -sf "$work/uac_large.xml" -i "$dial" -p "$((next_port++))" -t u1 -m 2 -d 300 \
		-key uri sip:+14155550101@198.51.100.61 -key caller +12025550100 -timeout 30 -timeout_error -nostdin -max_socket 500 \
		198.51.100.61:5060 >"$work/sipp-caller.log" 2>&1 || die 'SIPp: large INVITE'
	callees_stop
}

call_burst() {
	callee 198.51.100.61 u1 uas_refuses ANSWER '486 Busy Here' HEADER ''
	call "$bulk" 198.51.100.61 u1 30 sip:+14155550104@198.51.100.61 0 uac_refused CODE 486
	callees_stop
}

sip_record_all() {
	record sip-calls inside calls_udp
	record sip-tcp inside calls_tcp
	record sip-ipv6 inside calls_ipv6
	record sip-emergency inside calls_emergency
	record sip-requests inside requests
	record sip-repeated inside repeated
	record sip-burst inside call_burst
}
