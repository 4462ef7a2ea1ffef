#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# 20 MB through a gate, byte for byte, on a good wire or a bad one (LOSE and SWAP in the environment).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"

net_case '20 MB arrive at Postfix and at Exim, byte for byte' mail_large
net_case 'an ordinary mail still arrives' mail_clean
net_case 'replies keep their order in a pipeline' mail_reply-order
net_wire
