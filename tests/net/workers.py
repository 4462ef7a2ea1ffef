#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Many SMTP sessions at once through the gate, each with a recipient that is refused and others that are not: whichever
worker a packet comes to, what is said and answered is of its own session.

    workers.py ADDRESS PORT SOURCE SESSIONS     against the server of verdicts.py"""
import socket
import sys
import threading

DEADLINE = 60  # s


def session(to, source, number, wrong):
    try:
        with socket.socket() as s:
            s.settimeout(DEADLINE)
            s.bind((source, 0))
            s.connect(to)
            lines = s.makefile("rwb", buffering=0)
            said = [lines.readline()]
            for text in (f"EHLO n{number}.acme.example.com", "MAIL FROM:<ann@acme.example.com>", f"RCPT TO:<r{number}@example.net>",
                         "RCPT TO:<carol@example.net>", f"RCPT TO:<s{number}@example.net>", "RSET", "QUIT"):
                lines.write(text.encode() + b"\r\n")
                said.append(lines.readline())
            codes = b" ".join(line[:3] for line in said)
            if codes != b"220 250 250 250 550 250 250 250":
                wrong.append(f"{number}: {codes.decode()}")
    except OSError as error:
        wrong.append(f"{number}: {error!r}")


def main():
    address, port, source, count = sys.argv[1:]
    wrong = []
    threads = [threading.Thread(target=session, args=((address, int(port)), source, n, wrong)) for n in range(int(count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{len(threads) - len(wrong)} of {len(threads)} sessions as they should be" + "".join(f"\n{line}" for line in wrong[:5]))
    return 1 if wrong else 0


sys.exit(main())
