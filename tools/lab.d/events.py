#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The gate's events (EVE JSON on stdin) as lines "what<TAB>words", the same ones together."""
import collections
import json
import sys


def words(event):
    """(what, words) of an event worth a line, or None."""
    kind = event["event_type"]
    who = event.get("tenant", "?")
    if kind == "verdict":
        v = event["verdict"]
        return f"{v['action']} {v.get('object', '')} of {who}, {v['reason']}", v.get("reply", "")
    if kind == "alert":
        a = event["alert"]
        return f"alert {a.get('signature_id', '')} of {who}", a.get("signature", "")
    if kind == "smtp":
        s = event["smtp"]
        return f"mail of {who}", f"{s.get('rcpt_accepted', 0)} of {s.get('rcpt_count', 0)} recipients"
    if kind == "call":
        c = event["call"]
        return f"call of {who}", f"to {c.get('to', '?')}: {c.get('state', '?')}"
    return None


def main():
    lines = collections.Counter(filter(None, (words(json.loads(line)) for line in sys.stdin)))
    for (what, said), times in lines.items():
        print(f"{what}\t{said}" + (f" ({times} times)" if times > 1 else ""))


if __name__ == "__main__":
    main()
