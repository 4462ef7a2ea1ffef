# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A cell: mount, PID and host name namespaces in which a lab, a test or a recording lives, so that the kernel
# ends its processes and takes its network, mounts and files with them when its first process ends, however
# that ends. Sourced; $lab_d is this folder. Everything that lives in a cell is in $work.

: "${lab_d:?}"
readonly work=/run/postern-lab STEP_S=${STEP_S:-100} # s: what takes longer has failed, on the slowest machine

die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

# Takes this shell's place. COMMAND is the cell's first process.
cell_exec() { # COMMAND...
	[ "$(id -u)" -eq 0 ] || die 'needs root'
	exec unshare --mount --uts --pid --fork --kill-child --mount-proc "$@"
}

# The first thing in a cell: no name, address or user of this machine is seen from inside.
cell_prepare() {
	hostname gate.example.com
	mount -t tmpfs tmpfs /run
	mkdir /run/netns /run/lock /run/bpf
	mkdir -m 711 "$work"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$work/hosts"
	: >"$work/resolv.conf"
	cp /etc/passwd "$work/passwd"
	cp /etc/group "$work/group"
	if ! getent passwd Debian-exim >/dev/null; then # exim.sh; an Exim that is only unpacked has no user
		printf 'Debian-exim:x:64990:64990::/nonexistent:/usr/sbin/nologin\n' >>"$work/passwd"
		printf 'Debian-exim:x:64990:\n' >>"$work/group"
	fi
	mount --bind "$work/hosts" /etc/hosts
	mount --bind "$work/resolv.conf" "$(realpath /etc/resolv.conf)"
	mount --bind "$work/passwd" /etc/passwd
	mount --bind "$work/group" /etc/group
}

in_ns() { # tenants|gate|internet|wire COMMAND...
	ip netns exec "$@"
}

start() { # NAMESPACE LOG COMMAND...: in the background; $started is its pid
	: >"$work/$2.log" # what is waited for in it is not an earlier one's
	ip netns exec "$1" "${@:3}" </dev/null >"$work/$2.log" 2>&1 &
	started=$!
}

stop() { # PID...
	kill "$@" 2>/dev/null || :
	wait "$@" 2>/dev/null || :
}

comes() { # SECONDS COMMAND...: it succeeds sooner or later
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

wait_for() { # WHAT COMMAND...: until it succeeds, or die
	comes "$STEP_S" "${@:2}" || die "waited $STEP_S s in vain for $1"
}

# Who writes to a grep -q that found it and has gone has failed, and with pipefail so has the pipe.
finds() { # GREP-OPTION...: in what comes, all of which is read
	grep "$@" >/dev/null
}

listens() { # NAMESPACE tcp|udp PORT [ADDRESS]
	in_ns "$1" ss -Hln "--$2" "sport = :$3" | finds -F "${4:-:$3}"
}

settled() { # FILE: has not grown for half a second
	local size
	size=$(stat -c %s "$1")
	sleep 0.5
	[ "$(stat -c %s "$1")" = "$size" ]
}
