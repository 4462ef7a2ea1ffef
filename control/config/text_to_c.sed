# SPDX-License-Identifier: BSD-3-Clause
# A text file as a C string literal.
s/["\\]/\\&/g
s/.*/"&\\n"/
