#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck disable=SC2154 # tools/lab.d sets them
# What a tenant sends that nobody wants, and that nobody reads: it is dropped, counted, and worth points; whom it works with
# it still reaches.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"
readonly flood_py=$tests_d/flood.py server=198.51.100.61

kernel_counts() { [ "$(gate_kind)" = xdp ] && echo yes || echo no; }

flood() { # CASE
	local rc=0
	in_ns tenants "$flood_py" "$1" /run/postern/control.sock eth0 "$server" "$acme" "$(kernel_counts)" \
		"$work/internet.pcap" >"$work/flood.log" 2>&1 || rc=$?
	line packets "$(tail -n 1 "$work/flood.log")"
	expect "$1" [ "$rc" -eq 0 ]
}

flood_told() { # CASE: that it was, too
	flood "$1"
	if [ "$(kernel_counts)" = yes ]; then
		expect_soon 'no event about probing' gate_told probing
	else
		expect_soon 'no event about probing' event_has reason probing
	fi
}

gate_told() { # NAME
	grep -qF "\"event\":\"$1\"" "$events"
}

start internet serve "$flood_py" serve "$server" 8080 8081
wait_for 'the server' grep -q ready "$work/serve.log"
sed -i 's/^policy: {/& probing = 50;/; s/^ *id = 1;$/    id = 60; name = "lane"; vlan = 100; prefixes = [ "192.0.2.80" ];\n  },\n  {\n&/' \
	"$gate_d/postern.conf"
postern reload >/dev/null
events_mark
net_case 'a thousand SYNs a second are dropped, and who answered before is reached' flood flood
net_case 'sources of nobody in the VLAN of a tenant are dropped, and his' flood spoofed
net_case 'very many addresses, by datagrams and by SYNs, are told of' flood_told probing
sed -i 's/probing = 50;/& actions: { probing = "drop"; };/' "$gate_d/postern.conf"
postern reload >/dev/null
net_case 'where it says so, new ones are dropped' flood dropped
