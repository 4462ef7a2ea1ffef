# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # cell.sh and network.sh set them
# A telephone that people use: baresip, without a display or a sound card. Sourced after network.sh.

readonly VOICE=25 # packets, 50 a second

baresip_prepare() { # ADDRESS
	[ ! -d "$work/baresip" ] || return 0
	mkdir "$work/baresip"
	python3 - "$work/baresip/tone.wav" <<-'PY'
		import math, struct, sys, wave
		with wave.open(sys.argv[1], "wb") as w:
		    w.setparams((1, 2, 8000, 0, "NONE", ""))
		    w.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(i / 3))) for i in range(80000)))
	PY
	cat >"$work/baresip/config" <<-CF
		module_path /usr/lib/baresip/modules
		sip_listen $1:5090
		net_interface $1
		module g711.so
		module aufile.so
		module_tmp account.so
		module_app menu.so
		audio_source aufile,$work/baresip/tone.wav
		audio_player aufile,/dev/null
		audio_alert aufile,/dev/null
	CF
	: >"$work/baresip/contacts"
}

# Dials; hangs up when voice came back for a while, if it is answered. Its words are in $last/baresip.log, the voice that
# came (SIPp sends back what it hears) in $last/voice.pcap.
baresip_call() { # SOURCE URI udp|tcp
	local ear
	baresip_prepare "$1"
	start tenants ear tcpdump -Z root -U --immediate-mode -i eth0 -w "$last/voice.pcap" udp and src portrange 6000-6100
	ear=$started
	wait_for tcpdump grep -q 'listening on' "$work/ear.log"
	printf '<sip:+12025550100@%s;transport=%s>;regint=0;audio_codecs=pcmu\n' "$1" "$3" >"$work/baresip/accounts"
	as_tenant "$1" baresip_talk "$2"
	stop "$ear"
}

baresip_talk() { # URI
	start tenants baresip baresip -4 -f "$work/baresip" -e "/dial $1" -t "$STEP_S"
	comes "$STEP_S" baresip_over || :
	stop "$started" # it hangs up then
	tr '\r' '\n' <"$work/baresip.log" | sed 's/\x1b\[[0-9;]*m//g' >"$last/baresip.log"
}

baresip_over() {
	grep -q 'session closed' "$work/baresip.log" ||
		{ grep -q 'Call established' "$work/baresip.log" && [ "$(voice_packets)" -gt "$VOICE" ]; }
}

voice_packets() {
	tcpdump -n -r "$last/voice.pcap" 2>/dev/null | wc -l
}
