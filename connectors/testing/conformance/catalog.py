"""All rules, group by group, in the order in which a developer meets them."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.testing.conformance import (
    classification,
    closing,
    configuration,
    feed,
    limits,
    paging,
    positions,
    pushes,
    reading,
    secrecy,
    stand_in,
    values,
    waiting,
    writing,
    writing_again,
)
from connectors.testing.conformance.rule import Rule

GROUPS = (
    configuration,
    reading,
    positions,
    feed,
    paging,
    values,
    pushes,
    writing,
    writing_again,
    classification,
    waiting,
    closing,
    secrecy,
    limits,
    stand_in,
)

RULES: tuple[Rule, ...] = tuple(each for group in GROUPS for each in vars(group).values() if isinstance(each, Rule))


def chosen(*, long: bool = False, names: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The quick rules, with `long` all of them; with `names` exactly those. Raises ValueError for an unknown name."""
    unknown = set(names) - {each.name for each in RULES}
    if unknown:
        raise ValueError(f"there is no rule {', '.join(sorted(unknown))}; all rules: {', '.join(map(str, RULES))}")
    if names:
        return tuple(each for each in RULES if each.name in names)
    return tuple(each for each in RULES if long or not each.long)
