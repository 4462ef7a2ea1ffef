# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2034 # its addresses are for whoever sources it
# The wire: tenants, the gate's two ports, the internet. Sourced after cell.sh.
#
#     tenants: eth0 ──── [wire ────] inside: gate :outside ──── eth0: internet

readonly acme=192.0.2.10 blue=192.0.2.20 bulk=192.0.2.30 dial=192.0.2.40 shop=192.0.2.50 center=192.0.2.60 robot=192.0.2.70 drip=192.0.2.80
readonly acme6=2001:db8:1::10 dial6=2001:db8:1::40
readonly mx4=198.51.100.25 mx6=2001:db8:2::25 exim4=198.51.100.26 sip6=2001:db8:2::60

namespace_up() { # NAMESPACE
	ip netns add "$1"
	in_ns "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.router_solicitations=0 net.ipv6.conf.all.accept_ra=0
	ip -n "$1" link set lo up
}

link_up() { # NAMESPACE INTERFACE MAC ADDRESS...
	local address
	ip -n "$1" link set "$2" address "$3"
	# Real checksums and frames no larger than the wire's: what a gate between two hosts would see.
	in_ns "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null
	ip -n "$1" link set "$2" up
	for address in "${@:4}"; do
		case "$address" in
		*:*) ip -n "$1" -6 address add "$address" dev "$2" nodad ;;
		*) ip -n "$1" address add "$address" dev "$2" ;;
		esac
	done
}

# A port speaks for nobody: what it receives, it hands on.
port_up() { # NAMESPACE INTERFACE
	in_ns "$1" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1"
	in_ns "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null
	ip -n "$1" link set "$2" promisc on up
}

# All that a host sends goes by its queues from FIRST on, which the other end hears as its own.
queues_from() { # NAMESPACE INTERFACE FIRST
	# shellcheck disable=SC2016 # its dollars are its own
	in_ns "$1" sh -c 'last=$(sed "s/.*-//" /sys/devices/system/cpu/present)
		for q in /sys/class/net/$1/queues/tx-*; do
			cpus=$(printf %x $(((1 << (last + 1)) - 1)))
			[ "${q##*-}" -ge "$2" ] || cpus=0
			echo "$cpus" >"$q/xps_cpus"
		done' - "$2" "$3"
}

# A wire that loses one in LOSE segments of data and lets each SWAP-th be overtaken; 0 0: none such. In the environment:
# CORRUPT, one in so many that come with a wrong byte, and SEED; LINK_QUEUES, of the gate's ports, and FIRST_QUEUE, from
# which on they hear something.
network_up() { # LOSE SWAP [PROGRAMS]
	local ns queues=(numrxqueues "${LINK_QUEUES:-1}" numtxqueues "${LINK_QUEUES:-1}")
	for ns in tenants gate internet; do namespace_up "$ns"; done
	if [ $(($1 + $2)) -eq 0 ]; then
		ip link add inside netns gate "${queues[@]}" type veth peer name eth0 netns tenants "${queues[@]}"
	else
		namespace_up wire
		ip link add wire0 netns wire type veth peer name eth0 netns tenants
		ip link add wire1 netns wire type veth peer name inside netns gate
		port_up wire wire0
		port_up wire wire1
	fi
	ip link add outside netns gate "${queues[@]}" type veth peer name eth0 netns internet "${queues[@]}"
	link_up tenants eth0 02:00:00:00:00:01 {"$acme","$blue","$bulk","$dial","$shop","$center","$robot","$drip"}/24 {"$acme6","$dial6"}/64
	link_up internet eth0 02:00:00:00:00:02 198.51.100.{25,26,60,61,62,63,64,65,66,67}/24 {"$mx6","$sip6"}/64
	ip -n tenants route add 198.51.100.0/24 dev eth0
	ip -n internet route add 192.0.2.0/24 dev eth0
	ip -n tenants -6 route add 2001:db8:2::/64 dev eth0
	ip -n internet -6 route add 2001:db8:1::/64 dev eth0
	port_up gate inside
	port_up gate outside
	[ "${FIRST_QUEUE:-0}" -eq 0 ] || for ns in tenants internet; do queues_from "$ns" eth0 "$FIRST_QUEUE"; done
	[ $(($1 + $2)) -eq 0 ] || wire_start "$@"
}

# Each end loses what it receives (tests/net/wire.bpf.c); between them is a bridge, or where frames are to be
# overtaken a relay, for which the kernel has nothing.
wire_start() { # LOSE SWAP PROGRAMS
	local end seed=${SEED:-1}
	for end in wire0 wire1; do
		in_ns wire "${3:?programs}/tests/net/wire" "$3/tests/net/wire.bpf.o" "$end" "$1" "${CORRUPT:-0}" $((seed++)) ||
			die 'the wire can not be made a bad one'
	done
	if [ "$2" -eq 0 ]; then
		bridge_up wire wire0 wire1
	else
		start wire wire "$lab_d/wire.py" wire0 wire1 "$2"
		wait_for 'the relay' grep -q ready "$work/wire.log"
	fi
}

wire_lost() { # how many segments, so far
	local end
	for end in wire0 wire1; do in_ns wire ethtool -S "$end"; done | awk '/xdp_drops/ { n += $2 } END { print n + 0 }'
}

wire_has_lost() {
	[ "$(wire_lost)" -gt 0 ]
}

bridge_up() { # NAMESPACE INTERFACE INTERFACE: reads nothing
	ip -n "$1" link add br0 type bridge mcast_snooping 0
	in_ns "$1" sysctl -qw net.ipv6.conf.br0.disable_ipv6=1
	ip -n "$1" link set "$2" master br0
	ip -n "$1" link set "$3" master br0
	ip -n "$1" link set br0 up
}

bridge_down() {
	ip -n gate link del br0
}

# Clients that can't be told their address take the one that the route names, for the time of COMMAND.
as_tenant() { # ADDRESS COMMAND...
	local rc=0
	ip -n tenants route change 198.51.100.0/24 dev eth0 src "$1"
	"${@:2}" || rc=$?
	ip -n tenants route change 198.51.100.0/24 dev eth0
	return "$rc"
}
