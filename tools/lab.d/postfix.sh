# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh and network.sh set them
# Two Postfix of our own, beside whatever the system runs: the receiving mail exchanger and a
# tenant's mail server. Sourced after network.sh; all their files are under $work.

postfix_common() { # NAME BYTES-OF-A-MESSAGE: what both need; stdout is main.cf
	cat <<-CF
		compatibility_level = 3.6
		queue_directory = $work/$1/queue
		data_directory = $work/$1/data
		maillog_file_prefixes = $work
		maillog_file = $work/$1/log
		mail_owner = postfix
		setgid_group = postdrop
		alias_maps =
		alias_database =
		mydestination =
		mynetworks = 127.0.0.0/8
		smtpd_peername_lookup = no
		smtpd_error_sleep_time = 0
		disable_dns_lookups = yes
		mailbox_size_limit = 0
		virtual_mailbox_limit = 0
		message_size_limit = $2
	CF
}

postfix_services() { # ADDRESS... to listen on; stdout is master.cf
	local at
	for at; do
		printf '%s inet n - n - - smtpd\n' "$at:25"
		printf '%s inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n' "$at:465"
	done
	cat <<-CF
		pickup unix n - n 60 1 pickup
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		tlsmgr unix - - n 1000? 1 tlsmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		trace unix - - n - 0 bounce
		verify unix - - n - 1 verify
		flush unix n - n 1000? 0 flush
		proxymap unix - - n - - proxymap
		smtp unix - - n - - smtp
		error unix - - n - - error
		retry unix - - n - - error
		virtual unix - n n - - virtual
		discard unix - - n - - discard
		anvil unix - - n - 1 anvil
		scache unix - - n - 1 scache
		postlog unix-dgram n - n - 1 postlogd
	CF
}

postfix_start() { # NAMESPACE NAME, its main.cf and master.cf written
	mkdir -p "$work/$2/queue" "$work/$2/data"
	chown postfix "$work/$2/data"
	in_ns "$1" postfix -c "$work/$2" start >"$work/$2.start" 2>&1 || {
		cat "$work/$2.start" "$work/$2/log" >&2
		return 1
	}
}

# Its mailboxes are folders (Maildir) under $work/mx/mail.
mx_start() { # BYTES that a message may have
	mkdir -p "$work/mx/mail"
	chown postfix "$work/mx/mail"
	openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=mx.example.net \
		-keyout "$work/mx/key.pem" -out "$work/mx/cert.pem" 2>/dev/null
	printf '%s@example.net 450 4.2.1 Mailbox busy, come back later\n' slow >"$work/mx/access"
	printf '%s@example.net 552 5.2.2 Mailbox full\n' full >>"$work/mx/access"
	printf '%s@example.net %s/\n' bob{,} carol{,} dave{,} eve{,} slow{,} full{,} >"$work/mx/mailboxes"
	printf 'member%02d@example.org members/\n' {1..60} >>"$work/mx/mailboxes"
	{
		postfix_common mx "$1"
		cat <<-CF
			myhostname = mx.example.net
			inet_interfaces = all
			inet_protocols = all
			default_transport = discard
			virtual_mailbox_domains = example.net example.org
			virtual_mailbox_maps = texthash:$work/mx/mailboxes
			virtual_mailbox_base = $work/mx/mail
			virtual_uid_maps = static:$(id -u postfix)
			virtual_gid_maps = static:$(id -g postfix)
			smtpd_recipient_restrictions = check_recipient_access texthash:$work/mx/access
			smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
			smtpd_tls_security_level = may
			smtpd_tls_cert_file = $work/mx/cert.pem
			smtpd_tls_key_file = $work/mx/key.pem
			smtpd_sasl_auth_enable = yes
			smtpd_sasl_type = dovecot
			smtpd_sasl_path = inet:127.0.0.1:12345
		CF
	} >"$work/mx/main.cf"
	postfix_services "$mx4" "[$mx6]" >"$work/mx/master.cf"
	start internet auth.py "$lab_d/auth.py" 12345 acme open-sesame
	wait_for 'the password checker' listens internet tcp 12345
	postfix_start internet mx
	wait_for 'the mail exchanger' listens internet tcp 25
}

# A tenant's: takes mail from sendmail(1) here, relays all of it to the exchanger; what bulk.example.com
# sends leaves from bulk's address.
mta_start() { # NAME SOURCE HOSTNAME
	mkdir -p "$work/$1"
	{
		postfix_common "$1" 60000000
		cat <<-CF
			myhostname = $3
			inet_interfaces = 127.0.0.1
			inet_protocols = ipv4
			relayhost = [$mx4]
			smtp_bind_address = $2
			virtual_mailbox_domains = blue.example.org
			virtual_transport = discard
			sender_dependent_default_transport_maps = inline:{@bulk.example.com=bulk:}
			transport_maps = inline:{exim.example.net=smtp:[$exim4]}
			local_recipient_maps =
			virtual_mailbox_maps = static:x
			smtp_connection_cache_destinations = [$mx4]
		CF
	} >"$work/$1/main.cf"
	{
		postfix_services 127.0.0.1
		printf 'bulk unix - - n - - smtp -o smtp_bind_address=%s -o smtp_helo_name=mail.bulk.example.com\n' "$bulk"
	} >"$work/$1/master.cf"
	postfix_start tenants "$1"
}

# All that its programs said by now is in the log: what they say goes through one process, in its order.
postfix_log_written() { # NAME
	local mark=mark-$RANDOM$RANDOM
	postlog -c "$work/$1" "$mark" 2>/dev/null
	wait_for "the log of $1" grep -qF "$mark" "$work/$1/log"
}

readonly mta_end='postfix/(smtp|error)\[.* status=(sent|bounced|deferred)' # of a recipient

# What the exchanger says that it took: messages and recipients since the LINE of its log.
mx_took() { # LINE
	tail -n "+$1" "$work/mx/log" | awk '
		/ postfix\/qmgr\[/ && /nrcpt=/ {
			messages++
			sub(/.*nrcpt=/, "")
			recipients += $1
		}
		END { print messages + 0, recipients + 0 }'
}
