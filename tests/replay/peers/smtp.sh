# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # record sets them
# What is said in SMTP. Sourced by record.

mail() { # EXIT-CODE SWAKS-OPTION...: one session of swaks, as acme
	local want=$1 rc=0
	shift
	in_ns in swaks --server "$mx4" --local-interface "$acme" --helo mail.acme.example.com \
		--from ann@acme.example.com --timeout 10 "$@" >"$work/swaks.log" 2>&1 || rc=$?
	[ "$rc" -eq "$want" ] || { tail -n 30 "$work/swaks.log"; die "swaks: $rc instead of $want: ${*:1:4}"; }
}

say() { # SOURCE SERVER TALK...
	in_ns in peers/smtp_say.py "$@"
}

# shellcheck disable=SC2016 # its dollars are its own
eicar() { # assembled here, so that no scanner stumbles over this script
	printf '%s%s%s%s' 'X5O!P%@AP[4\PZX54(P^)' '7CC)7}$EICAR-STAN' 'DARD-ANTIVIRUS-' 'TEST-FILE!$H+H*'
}

text() { # LINES: prose enough to fill packets
	local i
	for ((i = 1; i <= $1; i++)); do
		printf 'Line %d of a letter that has little to say and says it at some length, as letters do.\n' "$i"
	done
}

submission() {
	mail 0 --to bob@example.net
	mail 0 --to bob@example.net,nobody@example.net,slow@example.net,carol@example.net --h-Subject 'one in two'
	mail 24 --to nobody@example.net,full@example.net
	mail 0 --to bob@example.net --pipeline --body "$(text 60)"
	mail 0 --to bob@example.net,nobody@example.net --pipeline
	mail 0 --to dan@elsewhere.example --auth PLAIN --auth-user acme --auth-password open-sesame
	mail 0 --to dan@elsewhere.example --auth LOGIN --auth-user acme --auth-password open-sesame
	mail 28 --to dan@elsewhere.example --auth PLAIN --auth-user acme --auth-password wrong
	mail 0 --to bob@example.net --quit-after RCPT
	mail 0 --to bob@example.net --drop-after DATA
	mail 0 --to bob@example.net --h-Subject '=?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?=' \
		--attach-type text/plain --attach-body 'see the picture' \
		--attach-type image/png --attach-name picture.png --attach "@$work/picture"
	mail 0 --server "$mx6" --local-interface "$acme6" --to carol@example.net
	mail 26 --to bob@example.net --body "$(text 500)"
}

encrypted() {
	mail 0 --to bob@example.net -tls
	mail 0 --to bob@example.net -tlsc --port 465
	mail 0 --to dan@elsewhere.example -tls --auth PLAIN --auth-user acme --auth-password open-sesame
}

malware() {
	eicar >"$work/eicar"
	mail 0 --to bob@example.net --h-Subject invoice --attach-type text/plain --attach-body 'as agreed' \
		--attach-type application/octet-stream --attach-name invoice.com --attach "@$work/eicar"
	# Segments so small that the attachment's encoding spans several.
	ip -n "$prefix-in" route change 198.51.100.0/24 dev eth0 mtu 120
	ip -n "$prefix-out" route change 192.0.2.0/24 dev eth0 mtu 120
	mail 0 --to bob@example.net --h-Subject 'invoice in slices' --attach-type text/plain --attach-body 'as agreed' \
		--attach-type application/octet-stream --attach-name invoice.com --attach "@$work/eicar"
	ip -n "$prefix-in" route change 198.51.100.0/24 dev eth0
	ip -n "$prefix-out" route change 192.0.2.0/24 dev eth0
}

post() { # SENDER RECIPIENT...: a mail on stdin into the tenant's Postfix
	in_ns in sendmail -C "$work/mta" -i -f "$@"
}

relayed() {
	local before subject
	before=$(grep -cE "$mta_outcome" "$work/mta/log" || :)
	{ printf 'From: news@blue.example.org\nTo: members@example.org\nSubject: newsletter\n\n'; text 40; } |
		post news@blue.example.org member{01..60}@example.org
	for subject in first second third; do
		{ printf 'From: joe@blue.example.org\nTo: bob@example.net\nSubject: %s\n\n.\n..\n' "$subject"; text 3; } |
			post joe@blue.example.org bob@example.net nobody@example.net slow@example.net
	done
	{ printf 'From: joe@blue.example.org\nSubject: too large\n\n'; text 500; } |
		post joe@blue.example.org carol@example.net
	wait_for "the tenant's Postfix" mta_has mta $((before + 60 + 9 + 1))
	in_ns in postsuper -c "$work/mta" -d ALL >/dev/null 2>&1
}

burst() { # smtp-source takes the address that the route says
	ip -n "$prefix-in" route change 198.51.100.0/24 dev eth0 src "$bulk"
	in_ns in smtp-source -s 3 -m 40 -l 300 -M mail.bulk.example.com -f offers@bulk.example.com \
		-t carol@example.net -S offer "inet:$mx4:25" >/dev/null
	ip -n "$prefix-in" route change 198.51.100.0/24 dev eth0
}

bad_wire() {
	mail 0 --to bob@example.net --body "$(text 300)"
	mail 0 --to bob@example.net,nobody@example.net --pipeline --body "$(text 200)"
	mail 0 --to carol@example.net --attach-type image/png --attach-name picture.png --attach "@$work/picture"
}

smtp_record_all() {
	# Bytes that no encoding shortens, the same each time.
	openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -in /dev/zero 2>/dev/null |
		head -c 12000 >"$work/picture" || :
	record smtp-submission inside submission
	record smtp-encrypted inside encrypted
	record smtp-malware inside malware
	record smtp-relayed inside relayed
	record smtp-bdat inside say "$acme" "$mx4" bdat
	record smtp-odd inside say "$acme" "$mx4" verbs segments bare_lf
	record smtp-smuggling inside say "$acme" "$mx4" smuggle_lf smuggle_lfcrlf
	record smtp-harvest inside say "$shop" "$mx4" harvest
	record smtp-burst inside burst
	record smtp-loss-beyond inside over_bad_wire 9 7 bad_wire
	record smtp-loss-before outside over_bad_wire 9 7 bad_wire
}
