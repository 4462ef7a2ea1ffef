#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What comes back of mail that left by a gate: a complaint about one, the delivery reports that real Postfix write,
# a real Postfix's log. Each finds the tenant, and counts once.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"

# postern feedback WORDS...: a line of results, then one of each match.
handed_in() {
	postern feedback "$@" --json | python3 -c '
import json, sys
told = json.load(sys.stdin)
print(" ".join(f"{name}={count}" for name, count in sorted(told["results"].items())))
for match in told["matches"]:
    print(match.get("tenant", "-"), match["kind"], match["result"], match["matched_by"])'
}

expect_told() { # WHAT WANTED WORDS...: what handing it in says begins so
	local what=$1 wanted=$2
	shift 2
	expect_is "$what" "$wanted" "$(handed_in "$@" 2>&1)"
}

term_of() { # TENANT TERM PARTS: so many parts has it
	postern explain tenant "$1" --json | python3 -c '
import json, sys
term, parts = sys.argv[1:]
terms = json.load(sys.stdin)["terms"]
sys.exit(abs(next(t for t in terms if t["name"] == term)["parts"] - float(parts)) > 0.2)' "$2" "$3"
}

would_be() { # RESULT WORDS...: tried, it would be one of these
	handed_in "${@:2}" --dry-run 2>/dev/null | finds "^$1=1\$"
}

# As a provider of mailboxes writes it about the mail that arrived there.
complaint_about() { # FILE ADDRESS
	cat <<-END
		From: fbl@isp.example
		To: fbl@provider.example
		Subject: Complaint
		MIME-Version: 1.0
		Content-Type: multipart/report; report-type=feedback-report; boundary="report"

		--report
		Content-Type: message/feedback-report

		Feedback-Type: abuse
		User-Agent: Lab/1
		Version: 1
		Source-IP: $2
		Original-Rcpt-To: <bob@example.net>

		--report
		Content-Type: message/rfc822

	END
	cat "$1"
	printf '\n--report--\n'
}

complained() {
	local file
	text 5 | letter "$ann" bob@example.net 'wanted by nobody'
	swaks_send "$acme" "${as_acme[@]}" --to bob@example.net
	expect_reply '(message)' 250
	expect_arrived bob
	read -r _ file <"$last/arrived"
	complaint_about "$file" "$acme" >"$work/complaint.eml"
	expect_soon 'the mail is remembered' would_be counted arf "$work/complaint.eml"
	expect_told 'a complaint' $'counted=1\nacme complaint counted message_id' arf "$work/complaint.eml"
	expect_told 'again' $'duplicate=1\nacme complaint duplicate message_id' arf "$work/complaint.eml"
	# Another tenant's address with this mail's Message-ID: nobody pays.
	complaint_about "$file" "$blue" >"$work/forged.eml"
	expect_told 'with another address' 'ambiguous=1' arf "$work/forged.eml"
	expect 'one complaint counts' term_of acme complaints 1
	# Who knows its Message-ID makes up recipients: the mail had one.
	sed 's/^Original-Rcpt-To:.*/Original-Rcpt-To: <made.up@example.net>/' "$work/complaint.eml" >"$work/made-up.eml"
	expect_soon 'its recipients are known' would_be excess arf "$work/made-up.eml"
	expect_told 'of somebody who never had it' $'excess=1\nacme complaint excess message_id' arf "$work/made-up.eml"
	expect 'still one complaint counts' term_of acme complaints 1
	# A mailbox with both.
	{ for file in complaint forged; do
		printf 'From fbl@isp.example Thu Nov 26 06:00:00 2026\n'
		cat "$work/$file.eml"
		echo
	done; } >"$work/complaints.mbox"
	expect_told 'a mailbox' 'ambiguous=1 duplicate=1' arf "$work/complaints.mbox"
}

# The tenant's Postfix has a mailbox for joe from now on, and so has the exchanger; which takes mail for late, and
# finds out later that there is nobody.
reports_are_kept() {
	mkdir -p "$work/mta/mail"
	chown postfix "$work/mta/mail"
	postconf -c "$work/mta" -e virtual_transport=virtual "virtual_mailbox_base=$work/mta/mail" \
		virtual_mailbox_maps=static:joe/ "virtual_uid_maps=static:$(id -u postfix)" "virtual_gid_maps=static:$(id -g postfix)"
	printf '%s@example.net late/\njoe@blue.example.org returned/\n' late >>"$work/mx/mailboxes"
	echo 'late@example.net late@gone.example' >"$work/mx/aliases"
	printf 'gone.example error:5.1.1 nobody of this name\nblue.example.org virtual:\n' >"$work/mx/transport"
	postconf -c "$work/mx" -e "virtual_alias_maps=texthash:$work/mx/aliases" "transport_maps=texthash:$work/mx/transport"
	in_ns tenants postfix -c "$work/mta" reload >/dev/null 2>&1
	in_ns internet postfix -c "$work/mx" reload >/dev/null 2>&1
}

report_in() { # FOLDER
	[ -n "$(find "$1" -type f -path '*/new/*' 2>/dev/null)" ]
}

# The gate saw it bounce, and counted it then: the sender's own server reports what is known. (Of a mail that no
# recipient is left of, no Message-ID comes by.)
bounced_at_once() {
	text 5 | letter "$joe" ghost@example.net 'to somebody and to nobody'
	post "$joe" ghost@example.net eve@example.net
	expect_status ghost@example.net bounced
	expect_status eve@example.net sent
	expect_soon 'no report came' report_in "$work/mta/mail/joe"
	expect_soon 'the bounce is remembered' would_be seen dsn "$work/mta/mail/joe"
	expect_told 'a report of what it saw' $'seen=1\nblue hard seen message_id' dsn "$work/mta/mail/joe"
	expect_soon 'it counts once' term_of blue bounces 1
}

# The exchanger took it, and says later that there is nobody: only the report tells.
bounced_later() {
	text 5 | letter "$joe" late@example.net 'to somebody who left'
	post "$joe" late@example.net
	expect_status late@example.net sent
	expect_soon 'no report came' report_in "$work/mx/mail/returned"
	expect_soon 'the mail is remembered' would_be counted dsn "$work/mx/mail/returned"
	expect_told 'a report' $'counted=1\nblue hard counted message_id' dsn "$work/mx/mail/returned"
	expect_told 'again' $'duplicate=1\nblue hard duplicate message_id' dsn "$work/mx/mail/returned"
	expect 'two bounces count' term_of blue bounces 2
}

# All of it once more, by the log of the server that sent it: what the gate read is known.
logged() {
	text 5 | letter "$joe" bob@example.net 'read by the gate'
	post "$joe" bob@example.net dave@example.net
	expect_status bob@example.net sent
	expect_soon 'the log is known' all_seen
	expect 'two bounces count' term_of blue bounces 2
}

all_seen() {
	[ "$(handed_in log "$work/mta/log" | sed -n 1p)" = 'seen=5' ]
}

net_case 'a complaint about a mail that left finds its tenant, and counts once' complained
reports_are_kept
net_case 'a report of a bounce that the gate saw is nothing new' bounced_at_once
net_case 'a report of a bounce behind the gate counts once' bounced_later
net_case 'a log of mail that the gate read is nothing new' logged
