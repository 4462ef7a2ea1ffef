# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# All of it, for tools/lab and tests/net. Sourced; $lab_d is this folder.

# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/cell.sh
. "$lab_d/cell.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/network.sh
. "$lab_d/network.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/report.sh
. "$lab_d/report.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/gate.sh
. "$lab_d/gate.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/postfix.sh
. "$lab_d/postfix.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/exim.sh
. "$lab_d/exim.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/letters.sh
. "$lab_d/letters.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/swaks.sh
. "$lab_d/swaks.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/mails.sh
. "$lab_d/mails.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/sip.sh
. "$lab_d/sip.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/baresip.sh
. "$lab_d/baresip.sh"
# shellcheck source-path=SCRIPTDIR source=../../tools/lab.d/calls.sh
. "$lab_d/calls.sh"

readonly lab_needs=(unshare nsenter ip ethtool postfix swaks sipp baresip tcpdump openssl python3 ps)

lab_missing() { # what tools/setup lab would install, if anything
	local program
	for program in "${lab_needs[@]}" "$exim_program"; do
		command -v "$program" >/dev/null || printf '%s\n' "$program"
	done
}

lab_up() { # GATE LOSE SWAP [PROGRAMS]: in a cell that is prepared
	local pid peers=()
	network_up "$2" "$3" "${4:-}"
	mx_start 60000000 &
	peers+=($!)
	exim_start &
	peers+=($!)
	mta_start mta "$blue" mail.blue.example.org &
	peers+=($!)
	gate_up "$1" "${@:4}"
	callees_start
	for pid in "${peers[@]}"; do wait "$pid" || die 'a peer did not start'; done
}
