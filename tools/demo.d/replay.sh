# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # tools/demo sets $scratch
# The replay part: captures of real peers through the same packet path, and how fast that is. Sourced by tools/demo.

readonly LOOPS=3 # of the generated traffic, each with new flows

# The part of the page that tells the most; the command shows all of it.
replay_captures() {
	say 'The same gate with captures for a wire: what it refused, and why' \
		'$ build/tools/postern replay -c tests/replay/postern.conf -r rules/ tests/replay/captures/*.pcapng'
	(
		cd tests/replay/captures || exit # short names on the page
		../../../build/tools/postern replay -c ../postern.conf -r ../../../rules/ --json "$scratch/summary.json" \
			--write "$scratch/left.pcapng" -- *.pcapng
	) >"$scratch/page"
	awk '/^[A-Z]/ { shown = /^REFUSED/ } shown && NF && !/^REFUSED/' "$scratch/page"
}

show_what_left() {
	say 'What left the gate (--write): pcapng, a comment on each packet that the gate made or changed'
	if ! command -v tshark >/dev/null; then
		build/tools/postern replay -q --json - "$scratch/left.pcapng" |
			python3 -c 'import json, sys; s = json.load(sys.stdin); print("  ", s["packets"], "packets;",
				"tshark, where installed, shows those with a comment here")'
		return 0
	fi
	tshark -r "$scratch/left.pcapng" -Y 'frame.comment contains "from the gate"' -T fields -E separator=/t \
		-e frame.number -e frame.comment -e smtp.response.code -e smtp.rsp.parameter -e sip.Status-Line 2>/dev/null |
		awk -F '\t' '!seen[$2]++ { sub(/^SIP\/2.0 /, "", $5); printf "   packet %5d  %-32s %s%s\n", $1, $2, $3 ? $3 " " $4 : "", $5 }'
}

measure() {
	say "How fast (--bench): generated mails and calls, from memory, $LOOPS times over, each time with new flows" \
		'(docs/performance.md has the figures of tools/bench, beside those of testpmd and bare Hyperscan)'
	build/tools/gen/postern-gen mix --mails 200 --calls 2000 "$scratch/mix.pcapng"
	build/tools/postern replay -q --bench --loop "$LOOPS" -r rules/ --json "$scratch/bench.json" "$scratch/mix.pcapng"
	python3 - "$scratch/bench.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    summary = json.load(file)
speed = summary["performance"]
print(f"   {summary['packets']:,} packets, {summary['smtp']['messages']['attempted']:,} mails and "
      f"{summary['sip']['calls']['attempted']:,} calls with the rules that come with Postern: "
      f"{speed['packets_per_s'] / 1e6:.2f} million packets/s, {speed['bits_per_s'] / 1e9:.2f} Gbit/s on one core of this machine")
PYTHON
}

replay_part() {
	replay_captures
	show_what_left
	measure
}
