#!/bin/sh
# not committed
set -e
git fetch -q . && git rebase -q main && ninja -j2 -C build 2>&1 | tail -1 && for t in event_record eve json_text summary page event_order limits eve_schema; do [ -x build/tests/unit/unit-$t ] && { build/tests/unit/unit-$t 2>&1 | tail -1; } ; done; flock /work/wt/land.lock git -C /work/main merge --ff-only eve | tail -1
