"""What happens to order number n: known from n alone, so that no process has to remember an order.

placed ─ 3 s ─ every fifth order changes its quantity ─ … ─ 6 s after the floor has the last word: done and closed
"""

from __future__ import annotations

CHANGED_EVERY = 5
CHANGE_AFTER_S = 3.0
CLOSED_AFTER_S = 6.0
FIRST_QUANTITY, CHANGED_QUANTITY = 5, 7
ITEM = "P-1"


def changes(order: int) -> bool:
    """Whether the order's quantity is changed later."""
    return order % CHANGED_EVERY == 0


def last_quantity(order: int) -> int:
    """How many are wanted in the end."""
    return CHANGED_QUANTITY if changes(order) else FIRST_QUANTITY


def number_of(order: int) -> str:
    """Its number in the shop."""
    return f"{order:08d}"
