#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every capture of the corpus through the gate: gate_corpus.py POSTERN CORPUS KNOWN [NAME-PART]

Replays each capture without tenants and compares the summary and the digests of the messages with
truth/NAME.json, aspect by aspect. A difference must be in KNOWN (CAPTURE ASPECT... under its reason),
and each of those must still be one. POSTERN_CORPUS names another corpus; exits 77 where there is none.
"""
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BUDGETS = Path(__file__).with_name("budgets.conf")
AT_ONCE = 2
TIMEOUT_S = 60
SHOWN = 300  # characters of a difference
SKIP = 77

# A file that cannot be read to its end: where, why, and how much was.
DAMAGED = re.compile(r": offset \d+: .+ \(\d+ packets read before\)$")


def counted(counts):
    return {key: value for key, value in counts.items() if value}


def strings(values):
    """Addresses in any order: sessions of one capture overlap. None: a MAIL without an address."""
    return sorted(value for value in values if value is not None)


class Replayed:
    """What the gate made of a capture."""

    def __init__(self, postern, capture):
        with tempfile.TemporaryDirectory(prefix="gate-corpus-") as folder:
            summary, events = Path(folder, "summary"), Path(folder, "events")
            run = subprocess.run([postern, "replay", "--quiet", "--config", BUDGETS, "--digests", "--json", summary,
                                  "--events", events, capture], capture_output=True, timeout=TIMEOUT_S)
            self.status = run.returncode
            self.error = run.stderr.decode(errors="replace").strip()
            self.summary = json.loads(summary.read_text()) if summary.exists() and summary.stat().st_size else None
            lines = events.read_text().splitlines() if events.exists() else []
        all_events = [json.loads(line) for line in lines]
        self.helos = {event["smtp"].get("helo", "") for event in all_events if event["event_type"] == "smtp"}
        self.mails = [event for event in all_events if event["event_type"] == "email"]


def expect_smtp(smtp):
    total = smtp["stream_parse_totals"]
    yield "sessions", total["sessions"]
    yield "commands", total["command_counts"]
    yield "replies", smtp["tshark"]["response_code_counts"]
    yield "attempted", total["mails_with_data"]
    yield "accepted", total["mails_accepted"]
    yield "refused", total["mails_rejected_after_data"]
    yield "recipients", total["recipients_accepted"]
    yield "starttls", total["starttls_sessions"]
    yield "mail_from", strings(total["mail_from"])
    yield "rcpt_to", strings(total["rcpt_to"])


def got_smtp(smtp):
    yield "sessions", smtp["sessions"]
    yield "commands", counted(smtp["commands"])
    yield "replies", counted(smtp["replies"])
    yield "attempted", smtp["messages"]["attempted"]
    yield "accepted", smtp["messages"]["accepted"]
    yield "refused", smtp["messages"]["refused_by_peer"]
    yield "recipients", smtp["recipients"]["accepted"]
    yield "starttls", smtp["starttls"]
    yield "mail_from", strings(smtp["mail_from"])
    yield "rcpt_to", strings(smtp["rcpt_to"])


def expect_sip(sip):
    yield "requests", sip["tshark"]["request_method_counts"]
    yield "responses", sip["tshark"]["response_code_counts"]
    yield "calls", sip["invite_dialogs"]
    yield "answered", sip["answered_dialogs"]
    yield "completed", sip["completed_calls_with_bye"]


def got_sip(sip):
    yield "requests", counted(sip["requests"])
    yield "responses", counted(sip["responses"])
    yield "calls", sip["calls"]["attempted"]
    yield "answered", sip["calls"]["answered"]
    yield "completed", sip["calls"]["completed"]


def messages_of(smtp):
    """The messages of the truth whose end is in the capture: digest, and the digests of the parts."""
    for session in smtp["sessions"]:
        for transaction in session["transactions"]:
            message = transaction["message"]
            if message and transaction.get("data_complete", True):
                yield message["raw_sha256"], sorted(leaf["decoded_sha256"] for leaf in message["leaf_parts"])


def names_given(smtp):
    """The names of HELO and EHLO; none where a session has no such command with a name."""
    names = set()
    for session in smtp["sessions"]:
        greetings = [command["line"].split() for command in session["commands"] if command["verb"] in ("HELO", "EHLO")]
        names |= {words[1] for words in greetings if len(words) > 1} or {""}
    return names


def mail_aspects(smtp, mails):
    """The digests of messages, and the parts of those messages that both have, where the event had room."""
    want = list(messages_of(smtp))
    got = [(mail["email"].get("sha256", ""), sorted(mail["email"].get("part_sha256", []))) for mail in mails]
    yield "messages", sorted(digest for digest, _ in got), sorted(digest for digest, _ in want)
    cut = {digest for (digest, _), mail in zip(got, mails) if "fields_omitted" in mail}
    both = {digest for digest, _ in want} & {digest for digest, _ in got} - cut
    yield "parts", sorted(mail for mail in got if mail[0] in both), sorted(mail for mail in want if mail[0] in both)


def aspects(truth, replayed):
    """(ASPECT, got, want) of everything that is compared."""
    summary = replayed.summary
    yield "packets", summary["packets"], truth["frames"]["count"]
    for protocol, expect, got in (("smtp", expect_smtp, got_smtp), ("sip", expect_sip, got_sip)):
        if protocol in truth:
            wanted = dict(expect(truth[protocol]))
            yield from ((aspect, value, wanted[aspect]) for aspect, value in got(summary[protocol]))
        else:
            none = {aspect: value for aspect, value in got(summary[protocol]) if value}
            yield f"no_{protocol}", none, {}
    if "smtp" in truth:
        yield from mail_aspects(truth["smtp"], replayed.mails)
        yield "helo", sorted(replayed.helos), sorted(replayed.helos & names_given(truth["smtp"]))


def differences(truth, replayed):
    """(ASPECT, what differs) of a capture."""
    if replayed.status < 0:
        return [("crash", f"signal {-replayed.status}: {replayed.error[-SHOWN:]}")]
    if replayed.summary is None:
        return [("summary", f"none, exit {replayed.status}: {replayed.error[-SHOWN:]}")]
    found = []
    if replayed.status:
        found.append(("exit", f"{replayed.status}: {replayed.error[-SHOWN:]}"))
        if not DAMAGED.search(replayed.error):
            found.append(("error_text", replayed.error[-SHOWN:]))
    for aspect, got, want in aspects(truth, replayed):
        if got != want:
            found.append((aspect, differs(got, want)))
    return found


def differs(got, want):
    if isinstance(got, dict):
        keys = sorted(key for key in got.keys() | want.keys() if got.get(key) != want.get(key))
        got, want = ({key: side[key] for key in keys if key in side} for side in (got, want))
    elif isinstance(got, list):
        left, right = (collections.Counter(map(str, side)) for side in (got, want))
        got, want = sorted((left - right).elements()), sorted((right - left).elements())
    return f"got {str(got)[:SHOWN]}, want {str(want)[:SHOWN]}"


def known_differences(path):
    known = set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2:
            raise ValueError(f"{path}:{number}: a capture without an aspect")
        known.update((words[0], aspect) for aspect in words[1:])
    return known


def truths(corpus, part):
    """(capture, truth) of every capture."""
    for capture in sorted(corpus.glob("pcap/*/*")):
        if part in capture.name:
            yield capture, json.loads((corpus / "truth" / f"{capture.name}.json").read_text())


def main():
    postern, corpus, known_path = sys.argv[1], Path(os.environ.get("POSTERN_CORPUS", sys.argv[2])), Path(sys.argv[3])
    part = sys.argv[4] if len(sys.argv) > 4 else ""
    if not (corpus / "truth").is_dir():
        print(f"skipped: no corpus at {corpus}")
        return SKIP
    cases = list(truths(corpus, part))
    names = {capture.name for capture, _ in cases}
    known = {(name, aspect) for name, aspect in known_differences(known_path) if part in name}
    failed, met = 0, set()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for (capture, truth), replayed in zip(cases, pool.map(lambda case: Replayed(postern, case[0]), cases)):
            for aspect, text in differences(truth, replayed):
                if (capture.name, aspect) in known:
                    met.add((capture.name, aspect))
                else:
                    print(f"{capture.name} {aspect}: {text}")
                    failed += 1
    for name, aspect in sorted(known - met):
        print(f"{name} {aspect}: " + ("known to differ, and does not" if name in names else "no such capture"))
        failed += 1
    print(f"{len(cases)} captures, {len(met)} known differences, {failed} failures")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
