# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # record sets them
# What is said in SMTP. Sourced by record.

mail() { # EXIT-CODE SWAKS-OPTION...: one session of swaks, as acme
	local want=$1 rc=0
	shift
	in_ns tenants swaks --server "$mx4" --local-interface "$acme" --helo mail.acme.example.com \
		--from ann@acme.example.com --timeout 10 "$@" >"$work/swaks.log" 2>&1 || rc=$?
	[ "$rc" -eq "$want" ] || { tail -n 30 "$work/swaks.log"; die "swaks: $rc instead of $want: ${*:1:4}"; }
}

say() { # SOURCE SERVER TALK...
	in_ns tenants peers/smtp_say.py "$@"
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
	ip -n tenants route change 198.51.100.0/24 dev eth0 mtu 120
	ip -n internet route change 192.0.2.0/24 dev eth0 mtu 120
	mail 0 --to bob@example.net --h-Subject 'invoice in slices' --attach-type text/plain --attach-body 'as agreed' \
		--attach-type application/octet-stream --attach-name invoice.com --attach "@$work/eicar"
	ip -n tenants route change 198.51.100.0/24 dev eth0
	ip -n internet route change 192.0.2.0/24 dev eth0
}

post() { # SENDER RECIPIENT...: a mail on stdin into the tenant's Postfix
	in_ns tenants sendmail -C "$work/mta" -i -f "$@"
}

mta_has() { # COUNT: that many recipients came to an end
	[ "$(grep -cE "$mta_end" "$work/mta/log")" -ge "$1" ]
}

relayed() {
	local before subject
	before=$(grep -cE "$mta_end" "$work/mta/log" || :)
	{ printf 'From: news@blue.example.org\nTo: members@example.org\nSubject: newsletter\n\n'; text 40; } |
		post news@blue.example.org member{01..60}@example.org
	for subject in first second third; do
		{ printf 'From: joe@blue.example.org\nTo: bob@example.net\nSubject: %s\n\n.\n..\n' "$subject"; text 3; } |
			post joe@blue.example.org bob@example.net nobody@example.net slow@example.net
	done
	{ printf 'From: joe@blue.example.org\nSubject: too large\n\n'; text 500; } |
		post joe@blue.example.org carol@example.net
	wait_for "the tenant's Postfix" mta_has $((before + 60 + 9 + 1))
	in_ns tenants postsuper -c "$work/mta" -d ALL >/dev/null 2>&1
}

burst() {
	as_tenant "$bulk" in_ns tenants smtp-source -s 3 -m 40 -l 300 -M mail.bulk.example.com \
		-f offers@bulk.example.com -t carol@example.net -S offer "inet:$mx4:25" >/dev/null
}

bad_wire() {
	mail 0 --to bob@example.net --body "$(text 300)"
	mail 0 --to bob@example.net,nobody@example.net --pipeline --body "$(text 200)"
	mail 0 --to carol@example.net --attach-type image/png --attach-name picture.png --attach "@$work/picture"
}

smtp_record_all() {
	noise 12000 >"$work/picture"
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
