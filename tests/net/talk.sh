#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What no ordinary client says, to a real exchanger: chunks, odd commands, a message in pieces down to a byte,
# guessed recipients. Each talk knows the reply that each of its commands has to get, gate or not.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"

talk() { # SOURCE TALK
	expect "$2: another reply than it should" in_ns tenants "$tests_d/../replay/peers/smtp_say.py" "$1" "$mx4" "$2"
}

net_case 'chunks (RFC 3030), in one write and one by one' talk "$acme" bdat
net_case 'commands in odd dress' talk "$acme" verbs
net_case 'commands and the end of data in pieces' talk "$acme" segments
net_case 'a bare LF inside a message' talk "$acme" bare_lf
net_case 'recipients guessed, until the exchanger hangs up' talk "$bulk" harvest
