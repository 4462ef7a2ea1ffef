#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What Hyperscan is asked to look for by rules, for hs_ceiling: shipped_patterns.py POSTERN RULES... >PATTERNS

Of each rule the literals and expressions that the compiler chose, as `postern rules explain --json` has them; all in one
database, whichever buffer they are for. Expressions that Hyperscan can only prefilter are left out."""
import json
import re
import subprocess
import sys


def literal(text):
    """Bytes as rules write them, every one as Hyperscan reads it in any place."""
    text = re.sub(r"\|([0-9a-f]{2})\|", lambda m: chr(int(m[1], 16)), text)
    return "".join(f"\\x{ord(c):02x}" for c in text)


def main():
    postern, *rules = sys.argv[1:]
    said = subprocess.run([postern, "rules", "explain", "--json", *rules], stdout=subprocess.PIPE, check=True).stdout
    patterns = {}
    for rule in json.loads(said):
        for chain in rule["search"]:
            if chain["how"] == "literal":
                patterns[literal(chain["literal"]), "i" if chain["nocase"] else ""] = None
            elif chain["how"] == "expression" and not chain["prefilter"]:
                patterns[chain["expression"], "i" if "CASELESS" in chain["words"] else ""] = None
    for number, (expression, flags) in enumerate(patterns):
        print(f"{number}:/{expression}/{flags}")


main()
