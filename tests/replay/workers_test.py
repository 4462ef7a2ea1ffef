#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The results do not depend on the number of workers: workers_test.py POSTERN POSTERN_GEN RULES

Generated mail and calls of eight tenants, over IPv4 and IPv6, some in fragments, out of order, sent again, overlapping, with
other bytes in what is sent again; limits, lists and rules refuse some. Summary, events and packets must be the same, byte for byte.
So too where the first checks drop packets: flow events count none of these, whoever makes the checks.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from conversation import conversation_read
from packets import pcap_write

CONFIG = """
tiers: {
  narrow: { messages = "10/min"; recipients = "1/s burst 8"; connections = "1/s burst 5"; calls = "1/s burst 3"; sip_requests = "3/s burst 9"; };
  wide: { messages = "600/min"; recipients = "1000/s"; bytes = "200K/s burst 400K"; recipients_per_message = 2; };
  shadow: { messages = "5/min"; calls = "1/10s"; bytes = "1K/s"; shadow = [ "messages", "calls", "bytes" ]; };
};
tenants: (
  { id = 1; name = "a"; prefixes = [ "10.1.0.0/16", "2001:db8:1::/48" ]; tier = "narrow"; country = "US"; emergency = "reject"; },
  { id = 2; name = "b"; prefixes = [ "10.2.0.0/16", "2001:db8:2::/48" ]; tier = "narrow"; country = "US"; },
  { id = 3; name = "c"; prefixes = [ "10.3.0.0/16", "2001:db8:3::/48" ]; tier = "wide"; },
  { id = 4; name = "d"; prefixes = [ "10.4.0.0/16", "2001:db8:4::/48" ]; tier = "wide"; optout = [ "optout" ]; },
  { id = 5; name = "e"; prefixes = [ "10.5.0.0/16", "2001:db8:5::/48" ]; tier = "shadow"; },
  { id = 6; name = "f"; prefixes = [ "10.6.0.0/16", "2001:db8:6::/48" ]; state = "suspended"; },
  { id = 7; name = "g"; prefixes = [ "10.7.0.0/16", "2001:db8:7::/48" ]; domain_consent = true; domains = [ "nowhere.example" ];
    limits: { syns = "1/2s burst 3"; }; },
  { id = 8; name = "h"; prefixes = [ "10.8.0.0/16", "2001:db8:8::/48" ];
    limits: { connections = "1/10s"; sip_requests = "1/10s"; }; }
);
budgets: { flows = 16384; sessions = 4096; messages = 512; calls = 4096; };
"""

GENERATE = ["mix", "--size", "6K", "--talk", "8", "--recipients", "3", "--tenants", "9", "--retransmit", "2%", "--reorder", "3%", "--overlap", "2%", "--fragment", "3%", "--decoy", "1%", "--tls", "5%",
            "--spam", "10%", "--bounced", "5%", "--sip-tcp", "30%", "--emergency", "2%", "--opt-out", "5%", "--ipv6", "20%"]

# What the first checks drop, wherever they are made: any packet of a flow, its first one too.
HELD_CONFIG = """
tenants: (
  { id = 1; name = "a"; prefixes = [ "10.1.0.0/16", "2001:db8:1::/48" ]; limits: { packets = "2/s burst 30"; }; },
  { id = 2; name = "b"; prefixes = [ "10.2.0.0/16", "2001:db8:2::/48" ]; limits: { bytes = "1K/s burst 10K"; }; },
  { id = 3; name = "c"; prefixes = [ "10.3.0.0/16", "2001:db8:3::/48" ]; limits: { syns = "1/20s burst 2"; }; },
  { id = 4; name = "d"; prefixes = [ "10.4.0.0/16", "2001:db8:4::/48" ]; }
);
lists: { blocked = [ "203.0.113.64/26", "2001:db8:ffff::/121" ]; };
budgets: { flows = 16384; sessions = 4096; messages = 512; calls = 4096; };
"""
HELD = {"calls": ("limit_packets", "limit_bytes", "blocked"), "mails": ("limit_syns", "blocked")}
HELD_TRAFFIC = {"calls": ["call", "--count", "400", "--duration", "4", "--talk", "1", "--sip-tcp", "0", "--prefix", "10.1.0.0/16", "--prefix", "10.2.0.0/16"],
                "mails": ["mix", "--mails", "80", "--calls", "60", "--duration", "40", "--size", "6K", "--sip-tcp", "30%", "--tls", "5%", "--retransmit", "5%",
                          "--prefix", "10.3.0.0/16", "--prefix", "2001:db8:3::/48", "--prefix", "10.4.0.0/16"]}


# Dense: many packets of many flows at once. Sparse: hours apart, so that everything that can times out.
TRAFFIC = {"dense": ["--mails", "90", "--calls", "200", "--duration", "40"],
           "sparse": ["--mails", "30", "--calls", "60", "--duration", "100000", "--seed", "2"]}


# What rules remember is shared by the workers, and asked in the packets' order.
STATE_RULES = '''
alert sip any any -> any any (msg:"limit"; sip.method; content:"INVITE"; threshold:type limit,track by_src,count 2,seconds 5; sid:9900001;)
alert sip any any -> any any (msg:"filter"; sip.method; content:"INVITE"; detection_filter:track by_rule,count 20,seconds 10; sid:9900002;)
alert sip any any -> any any (msg:"answered"; sip.stat_code; content:"200"; flowbits:isset,called; sid:9900003;)
alert sip any any -> any any (msg:"called"; sip.method; content:"INVITE"; flowbits:set,called; noalert; sid:9900004;)
alert smtp any any -> any any (msg:"mailed"; email.subject; bsize:>0; xbits:set,mailed,track tenant,expire 3600; noalert; sid:9900005;)
alert sip any any -> any any (msg:"both"; sip.method; content:"INVITE"; xbits:isset,mailed,track tenant; threshold:type both,track by_tenant,count 5,seconds 20; sid:9900006;)
alert smtp any any -> any any (msg:"tier"; email.subject; to_lowercase; bsize:>0; metadata:tier narrow; threshold:type threshold,track by_src,count 2,seconds 60; sid:9900007;)
reject smtp any any -> any any (msg:"kept"; email.body; content:"workshop"; nocase; metadata:keep 200; sid:9900008;)
'''


def run(postern, workers, folder, rules):
    """(summary without what it took, events, packets, what is kept of refused mails)"""
    command = [postern, "replay", "-q", "-c", folder / "conf", "-r", rules, "-r", folder / "state.rules", "--workers", str(workers), "--json", folder / "json",
               "--events", folder / "eve", "--evidence", folder / "kept", "--write", folder / "left", folder / "pcap"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    summary = json.loads((folder / "json").read_bytes())
    del summary["performance"], summary["flows"]  # what it took: flows stand in tables until somebody looks
    summary["tenants"] = {tenant["name"]: tenant for tenant in summary["tenants"]}
    *events, last = (folder / "eve").read_bytes().splitlines()
    assert b'"event_type":"stats"' in last
    return summary, events, (folder / "left").read_bytes(), (folder / "kept").read_bytes()


def differences(one, other, path=""):
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from differences(one.get(name), other.get(name), f"{path}.{name}")
    elif one != other:
        yield f"{path[1:]}: {one} and {other}"


def compare(first, result, workers):
    failures = list(differences(first[0], result[0]))[:20]
    if first[1] != result[1]:
        same = sorted(first[1]) == sorted(result[1])
        where = next((i for i, (a, b) in enumerate(zip(first[1], result[1])) if a != b), -1)
        failures.append("events: " + ("in another order" if same else "others") + f", first at line {where + 1}:\n  "
                        + "\n  ".join(r[1][where].decode() for r in (first, result) if where < len(r[1])))
    if first[2] != result[2]:
        failures.append(f"packets that left: {len(first[2])} and {len(result[2])} bytes")
    if first[3] != result[3]:
        failures.append(f"what is kept of refused mails: {len(first[3])} and {len(result[3])} bytes")
    return [f"1 worker and {workers}: {f}" for f in failures]


def check_busy(summary):
    """The traffic has to have what the test is about."""
    reasons = set(summary["reasons"])
    wanted = {"limit_messages", "limit_recipients", "limit_connections", "limit_calls", "limit_sip_requests", "limit_bytes",
              "limit_recipients_message", "tenant_suspended", "domain_consent", "opt_out", "rule", "emergency_number",
              "tcp_overlap_differs"}
    missing = [f"no {reason} in the traffic" for reason in sorted(wanted - reasons)]
    for path in (("link", "fragments"), ("tcp", "out_of_order"), ("tcp", "retransmitted")):
        if not summary[path[0]][path[1]]:
            missing.append(f"no {path[1]} in the traffic")
    return missing


def check_state(events):
    """Each of the rules that remember has said something, and the counts have kept something back."""
    seen = [json.loads(event).get("alert", {}).get("signature_id") for event in events]
    missing = [f"no alert of {sid}" for sid in (9900001, 9900002, 9900003, 9900006, 9900007) if sid not in seen]
    if any(sid in seen for sid in (9900004, 9900005)):
        missing.append("an alert of a rule with noalert")
    return missing


def check_held(summary, events, reasons):
    """No packet that the first checks dropped is any flow's, and all others are."""
    dropped = [summary["reasons"].get(reason, 0) for reason in reasons]
    flows = [event["flow"] for event in map(json.loads, events) if event["event_type"] == "flow"]
    counted = sum(flow["pkts_toserver"] + flow["pkts_toclient"] for flow in flows)
    failures = [f"no {reason} in the traffic" for reason, n in zip(reasons, dropped) if not n]
    if counted != summary["packets"] - sum(dropped):
        failures.append(f"{summary['packets']} packets, {sum(dropped)} of them dropped by the first checks, {counted} in flow events")
    if "limit_syns" in reasons and not any(flow["midstream"] for flow in flows):
        failures.append("no flow's first packet was dropped")
    return failures


def compare_held(name, postern, generator, folder, rules):
    (folder / "conf").write_text(HELD_CONFIG)
    subprocess.run([generator, *HELD_TRAFFIC[name], folder / "pcap"], check=True)
    first = run(postern, 1, folder, rules)
    print(f"held {name}: {first[0]['packets']} packets, {len(first[1])} events")
    return check_held(*first[:2], HELD[name]) + [f for workers in (2, 3) for f in compare(first, run(postern, workers, folder, rules), f"{workers} (held {name})")]


def compare_case(name, postern, folder, rules):
    """A case's conversations: what one flow says changes what becomes of others."""
    case = Path(__file__).parent / "cases" / name
    sessions, _ = conversation_read((case / "talk").read_text(encoding="utf-8"))
    (folder / "conf").write_text((case / "postern.conf").read_text(encoding="utf-8"), encoding="utf-8")
    pcap_write(folder / "pcap", [p for s in sessions for p in s.packets])
    first = run(postern, 1, folder, rules)
    print(f"{name}: {first[0]['packets']} packets, {len(first[1])} events")
    return [f for workers in (2, 3, 4) for f in compare(first, run(postern, workers, folder, rules), f"{workers} ({name})")]


def main():
    postern, generator, rules = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "conf").write_text(CONFIG)
        (folder / "state.rules").write_text(STATE_RULES)
        (folder / "optout").write_text("".join(f"optout{n}@example.org\n" for n in range(1000)))
        failures = []
        for name, options in TRAFFIC.items():
            subprocess.run([generator, *GENERATE, *options, folder / "pcap"], check=True)
            first = run(postern, 1, folder, rules)
            failures += check_busy(first[0]) + check_state(first[1]) if name == "dense" else []
            if name == "dense" and b'"body":' not in first[3]:
                failures.append("nothing is kept of a body")
            for workers in (2, 3, 4):
                failures += compare(first, run(postern, workers, folder, rules), f"{workers} ({name})")
            print(f"{name}: {first[0]['packets']} packets, {len(first[1])} events")
        for name in HELD:
            failures += compare_held(name, postern, generator, folder, rules)
        failures += compare_case("sip-emergency", postern, folder, rules)
    for failure in failures:
        print(failure)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
