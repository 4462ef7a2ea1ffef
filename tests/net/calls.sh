#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Calls by SIPp and by a telephone (baresip): what is allowed gets through, what is refused is refused in the
# caller's own log, and nothing of it reaches the callee.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname "$0")/net.sh"
net_up "$@"

net_case 'a call' call_with udp sipp 14155550100
net_case 'a call over TCP' call_with tcp sipp 14155550100
net_case 'a call by telephone' call_with udp baresip 14155550100
net_case 'an emergency number' call_with udp sipp 911
net_case 'an emergency number over TCP' call_with tcp sipp 911
net_case 'an emergency number by telephone' call_with udp baresip 911
net_case 'refusals that are lost' call_with udp sipp again
net_case 'a number that is not to be called' call_with udp sipp dnc
net_case 'a number of another caller' call_with udp sipp caller
net_case 'an anonymous caller whose number is its own, and one whose is not' call_with udp sipp hidden
net_case 'more texts than the limit' call_with udp sipp texts
net_case 'more calls at once than the limit' call_with udp sipp crowd
net_case 'a suspended tenant' call_with udp sipp suspended
net_case 'a call for help from a suspended tenant' call_with udp sipp help
net_case 'a registration' call_with udp sipp register
net_case 'more calls than the limit' call_with udp sipp burst
net_case 'calls that nobody answers' call_with udp sipp unanswered
net_case 'calls that are short' call_with udp sipp short
