# SPDX-License-Identifier: BSD-3-Clause
"""Prometheus's text format 0.0.4, read strictly: whatever is not in the format's description is an error."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
SAMPLE = re.compile(rf'({NAME})(?:\{{(.*)\}})? (\S+)')
PAIR = re.compile(rf'({LABEL})="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
TYPES = ("counter", "gauge")


class Wrong(Exception):
    pass


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        match = PAIR.match(text, at)
        if not match:
            raise Wrong(f"labels: {text!r}")
        name, value, comma = match.groups()
        if name in labels or name.startswith("__"):
            raise Wrong(f"label {name!r} in {text!r}")
        labels[name] = re.sub(r'\\(.)', lambda m: "\n" if m[1] == "n" else m[1], value)
        at = match.end()
        if comma and at == len(text):
            raise Wrong(f"a comma at the end of {text!r}")
    return labels


def number(text):
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?Inf|NaN", text):
        raise Wrong(f"no number: {text!r}")
    return float(text)


def parse(text):
    """{name: {"type", "help", "samples": {labels as sorted tuple: value}}}, in the order written."""
    if text and not text.endswith("\n"):
        raise Wrong("the last line has no end")
    metrics, current = {}, None
    for line in text.split("\n")[:-1]:
        comment = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.*)", line)
        if comment:
            kind, name, rest = comment.groups()
            if kind == "HELP":
                if name in metrics:
                    raise Wrong(f"{name} comes twice")
                if re.search(r"\\[^\\n]", rest):
                    raise Wrong(f"escape in {line!r}")
                current = metrics[name] = {"help": rest, "type": None, "samples": {}}
            else:
                if current is None or metrics.get(name) is not current or current["samples"] or current["type"] or rest not in TYPES:
                    raise Wrong(line)
                current["type"] = rest
            continue
        match = SAMPLE.fullmatch(line)
        if not match:
            raise Wrong(f"no sample: {line!r}")
        name, labels, value = match[1], labels_of(match[2] or ""), number(match[3])
        if current is None or metrics.get(name) is not current or not current["type"]:
            raise Wrong(f"{name}: a sample without HELP and TYPE before it")
        key = tuple(sorted(labels.items()))
        if key in current["samples"]:
            raise Wrong(f"{line!r} comes twice")
        if current["type"] == "counter" and (value < 0 or not name.endswith("_total")):
            raise Wrong(f"a counter: {line!r}")
        if math.isnan(value):
            raise Wrong(line)
        current["samples"][key] = value
    return metrics


def refuses(text):
    try:
        parse(text)
    except Wrong:
        return True
    return False
