#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the checks of recipients cost, as a ratio: the same mails with all of them on, and with all of them off.

    rcpt.py POSTERN [ROUNDS [MAILS [LOOPS]]]

One capture of MAILS sessions (1,500) of 40 tenants, each a mail to 50 recipients by 50 pipelined RCPTs; every recipient is another
one, in a domain of its own, so that nothing that is looked up lies in a cache. On: suppressed recipients, mails to one recipient,
recipients of one domain, new recipients, harvesting, texts, and the day's different recipients and domains, none of them near its
limit. Off: policy.actions says `pass` of each. The first look at a page of memory is in neither. Nothing is asserted.
"""
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "replay"))
from conversation import conversation_read  # noqa: E402 pylint: disable=wrong-import-position
from packets import pcap_write  # noqa: E402 pylint: disable=wrong-import-position

TENANTS, RECIPIENTS = 40, 50
CHECKS = ("suppressed", "mailbomb", "per_domain", "harvest", "new_recipients", "same_body", "relay", "distinct_recipients", "distinct_domains")
MAIL = """== {t}
smtp 10.{t}.1.1 198.51.100.25:25 at={at} times={times} every=0.05
S: 220 mx.example ESMTP
C: EHLO a.example
S: 250-mx.example
S: 250 PIPELINING
C: MAIL FROM:<ann@t{t}.example>
S: 250 ok
C*50: RCPT TO:<u{{n}}@host{{n}}.m{{i}}.t{t}.example>
S*50: 250 ok
C: DATA
S: 354 go on
C: From: ann@t{t}.example
C: Date: Thu, 1 Jan 2026 12:00:00 +0000
C: Subject: hello
C:
C: .
S: 250 taken
C: QUIT
S: 221 bye

"""


def config(on):
    off = [] if on else CHECKS
    tenants = ",\n".join(f'  {{ id = {t}; name = "t{t}"; prefixes = [ "10.{t}.0.0/16" ]; tier = "all"; }}' for t in range(1, TENANTS + 1))
    return f"""tiers: {{ all: {{ distinct_recipients = 100000000; distinct_domains = 100000000; per_domain = "1000000/h"; }}; }};
tenants: (
{tenants} );
policy: {{
 actions: {{ {" ".join(f'{check} = "pass";' for check in off)} }};
 mail: {{ mailbomb = "65000/10min"; same_body = "65000/h"; new_recipients: {{ count = 65535; learn = "0s"; }}; }};
}};
"""


def run(postern, conf, capture, loops, summary):
    subprocess.run([postern, "replay", "-q", "--bench", "--loop", str(loops), "--checksums", "ignore", "-c", conf, "--json", summary,
                    capture], check=True)
    result = json.loads(summary.read_text())
    return result["performance"]["cpu_s"] * 1e9 / result["smtp"]["recipients"]["attempted"]


def main():
    postern, rounds, mails, loops = sys.argv[1], *(int(sys.argv[i]) if len(sys.argv) > i else n for i, n in ((2, 9), (3, 1500), (4, 6)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        capture = folder / "rcpt.pcap"
        text = "".join(MAIL.format(t=t, at=t / 1000, times=mails // TENANTS) for t in range(1, TENANTS + 1))
        pcap_write(capture, sorted((p for session in conversation_read(text)[0] for p in session.packets), key=lambda p: p.time))
        confs = {"off": config(False), "on": config(True)}
        for word, conf in confs.items():
            (folder / f"{word}.conf").write_text(conf)
        figures = {word: [] for word in confs}
        for _ in range(rounds):
            for word, list_ in figures.items():
                list_.append(run(postern, folder / f"{word}.conf", capture, loops, folder / "summary.json"))
    print(f"{mails // TENANTS * TENANTS * RECIPIENTS:,} recipients, {loops} times; {rounds} rounds; median (lowest .. highest)")
    print("ns of processor time a recipient, all of the gate")
    for word, values in figures.items():
        print(f"  checks {word:4s}{statistics.median(values):9.0f}   ({min(values):.0f} .. {max(values):.0f})")
    ratios = [on / off for on, off in zip(figures["on"], figures["off"])]
    print(f"  on / off   {statistics.median(ratios):9.2f}   ({min(ratios):.2f} .. {max(ratios):.2f})")


if __name__ == "__main__":
    main()
