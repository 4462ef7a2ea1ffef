#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Mail from real clients to real exchangers: what is good arrives as it was sent, what is refused is refused in
# the sender's own log. With a bridge for a gate, nothing is refused: the peers and the checks are right.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"

net_case 'an ordinary mail arrives, byte for byte' mail_clean
net_case 'so it does over IPv6' mail_ipv6
net_case 'so it does at Exim' mail_exim
net_case 'so it does encrypted' mail_starttls
net_case 'one of three recipients opted out' mail_optout
net_case 'so it is over IPv6' mail_optout6
net_case 'replies keep their order in a pipeline' mail_reply-order
net_case 'one of three recipients of a Postfix opted out' mail_postfix
net_case 'GTUBE' mail_spam
net_case 'EICAR, attached' mail_malware
net_case 'a sender in a domain of others' mail_forged
net_case 'two From fields' mail_two-from
net_case 'bulk without a way to unsubscribe' mail_newsletter
net_case 'a mail without its tag' mail_untagged
net_case 'one with it' mail_tagged
net_case 'a suspended tenant' mail_suspended
net_case 'more mail than the limit' mail_burst
if [ "${LOSE:-0}" -eq 0 ]; then # there it takes its time
	net_case 'more mail than the limit, and then one passes again' mail_drip
fi
net_case 'the second mail to who does not exist' mail_suppressed
net_case 'addresses that are tried out' mail_harvest
net_case 'the 61st mail to one recipient' mail_mailbomb
net_case 'fourteen recipients that nobody wrote to' mail_strangers
net_case 'an exchanger that relays nothing' mail_relay
net_wire
