#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Replays a case's conversations and holds what the gate did against what they say it does.

    decisions.py POSTERN DOCS CASE

CASE is a folder: `talk` (conversation.py has the form), postern.conf, rules.rules, `lists`: a line for each `postern list
import`, `acme optout FILE --now`, where FILE of the case comes with as many made-up addresses as `fill N` before it says. Of every session are compared: its events,
in order; the bytes and datagrams that left the gate; what the gate said itself. No packet may leave broken, no event may
be invalid by DOCS/eve.schema.json. The summary is compared with the lines of the section `== summary`: `path = JSON`, where
a path goes by members' names, and by a tenant's name in `tenants`. Scores at the end are compared with the lines of the section
`== risk`: `acme = 31.1 watch: asr 31.1`, or `acme = 0 none`: score, level, and every term that gives points, in one decimal.

Events in words:
    reject recipient opt_out "550 5.7.1 ..." about listed@example.net     verdict
    alert 1001 blocked smtp.helo "spam.example"                           alert
    mail accepted 250 2/3                                                 smtp: recipients accepted and tried
    call answered 200, rang after 1.5s, 4s, short                         call
    kept 5 email.body 120 "text, redacted"                                what is kept of a refused mail's body, behind its
                                                                          first 120 bytes; after the session's events
Exit 77: it can't run here, and why.
"""
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from conversation import conversation_read
from packets import TCP, pcap_write, pcapng_read

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def number(x):
    return f"{x:.3f}".rstrip("0").rstrip(".") + "s"


def verdict_words(event):
    v = event["verdict"]
    return " ".join([v["action"], v["object"], v["reason"]] +
                    ([str(v["signature_id"])] if "signature_id" in v else []) +
                    ([f'"{v["reply"]}"'] if "reply" in v else []) +
                    ([f"about {v['detail']}"] if "detail" in v else []) +
                    (["(shadow)"] if v["shadow"] else []))


def alert_words(event):
    a = event["alert"]
    return " ".join(["alert", str(a["signature_id"]), a["action"], a["buffer"]] +
                    ([f'"{a["context"]}"'] if "context" in a else []) + (["(shadow)"] if a["shadow"] else []))


def smtp_words(event):
    s = event["smtp"]
    return " ".join(["mail", s["result"]] + ([s["reply_code"]] if "reply_code" in s else []) +
                    [f"{s['rcpt_accepted']}/{s.get('rcpt_count', 0)}"])


def call_words(event):
    c = event["call"]
    return ", ".join([f"call {c['state']}" + (f" {c['code']}" if "code" in c else "") +
                      (f", rang after {number(c['ring_s'])}" if "ring_s" in c else "")] +
                     ([number(c["duration_s"])] if "duration_s" in c else []) +
                     [word for word in ("short", "completed") if c[word]])


WORDS = {"verdict": verdict_words, "alert": alert_words, "smtp": smtp_words, "call": call_words}


class Failures(list):
    def expect(self, title, what, expected, found):
        if expected != found:
            self.append(f"{title}: {what}\n    expected {expected}\n    found    {found}")


def kept_words(e):
    return f'kept {e["signature_id"]} {e["buffer"]} {e["at"]} {json.dumps(e["body"], ensure_ascii=False)}'


def events_of_sessions(sessions, events):
    """Words of each session's events, in the order of the log."""
    by_end, by_call = {}, {}
    for session in sessions:
        by_end[(*session.client, *session.server)] = by_end[(*session.server, *session.client)] = session
        for call_id in session.call_ids:
            by_call.setdefault(call_id, session)
    words = defaultdict(list)
    events = list(events)
    for event in events:
        kind = event["event_type"]
        if kind not in WORDS:
            continue
        if kind == "call":
            session = by_call[event["call"]["call_id"]]
        else:
            session = by_end[event["src_ip"], event["src_port"], event["dest_ip"], event["dest_port"]]
        words[id(session)].append(WORDS[kind](event))
    for event in events:
        if event["event_type"] == "evidence" and "body" in event:
            session = by_end[event["src_ip"], event["src_port"], event["dest_ip"], event["dest_port"]]
            words[id(session)].append(kept_words(event))
    return words


def spans(leaves, data):
    """What leaves, as text: runs of bytes."""
    out, run = [], b""
    for leaving, byte in zip(leaves, data):
        if leaving:
            run += bytes([byte])
        elif run:
            out.append(run)
            run = b""
    return out + [run] if run else out


def check_stream(failures, session, side, packets):
    data, leaves = session.expected(side)
    left = bytearray(len(data))
    first = 1001 if side == "C" else 5001
    for packet in packets:
        at, end = packet.seq - first, packet.seq - first + len(packet.payload)
        if packet.payload and data[max(at, 0):end] != packet.payload:
            failures.append(f"{session.title}: {side}: bytes left that nobody sent: {packet.payload!r}")
            return
        left[at:end] = b"\1" * len(packet.payload)
    if bytes(left) != leaves:
        failures.expect(session.title, f"what leaves of {side}", spans(leaves, data), spans(left, data))


def gist(datagram):
    """Enough of a SIP message to know it by."""
    return [line for line in datagram.decode(errors="replace").split("\r\n")
            if not re.match(r"Via|From|To|Max-|Contact|Content-L", line)]


def check_datagrams(failures, session, side, packets):
    expected = [say.data for say in session.says if say.side == side and say.leaves]
    found = [p.payload for p in packets]
    if expected != found:
        failures.expect(session.title, f"what leaves of {side}", *([gist(x) for x in y] for y in (expected, found)))


def check_words(failures, session, packets):
    """The gate's own: each expected line, and header fields under it."""
    if session.kind == "smtp":
        failures.expect(session.title, "what the gate says", [line + "\r\n" for line, _ in session.gate],
                        [p.payload.decode() for p in packets])
        return
    found = [p.payload.decode().split("\r\n") for p in packets]
    failures.expect(session.title, "what the gate says", [f"SIP/2.0 {line}" for line, _ in session.gate],
                    [lines[0] for lines in found])
    for (_, fields), lines in zip(session.gate, found):
        for field in fields:
            if field not in lines:
                failures.append(f"{session.title}: the gate does not say {field!r} but {lines}")


def check_session(failures, session, words, packets):
    failures.expect(session.title, "events", session.events, words)
    if session.kind == "syn":
        failures.expect(session.title, "SYNs that leave", sum(say.leaves for say in session.says), len(packets))
        return
    back = (*session.server, *session.client)
    own = [p for p in packets if not p.comment.startswith("from the gate")]
    check = check_stream if session.kind != "sip" else check_datagrams
    check(failures, session, "C", [p for p in own if p.key() != back])
    check(failures, session, "S", [p for p in own if p.key() == back])
    check_words(failures, session, [p for p in packets if p.comment.startswith("from the gate")])
    for packet in packets:
        if packet.vlan != session.vlan:
            failures.append(f"{session.title}: left in VLAN {packet.vlan}")
        if session.closed_at and session.kind != "sip" and packet in own and packet.time > session.closed_at:
            failures.append(f"{session.title}: left after its end: {packet}")


def check_packets(failures, sessions, words, packets):
    by_flow = defaultdict(list)
    for packet in packets:
        by_flow[frozenset((packet.key()[:2], packet.key()[2:]))].append(packet)
        for error in packet.errors:
            failures.append(f"a packet left with a bad {error}: {packet}")
        if packet.comment.startswith("from the gate") and packet.proto == TCP and packet.flags & 0x17 != 0x10:
            failures.append(f"a segment from the gate with flags {packet.flags}: {packet}")
    for session in sessions:
        check_session(failures, session, words[id(session)],
                      by_flow.pop(frozenset((session.client, session.server)), []))
    for strays in by_flow.values():
        failures.append(f"left, and of no session: {strays[0]}")


def look_up(summary, path):
    value = summary
    for name in path.split("."):
        if isinstance(value, list):
            value = next(x for x in value if x["name"] == name)
        else:
            value = value.get(name)
    return value


def check_summary(failures, summary, lines):
    for line in lines:
        path, expected = line.split(" = ", 1)
        failures.expect("summary", path, json.loads(expected), look_up(summary, path))


def risk_words(risk):
    if not risk:
        return "not scored"
    points = ", ".join(f"{name} {round(n, 1):g}" for name, n in risk["points"].items())
    return f"{round(risk['score'], 1):g} {risk['level']}" + (f": {points}" if points else "")


def check_risk(failures, summary, lines):
    for line in lines:
        tenant, expected = line.split(" = ", 1)
        failures.expect("risk", tenant, expected, risk_words(look_up(summary, f"tenants.{tenant}.risk")))


def check_schema(failures, docs, lines):
    with open(docs / "eve.schema.json", encoding="utf-8") as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    for line in lines:
        for error in validator.iter_errors(json.loads(line)):
            failures.append(f"not valid: {error.json_path}: {error.message}: {line}")


def import_lists(postern, case, folder):
    """Makes a state directory with the lists of the case; what went wrong."""
    config = folder / "lists.conf"
    config.write_text((case / "postern.conf").read_text() + f'gate: {{ state_dir = "{folder}/state"; }};\n')
    fill = ""
    for words in map(str.split, (case / "lists").read_text().splitlines()):
        if words[0] == "fill":
            fill = "".join(f"user{i}@host{i % 977}.example\n" for i in range(int(words[1])))
            continue
        path = folder / "entries"
        path.write_text(fill + (case / words[2]).read_text())
        result = subprocess.run([postern, "list", "import", "-c", config, *words[:2], path, *words[3:]],
                                capture_output=True, text=True)
        if result.returncode:
            return result.stderr
        fill = ""
    return ""


def check_workers(failures, postern, case, folder, kept):
    """What is kept of bodies does not depend on how many workers looked."""
    if any('"body":' in line for line in kept):
        replay(postern, case, folder / "talk.pcap", folder, "--workers", "3")
        failures.expect("3 workers", "evidence", kept, (folder / "evidence.json").read_text(encoding="utf-8").splitlines())


def replay(postern, case, capture, folder, *options):
    """Runs the gate; what it wrote is in `folder`."""
    command = [postern, "replay", "-q", "--checksums", "check", "--json", folder / "summary.json",
               "--events", folder / "eve.json", "--evidence", folder / "evidence.json", "--write", folder / "left.pcapng"]
    for option, name in (("-c", "postern.conf"), ("-r", "rules.rules")):
        if (case / name).exists():
            command += [option, case / name]
    if (case / "lists").exists():
        command += ["--lists", folder / "state"]
    return subprocess.run(command + [*options, capture], capture_output=True, text=True)


def main():
    postern, docs, case = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    sessions, expected = conversation_read((case / "talk").read_text(encoding="utf-8"))
    failures = Failures()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pcap_write(folder / "talk.pcap", [p for s in sessions for p in s.packets])
        if (case / "lists").exists() and (said := import_lists(postern, case, folder)):
            print(said)
            return 1
        result = replay(postern, case, folder / "talk.pcap", folder)
        if result.returncode or result.stderr:
            print(f"postern replay: exit {result.returncode}\n{result.stderr}")
            return 1
        lines = (folder / "eve.json").read_text(encoding="utf-8").splitlines()
        kept = (folder / "evidence.json").read_text(encoding="utf-8").splitlines()
        check_packets(failures, sessions, events_of_sessions(sessions, map(json.loads, lines + kept)),
                      pcapng_read(folder / "left.pcapng"))
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        check_summary(failures, summary, expected["summary"])
        check_risk(failures, summary, expected["risk"])
        check_schema(failures, docs, lines)
        check_workers(failures, postern, case, folder, kept)
    for failure in failures:
        print(failure)
    print(f"{len(sessions)} sessions, {len(lines)} events, {len(failures)} failures")
    return 1 if failures or not sessions else 0


if __name__ == "__main__":
    sys.exit(main())
