# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh and network.sh set them
# Mail from a tenant, by swaks or through the tenant's Postfix, and what arrived of it. Sourced after letters.sh,
# postfix.sh and exim.sh. What was said and sent last is in $last.

# One session; swaks's transcript becomes lines "command<TAB>reply" in $last/talk.
swaks_send() { # SOURCE SWAKS-OPTION...: $last/message
	mark
	head -c -1 "$last/message" >"$last/unended" # it ends the last line itself
	in_ns tenants swaks --server "$mx4" --local-interface "$1" --timeout "$STEP_S" --data "@$last/unended" --suppress-data \
		"${@:2}" >"$last/swaks.log" 2>&1 || :
	awk -f "$lab_d/talk.awk" "$last/swaks.log" >"$last/talk"
}

reply_to() { # COMMAND: what was answered to the first of it
	awk -F '\t' -v command="$1" 'index($1, command) == 1 { print $2; exit }' "$last/talk"
}

expect_reply() { # COMMAND CODE-AND-MORE
	expect_is "the reply to $1" "$2" "$(reply_to "$1")"
}

# Mail on its way through the tenant's Postfix; what that logged is in $last/mta.log.
post() { # SENDER RECIPIENT...: $last/message; returns when each recipient came to an end
	mark
	in_ns tenants sendmail -C "$work/mta" -i -f "$@" <"$last/message"
	wait_for "the tenant's Postfix" posted $(($# - 1))
}

posted() { # COUNT: as many recipients came to an end since the mark
	tail -n "+$mta_line" "$work/mta/log" >"$last/mta.log"
	[ "$(grep -cE "$mta_end" "$last/mta.log")" -ge "$1" ]
}

expect_status() { # RECIPIENT sent|bounced|deferred
	expect "$1 is not $2" grep -q "to=<$1>.* status=$2 " "$last/mta.log"
}

mailbox_files() {
	find "$work/mx/mail" "$work/exim/mail" -type f -path '*/new/*' 2>/dev/null | sort
}

mark() { # from here on, mail is new
	mkdir -p "$last"
	mailbox_files >"$last/before"
	mta_line=$(($(wc -l <"$work/mta/log") + 1))
	events_mark
}

# Whatever the exchangers took is in its mailbox, and nobody talks to Postfix any more.
exchangers_idle() {
	[ "$(grep -c ': connect from' "$work/mx/log")" = "$(grep -c ': disconnect from' "$work/mx/log")" ] &&
		[ -z "$(find "$work/mx/queue/"{incoming,active,maildrop} "$work/exim/spool/input" -type f 2>/dev/null)" ]
}

# Lines "mailbox file" in $last/arrived: what came since the mark.
arrivals() {
	postfix_log_written mx
	expect_soon 'an exchanger still waits for its client, or has not delivered' exchangers_idle
	mailbox_files | comm -13 "$last/before" - |
		sed -E "s,^$work/(mx|exim)/mail/([^/]*)/.*,\2@\1 &," | sed 's/@mx / /' | sort >"$last/arrived"
}

# The file is what was sent, to the byte, below what the exchanger wrote above it.
same_mail() { # FILE
	tail -c "$(stat -c %s "$last/message")" "$1" | cmp -s - "$last/message"
}

expect_arrived() { # MAILBOX...: in these, once each, and nowhere else
	local box file found='' wanted
	arrivals
	while read -r box file; do
		found+="${found:+ }$box"
		expect "the mail to $box is not what was sent" same_mail "$file"
	done <"$last/arrived"
	wanted=$(printf '%s\n' "$@" | sed '/^$/d' | sort | paste -sd ' ')
	[ "$found" = "$wanted" ] || wrong+=("it arrived at \"$found\" instead of \"$wanted\"")
}
