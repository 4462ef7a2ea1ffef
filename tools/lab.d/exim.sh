# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh and network.sh set them
# A second mail exchanger by other people than Postfix's: Exim, for exim.example.net. It can't be installed
# beside Postfix; tools/setup lab unpacks it. Sourced after network.sh.

readonly exim_program=${EXIM:-/var/cache/postern-lab/exim4-daemon-light/usr/sbin/exim4}

# Its mailboxes are folders (Maildir) under $work/exim/mail.
exim_start() {
	mkdir -p "$work/exim/spool" "$work/exim/mail"
	cat >"$work/exim/exim.conf" <<-CF
		exim_path = $exim_program
		keep_environment =
		primary_hostname = exim.example.net
		local_interfaces = $exim4
		daemon_smtp_ports = 25
		spool_directory = $work/exim/spool
		log_file_path = $work/exim/%slog
		pid_file_path = $work/exim/pid
		log_selector = +smtp_connection +smtp_no_mail +received_recipients
		message_size_limit = 60M
		pipelining_advertise_hosts = *
		chunking_advertise_hosts = *
		tls_advertise_hosts =
		host_lookup =
		rfc1413_query_timeout = 0s
		acl_smtp_rcpt = to_us
		begin acl
		to_us:
		  accept domains = exim.example.net
		         local_parts = bob : carol : dave
		  deny message = Unknown user
		begin routers
		here:
		  driver = accept
		  local_parts = bob : carol : dave
		  transport = folder
		begin transports
		folder:
		  driver = appendfile
		  maildir_format
		  directory = $work/exim/mail/\$local_part_data
		  create_directory
		  user = Debian-exim
	CF
	chown -R Debian-exim: "$work/exim"
	chown root: "$work/exim/exim.conf" # or it is not believed
	start internet exim "$exim_program" -C "$work/exim/exim.conf" -bdf -q30m
	wait_for 'Exim' listens internet tcp 25 "$exim4"
}
