# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh and network.sh set them
# tools/lab mail KIND. Each function sends, then says what it expects with a gate and without one.

readonly ann=ann@acme.example.com joe=joe@blue.example.org
readonly as_acme=(--helo mail.acme.example.com --from "$ann")

mail_clean() { # an ordinary mail
	text 40 | letter "$ann" bob@example.net 'an ordinary letter'
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' 250
	expect_arrived bob
}

mail_ipv6() { # an ordinary mail, over IPv6
	text 40 | letter "$ann" bob@example.net 'an ordinary letter'
	swaks_send "$acme6" --server "$mx6" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' 250
	expect_arrived bob
}

mail_exim() { # an ordinary mail, to an exchanger that is no Postfix
	text 40 | letter "$ann" bob@exim.example.net 'an ordinary letter'
	swaks_send "$acme" --server "$exim4" "${as_acme[@]}" --to bob@exim.example.net
	expect_reply '(message)' 250
	expect_arrived bob@exim
}

mail_spam() { # the GTUBE test text: a rule refuses it
	gtube | letter "$ann" bob@example.net 'an offer'
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' "$(gated '550 5.7.1 Message refused: unsolicited bulk mail' 250)"
	expect_arrived "$(gated '' bob)"
	expect_event rule
}

mail_malware() { # the EICAR test file, attached: a rule refuses it
	eicar >"$work/eicar"
	letter_with_file "$ann" bob@example.net invoice invoice.com "$work/eicar"
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' "$(gated '550 5.7.0 Message refused: malware' 250)"
	expect_arrived "$(gated '' bob)"
	expect_event rule
}

mail_optout() { # three recipients, one of whom opted out: the mail goes to the other two
	letter_to_three "$acme"
}

mail_optout6() { # the same, over IPv6
	letter_to_three "$acme6" --server "$mx6"
}

letter_to_three() { # SOURCE SWAKS-OPTION...
	text 10 | letter "$ann" members@example.net 'to three'
	swaks_send "$1" "${@:2}" "${as_acme[@]}" --to bob@example.net,carol@example.net,dave@example.net
	expect_reply 'RCPT TO:<bob@' 250
	expect_reply 'RCPT TO:<carol@' "$(gated 550\ 5.7.1 250)"
	expect_reply 'RCPT TO:<dave@' 250
	expect_reply '(message)' 250
	expect_arrived bob "$(gated dave carol)" "$(gated '' dave)"
	expect_event opt_out
}

# The refusal has to come at its place among the exchanger's replies (RFC 2920).
mail_reply-order() { # pipelined: an unknown recipient, one who opted out, and two good ones
	text 10 | letter "$ann" members@example.net 'in order'
	swaks_send "$acme" "${as_acme[@]}" --pipeline \
		--to bob@example.net,nobody@example.net,carol@example.net,dave@example.net
	expect_reply 'RCPT TO:<bob@' 250
	expect_reply 'RCPT TO:<nobody@' 550\ 5.1.1
	expect_reply 'RCPT TO:<carol@' "$(gated 550\ 5.7.1 250)"
	expect_reply 'RCPT TO:<dave@' 250
	expect_reply '(message)' 250
	expect_reply QUIT 221
	expect_arrived bob "$(gated dave carol)" "$(gated '' dave)"
	expect_event opt_out
}

mail_forged() { # sent in the name of a domain that is not the tenant's
	text 10 | letter ceo@bank.example bob@example.net 'urgent'
	swaks_send "$acme" --helo mail.acme.example.com --from ceo@bank.example --to bob@example.net
	expect_reply 'MAIL FROM' "$(gated 550\ 5.7.1 250)"
	expect_arrived "$(gated '' bob)"
	expect_event domain_consent
}

mail_two-from() { # two From fields: which one would a reader see?
	text 10 | letter "$ann" bob@example.net 'from two'
	sed -i '1i From: <ceo@acme.example.com>' "$last/message"
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' "$(gated 550\ 5.7.0 250)"
	expect_arrived "$(gated '' bob)"
	expect_event header_repeated
}

mail_newsletter() { # bulk without a way to unsubscribe: it arrives, and is told
	text 10 | letter news@bulk.example.com bob@example.net 'our news'
	sed -i '1i List-Id: <news.bulk.example.com>' "$last/message"
	swaks_send "$bulk" --helo mail.bulk.example.com --from news@bulk.example.com --to bob@example.net
	expect_reply '(message)' 250
	expect_arrived bob
	expect_event unsubscribe
}

mail_untagged() { # the field that tells whose mail it is is missing
	text 10 | letter phone@dial.example.com bob@example.net 'a voice message'
	swaks_send "$dial" --helo mail.dial.example.com --from phone@dial.example.com --to bob@example.net
	expect_reply '(message)' "$(gated 550\ 5.7.0 250)"
	expect_arrived "$(gated '' bob)"
	expect_event tag_missing
}

mail_tagged() { # the same, with the field
	text 10 | letter phone@dial.example.com bob@example.net 'a voice message'
	sed -i '1i X-Provider-ID: dial-1' "$last/message"
	swaks_send "$dial" --helo mail.dial.example.com --from phone@dial.example.com --to bob@example.net
	expect_reply '(message)' 250
	expect_arrived bob
}

mail_suspended() { # from a tenant that is suspended
	text 10 | letter mail@shop.example.com bob@example.net 'our offers'
	swaks_send "$shop" --helo mail.shop.example.com --from mail@shop.example.com --to bob@example.net
	expect_reply '(greeting)' "$(gated 421 220)"
	expect_arrived "$(gated '' bob)"
	expect_event tenant_suspended
}

mail_starttls() { # encrypted: the gate sees that there is mail, not which
	text 40 | letter "$ann" bob@example.net 'a sealed letter'
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net -tls
	expect_reply STARTTLS 220
	expect_arrived bob
}

mail_postfix() { # the tenant's own Postfix sends, to three, one of whom opted out
	text 40 | letter "$joe" members@example.net 'from Postfix'
	post "$joe" bob@example.net carol@example.net dave@example.net
	expect_status bob@example.net sent
	expect_status carol@example.net "$(gated bounced sent)"
	expect_status dave@example.net sent
	expect_arrived bob "$(gated dave carol)" "$(gated '' dave)"
	expect_event opt_out
}

mail_large() { # 20 MB with an attachment, through the tenant's Postfix, to Postfix and to Exim
	noise 15000000 >"$work/noise"
	letter_with_file "$joe" members@example.net 'a film' film.bin "$work/noise"
	post "$joe" bob@example.net bob@exim.example.net
	expect_status bob@example.net sent
	expect_status bob@exim.example.net sent
	expect_arrived bob bob@exim
}

# One of them may have gone for a newsletter. Where forty take so long that the limit lets them all through, there are more.
mail_burst() { # forty mails at once, from a tenant that may send thirty in a minute
	local sent count=0 begun=$EPOCHSECONDS most
	text 2 | letter offers@bulk.example.com bob@example.net 'offer'
	mark
	burst_go_on
	until [ "$count" -ge 200 ] || ! gate_reads || burst_refused; do burst_go_on; done
	most=$((31 + (EPOCHSECONDS - begun + 1) / 2))
	arrivals
	sent=$(grep -c 'status=sent' "$last/mta.log")
	expect "$(wc -l <"$last/arrived") arrived of $sent" [ "$(wc -l <"$last/arrived")" -eq "$sent" ]
	if gate_reads; then
		expect "$sent of $count sent, 29 to $most were to be" [ "$sent" -ge 29 -a "$sent" -le "$most" ]
		expect 'Postfix heard no 421' burst_refused
	else
		expect "$sent of $count sent" [ "$sent" -eq "$count" ]
	fi
	expect_event limit_messages
	in_ns tenants postsuper -c "$work/mta" -d ALL >/dev/null 2>&1 # or what is deferred would come again later
}

burst_go_on() { # forty more of mail_burst's
	for _ in {1..40}; do
		in_ns tenants sendmail -C "$work/mta" -i -f offers@bulk.example.com bob@example.net <"$last/message"
	done
	count=$((count + 40))
	wait_for "the tenant's Postfix" posted "$count"
}

burst_refused() {
	grep -q 'status=deferred.*421' "$last/mta.log"
}

# How many are let through before the limit speaks is up to how fast they come.
mail_drip() { # twenty mails from a tenant that may send three at once and one in three seconds: then one passes again
	text 2 | letter offers@drip.example.com bob@example.net 'drop by drop'
	mark
	drip 20
	expect_reply 'MAIL 3' 250
	expect "it ended with $(drip_end)" [ "$(drip_end)" = "$(gated 421 250)" ]
	expect_event limit_messages
	expect_soon 'none passes later on' drip_passes
	arrivals
	expect 'not all that passed arrived' [ "$(wc -l <"$last/arrived")" -eq "$(grep -c $'\t250 ' "$last/drips")" ]
	uniq "$last/drips" >"$last/talk" # all of them are shown
}

drip() { # COUNT: mails in one session, until it is refused
	in_ns tenants "$lab_d/many.py" "$mx4" "$drip" offers@drip.example.com drip bob@example.net "$1" "$last/message" >"$last/talk" || :
	cat "$last/talk" >>"$last/drips"
}

drip_end() { # the last reply's code
	sed -nE '$s/^.*\t([0-9]+) .*/\1/p' "$last/talk"
}

drip_passes() {
	drip 1
	[ "$(drip_end)" = 250 ]
}

mail_mailbomb() { # 61 mails to one recipient
	text 2 | letter "$joe" eve@example.net 'again'
	mark
	in_ns tenants "$lab_d/many.py" "$mx4" "$blue" "$joe" bomb eve@example.net 61 "$last/message" >"$last/talk" || :
	expect_reply 'RCPT 60' 250
	expect_reply 'RCPT 61' "$(gated '421 4.7.28' 250)"
	arrivals
	expect "$(wc -l <"$last/arrived") mails arrived" [ "$(wc -l <"$last/arrived")" -eq "$(gated 60 61)" ]
	expect_event mailbomb
}

mail_harvest() { # 45 recipients that don't exist, five that do, and no mail
	mark
	in_ns tenants "$lab_d/many.py" "$mx4" "$blue" "$joe" harvest example.net 9 5 >"$last/talk" || :
	expect_reply 'RCPT 1.1' '550 5.1.1'
	expect_reply 'RCPT 5.9' '550 5.1.1'
	expect_arrived
	expect_event harvest
}

mail_strangers() { # 14 recipients to whom the tenant never wrote, and no mail
	mark
	in_ns tenants "$lab_d/many.py" "$mx4" "$dial" phone@dial.example.com harvest example.net 7 2 >"$last/talk" || :
	expect_reply 'RCPT 1.1' '550 5.1.1'
	expect_reply 'RCPT 2.7' '550 5.1.1'
	expect_arrived
	expect_event new_recipients
}

mail_relay() { # to a domain that is not the exchanger's: it says so, and the gate tells
	text 2 | letter "$ann" bob@elsewhere.example 'by way of you'
	swaks_send "$acme" "${as_acme[@]}" --to bob@elsewhere.example
	expect_reply 'RCPT TO' '554 5.7.1'
	expect_arrived
	expect_event relay
}

refused_by_exchanger() { # RECIPIENT: how often
	postfix_log_written mx
	grep -c "NOQUEUE: reject: RCPT.*to=<$1>" "$work/mx/log" || :
}

mail_suppressed() { # a recipient that doesn't exist, twice: the second attempt doesn't leave the gate
	local ghost=ghost$RANDOM@example.net
	text 2 | letter "$joe" "$ghost" 'are you there?'
	post "$joe" "$ghost"
	expect_status "$ghost" bounced
	expect 'the exchanger was not asked' [ "$(refused_by_exchanger "$ghost")" -eq 1 ]
	post "$joe" "$ghost"
	expect_status "$ghost" bounced
	expect 'the exchanger was asked again, or not' [ "$(refused_by_exchanger "$ghost")" -eq "$(gated 1 2)" ]
	expect_arrived
	expect_event suppressed
}

# What the sender's own log says, then the other side, then the gate.
mail_show() {
	local command reply box file times words
	if [ -s "$last/talk" ]; then
		while IFS=$'\t' read -r command reply; do line sent "$command" "$reply"; done <"$last/talk"
	elif [ -s "$last/mta.log" ]; then
		statuses | while IFS=$'\t' read -r command reply; do line sent "$command" "$reply"; done
	fi
	[ -s "$last/arrived" ] || line arrived nothing
	while read -r box file; do
		printf '%s %s bytes, %s\n' "$box" "$(stat -c %s "$last/message")" \
			"$(same_mail "$file" && echo 'as sent' || echo CHANGED)"
	done <"$last/arrived" | uniq -c | while read -r times box words; do
		line arrived "$box$([ "$times" -eq 1 ] || printf ', %s times' "$times")" "$words"
	done
	events_show
}

statuses() { # what Postfix logged, "RECIPIENT<TAB>status: words", the same ones together
	sed -nE 's/.*to=<([^>]*)>, .* status=([a-z]+) \((.*)\)$/\1\t\2: \3/p' "$last/mta.log" |
		sed -E 's/queued as [0-9A-F]+|id=[^ )]+/.../' | sort | uniq -c | sed -E 's/^ +1 //; s/^ +([0-9]+) /\1 times /'
}

mail_kinds() {
	sed -nE 's/^mail_([a-z0-9-]+)\(\) \{ # (.*)/  \1\t\2/p' "$lab_d/mails.sh" | expand -t 15
}

do_mail() { # KIND
	[[ $(type -t "mail_${1:-}") == function && $1 != show && $1 != kinds ]] || {
		printf 'lab mail KIND:\n%s\n' "$(mail_kinds)" >&2
		exit 2
	}
	rm -rf "$last"
	mail_kinds | sed -n "s/^  $1 *//p"
	"mail_$1"
	mail_show
	conclude
}
