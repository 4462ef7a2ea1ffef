#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Changes to a gate while it stands in the wire, and deaths of its programs: what holds afterwards, and for whom,
# is read in the senders' logs.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"

try_mail() { # GREETING RECIPIENT-CODE MESSAGE-CODE [RECIPIENT]: "" expects nothing
	text 5 | letter "$ann" "${4:-bob@example.net}" live
	swaks_send "$acme" "${as_acme[@]}" --to "${4:-bob@example.net}"
	[ -z "$1" ] || expect_reply '(greeting)' "$1"
	[ -z "$2" ] || expect_reply 'RCPT TO' "$2"
	[ -z "$3" ] || expect_reply '(message)' "$3"
}

suspended() {
	expect 'postern tenant suspend' postern tenant suspend acme --reason 'a test'
	try_mail 421 '' ''
	expect_arrived
	expect 'postern tenant resume' postern tenant resume acme
	try_mail 220 250 250
	expect_arrived bob
}

limited() {
	expect 'postern limits set' postern limits set acme recipients_per_message=1
	text 5 | letter "$ann" bob@example.net live
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net,dave@example.net
	expect_reply 'RCPT TO:<bob@' 250
	expect_reply 'RCPT TO:<dave@' 4
	expect_arrived bob
	expect 'postern limits set' postern limits set acme recipients_per_message=default
}

reloaded() {
	try_mail 220 250 250 dave@example.net
	echo dave@example.net >>"$gate_d/optout.txt"
	expect 'postern reload' postern reload
	try_mail 220 550 '' dave@example.net
	cp "$lab_d/optout.txt" "$gate_d"
	expect 'postern reload' postern reload
	try_mail 220 250 250 dave@example.net
	expect_arrived dave
}

bad_reload() { # what was in force stays
	echo 'tiers: { };' >>"$gate_d/postern.conf"
	expect 'a bad configuration was taken' not postern reload
	try_mail 220 550 '' carol@example.net
	sed -i '$d' "$gate_d/postern.conf"
	expect 'postern reload' postern reload
}

# A mail ends with the rules that it began with; the next one of its session has the new ones.
pushed() {
	local program
	program=$(cat "$work/programs")/tools/postern
	printf 'reject smtp any any -> any any (msg:"pushed"; email.body; content:"words of the day"; sid:1; rev:1;)\n' \
		>"$gate_d/pushed.rules"
	in_ns tenants "$tests_d/between.py" "$mx4" "$acme" "$ann" bob@example.net 'words of the day' \
		"$program" rules push "$gate_d/pushed.rules" >"$work/between.log" 2>"$work/between-push.log"
	expect "the first mail passes, the second is refused: $(cat "$work/between.log")" \
		[ "$(cat "$work/between.log")" = '250 550' ]
	try_mail 220 250 250
	expect 'postern rules push --configuration' postern rules push --configuration
	expect 'the rules are those of the configuration again' of_the_configuration
}

# What was refused can be shown: its header, as it came, and no line of its body.
evidence() {
	local id
	mail_spam
	expect_soon 'no evidence of it' evidence_listed
	id=$(postern evidence list --tenant acme --json | grep -o '"id": *[0-9]*' | sed -n '1s/[^0-9]*//p')
	postern evidence report "$id" >"$work/evidence.eml"
	expect 'the report has the header' grep -qi '^message-id:' "$work/evidence.eml"
	expect 'the report is an ARF' grep -q '^Content-Type: message/feedback-report' "$work/evidence.eml"
	expect 'the report has nothing of the body' not grep -q 'XJS.C4JDBQADN1' "$work/evidence.eml"
	expect 'the report can be read again' postern feedback arf --parse "$work/evidence.eml"
	expect 'no evidence has no report' not postern evidence report 999999
}

# Of a body what the rule is told to keep, redacted; of any other mail no word is written anywhere.
kept() {
	local id
	cat >"$gate_d/kept.rules" <<-'END'
		reject smtp any any -> any any (msg:"kept"; email.body; content:"words to keep"; metadata:keep 100; sid:1; rev:1;)
		reject smtp any any -> any any (msg:"left"; email.body; content:"words to leave"; sid:2; rev:1;)
	END
	expect 'postern rules push' postern rules push "$gate_d/kept.rules"
	printf 'Heron, call +1 212 555 0100 about words to keep, heron.\n' | letter "$ann" bob@example.net kept
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' 550
	printf 'Kingfisher, call +1 212 555 0199 about words to leave, kingfisher.\n' | letter "$ann" bob@example.net left
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' 550
	expect_soon 'no evidence of both' evidence_of_both
	for id in $(postern evidence list --tenant acme --json | grep -o '"id": *[0-9]*' | grep -o '[0-9]*$' | sort -n | tail -n 2); do
		postern evidence report "$id" >"$gate_d/report.$id"
	done
	expect 'what it found is not in the report' grep -rq 'Heron, call \[number\] about words to keep, heron' "$gate_d"/report.*
	expect 'it is a part of the report' grep -rq '^Content-Description: what was found' "$gate_d"/report.*
	expect 'a number is written' not grep -rasq '555 01' "$gate_d" "$work"/posternd.log "$work"/dataplane.log
	expect 'a body is written' not grep -rasqi kingfisher "$gate_d" "$work"/posternd.log "$work"/dataplane.log
	expect 'postern rules push --configuration' postern rules push --configuration
}

evidence_of_both() {
	[ "$(postern evidence list --tenant acme --json | grep -cE '"signature_id": *[12](,|$)')" -ge 2 ]
}

evidence_listed() {
	postern evidence list --tenant acme --json | finds '"reason": *"rule"'
}

of_the_configuration() {
	postern rules list --json | finds '"source": *"configuration"'
}

without_posternd() {
	expect 'postern tenant suspend' postern tenant suspend blue --reason 'a test'
	kill -KILL "$posternd"
	wait "$posternd" 2>/dev/null || :
	try_mail 220 550 '' carol@example.net
	try_mail 220 250 250
	posternd_start
	wait_for 'posternd' gate_in_force
	expect 'blue is not suspended any more' state_of blue suspended
	expect 'postern tenant resume' postern tenant resume blue
	try_mail 220 550 '' carol@example.net
}

without_dataplane() {
	local old
	old=$(dataplane_pid)
	kill -KILL "$old"
	wait_for 'another dataplane' replaced "$old"
	try_mail 220 550 '' carol@example.net
	try_mail 220 250 250
	expect_arrived bob
}

state_of() { # TENANT STATE
	postern show tenant "$1" --json | finds "\"state\": *\"$2\""
}

not() { # COMMAND...
	! "$@" >/dev/null 2>&1
}

replaced() { # PID: of the dataplane that was
	local now
	now=$(dataplane_pid) && [ "$now" != "$1" ] && gate_in_force
}

dataplane_pid() {
	pgrep -x postern-datapla
}

net_case 'a tenant is suspended, and let back' suspended
net_case 'a limit is set, and lifted' limited
net_case 'a list is changed' reloaded
net_case 'a bad configuration changes nothing' bad_reload
net_case 'rules are pushed in the middle of a mail' pushed
net_case 'what was refused can be shown' evidence
net_case 'what a rule keeps of a body is redacted' kept
net_case 'posternd is killed and comes back' without_posternd
net_case 'the dataplane is killed and comes back' without_dataplane
