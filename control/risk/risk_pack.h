/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tenant's risk in some hundred bytes, for the disk: items of a name, a length and what it is,
 * so that another version of posternd reads what it knows and leaves the rest. Whole numbers take
 * seven bits a byte, others are as IEEE 754 has them; little-endian. Pure; any thread.
 */
#ifndef POSTERN_CONTROL_RISK_PACK_H
#define POSTERN_CONTROL_RISK_PACK_H

#include "control/risk/risk_board.h"

#define RISK_PACKED 4096 /* bytes: more than all terms with all their events take */

/* All that the board knows of the slot's tenant; its length. */
size_t risk_pack(const struct risk_board *board, uint32_t slot, uint8_t out[RISK_PACKED]);

/* The same of what is not on a board. */
size_t risk_pack_saved(const struct risk_saved *saved, uint8_t out[RISK_PACKED]);

/*
 * 0, or -EINVAL: it is cut short, or says what can't be. What is not there is zero; terms of other
 * names, and items that are not known, are left out.
 */
int risk_unpack(const void *data, size_t len, struct risk_saved *saved);

#endif
