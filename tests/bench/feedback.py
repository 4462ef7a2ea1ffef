#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How fast `postern feedback` reads what comes back, and posternd takes it: feedback.py POSTERND POSTERN [NUMBER]

Complaints and delivery reports in a mailbox, and lines of a mail log, NUMBER of each (20000; ten times as many lines), all
different. By the readers alone (--parse), through posternd (matched, counted, kept), and by a peer on the same bytes:
Python's mailbox and email package for mails, grep for lines. The best of three; the ratio is to the peer.
"""
import mailbox
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "control"))
from feedback_test import ARF, DSN, log_of  # noqa: E402
from gate import Gate  # noqa: E402

POSTERND, POSTERN = sys.argv[1:3]
NUMBER = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
SEPARATOR = "From fbl@isp.example Thu Nov 26 06:00:00 2026\n"
BODY = "Text\n" + "A line of the mail that came back, of some length, as there are many.\n" * 40


def box(path, mails):
    with open(path, "w", encoding="ascii") as out:
        for mail in mails:
            out.write(SEPARATOR + mail + "\n")
    return path


def arf(i):
    return ARF.format(type="abuse", id=f"m{i}@acme.example", more=f"Original-Rcpt-To: <u{i}@d{i % 9}.example>\n").replace("Text\n", BODY)


def dsn(i):
    return DSN.format(rcpt=f"u{i}@d{i % 9}.example", status="5.1.1", text="no such user here", id=f"m{i}@acme.example")


def log(path, count):
    mails = [(f"m{i}@acme.example", [(f"u{i}@d{i % 9}.example", "2.0.0", "sent", "250 2.0.0 Ok: queued as 4F6A21C0")])
             for i in range(count)]
    path.write_text(log_of(mails))
    return path


def best(run, times=3):
    took = []
    for _ in range(times):
        start = time.monotonic()
        run()
        took.append(time.monotonic() - start)
    return min(took)


def by_python(path):
    found = 0
    for mail in mailbox.mbox(path):
        for part in mail.walk():
            found += part.get_content_type() in ("message/feedback-report", "message/delivery-status")
    if found < NUMBER:
        raise AssertionError(f"{path}: Python found {found}")


def quiet(*words):
    # To a pipe: grep that writes to /dev/null ends with the first line that it finds.
    subprocess.run(words, stdout=subprocess.PIPE, check=True)


def tell(what, count, size, ours, taken, peer, peer_name):
    print(f"{what:18} {count / ours:>10,.0f}/s {size / ours / 1e6:>7.0f} MB/s   through posternd {count / taken:>9,.0f}/s   "
          f"{peer_name} {count / peer:>9,.0f}/s   ratio {peer / ours:.2f}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        gate = Gate(folder, POSTERND, POSTERN)
        gate.configure(rules=f'[ "{Path(__file__).resolve().parents[2] / "rules"}" ]')
        gate.start()
        lines = log(folder / "maillog", NUMBER * 2)
        inputs = [("log lines", "log", lines, lines.read_text().count("\n")),
                  ("complaints", "arf", box(folder / "arf", map(arf, range(NUMBER))), NUMBER),
                  ("delivery reports", "dsn", box(folder / "dsn", map(dsn, range(NUMBER))), NUMBER)]
        for what, kind, path, count in inputs:
            ours = best(lambda: quiet(POSTERN, "feedback", kind, "--parse", path))
            taken = best(lambda: quiet(POSTERN, "feedback", kind, "--socket", str(gate.socket), path), 1)
            if kind == "log":
                peer = best(lambda: quiet("grep", "-cE", r"postfix/[a-z]+\[[0-9]+\]: [0-9A-F]+: .*status=[a-z]+", path))
            else:
                peer = best(lambda: by_python(path), 1)
            tell(what, count, path.stat().st_size, ours, taken, peer, "grep" if kind == "log" else "Python")
        gate.stop()


if __name__ == "__main__":
    main()
