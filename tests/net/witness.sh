#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The checks of this folder see what they are there to see: each case makes one thing go wrong, over a bridge, and
# has to be told of it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up bridge

notices() { # WORDS COMMAND...: COMMAND finds something wrong, and these words say what
	"${@:2}"
	case "${wrong[*]}" in
	*"$1"*) wrong=() ;;
	*) wrong=("not noticed: $1") ;;
	esac
}

send_one() { # FROM RECIPIENTS
	text 5 | letter "$1" bob@example.net witness
	swaks_send "$acme" --helo mail.acme.example.com --from "$1" --to "$2"
}

changed_byte() {
	local file
	send_one "$ann" bob@example.net
	arrivals
	file=$(awk '{ print $2 }' "$last/arrived")
	printf X | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 9)) conv=notrunc status=none
	expect_arrived bob
}

missing_end() {
	local file
	send_one "$ann" bob@example.net
	arrivals
	file=$(awk '{ print $2 }' "$last/arrived")
	truncate -s -1 "$file"
	expect_arrived bob
}

lost_mail() {
	send_one "$ann" bob@example.net
	arrivals
	rm "$(awk '{ print $2 }' "$last/arrived")"
	expect_arrived bob
}

mail_for_another() {
	send_one "$ann" bob@example.net,carol@example.net
	expect_arrived bob
}

another_reply() {
	send_one "$ann" nobody@example.net
	expect_reply 'RCPT TO:<nobody@' 250
}

no_reply() {
	send_one "$ann" bob@example.net
	expect_reply 'VRFY' 252
}

another_answer() { # 911 over a bridge is answered
	transport=udp from=$dial
	calls_mark
	place 1 "sip:911@$answers" 403
}

call_too_many() {
	transport=udp from=$dial
	calls_mark
	place 2 "sip:+14155550100@$answers" 200
	expect_asked 1
}

no_voice() {
	transport=udp
	baresip_call "$dial" "sip:+14155550104@$busy" udp
	expect_telephone 200
}

net_case 'one byte of a mail is another' notices 'not what was sent' changed_byte
net_case 'the last byte of a mail is missing' notices 'not what was sent' missing_end
net_case 'a mail did not arrive' notices 'it arrived at "" instead of "bob"' lost_mail
net_case 'a mail arrived at one more' notices 'it arrived at "bob carol" instead of "bob"' mail_for_another
net_case 'another reply' notices 'instead of "250"' another_reply
net_case 'no reply' notices 'the reply to VRFY' no_reply
net_case 'another answer to a call' notices 'SIPp saw something else than 403' another_answer
net_case 'one call too many at the callee' notices '2 calls reached the callee instead of 1' call_too_many
net_case 'a call that is not answered' notices 'baresip did not get through' no_voice
