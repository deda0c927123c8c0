# SPDX-License-Identifier: GPL-3.0-or-later
"""The Tryton module `lineshaft`: it runs inside a Tryton server and is never imported by the bus."""
