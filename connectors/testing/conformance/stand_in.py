"""The stand-in is what the vendor's contract says, not what the connector expects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from connectors.testing.abilities import Sample, SampledBench
from connectors.testing.conformance.desk import Desk
from connectors.testing.conformance.reading import check_there
from connectors.testing.conformance.rule import Broken, DoesNotApply, rule

NAME = re.compile(r"\$(\w+)")


@rule(
    "connector",
    "A connector and a stand-in that were made from one misunderstanding agree with each other, and with nobody.",
    alone=True,
    needs=SampledBench,
)
def the_stand_in_answers_as_recorded(desk: Desk) -> None:
    """Every recorded exchange of the vendor's contract, sent raw, gets the recorded answer."""
    sampled = desk.ability(SampledBench)
    if not sampled.samples:
        raise DoesNotApply("the bench has no recorded sample")
    wrong: list[str] = []
    kept: dict[str, str] = {}
    for sample in sampled.samples:
        filled = fill(sample, kept)
        status, answer = sampled.exchange(filled)
        problem = f"HTTP {status}, not {filled.status}" if status != filled.status else differs(answer, filled.answer)
        if problem:
            wrong.append(f"{sample.rule} (contract {sample.section}): {problem}")
        else:
            kept.update({name: str(at(answer, place)) for name, place in filled.keep.items()})
    if wrong:
        raise Broken(f"{len(wrong)} of {len(sampled.samples)} samples: " + "; ".join(wrong))


@rule("source", "Tests that stop and start the far system would test an empty one.")
def the_far_system_keeps_its_address_and_records(desk: Desk) -> None:
    """After stop and start the same settings reach the same records."""
    before, record = desk.config(), desk.make()
    desk.bench.stop()
    desk.bench.start()
    if desk.config() != before:
        raise Broken(
            "the settings changed over a restart: keep ports and secrets in the folder (kept_port, RecordStore)"
        )
    with desk.source(config=before) as source:
        source.catch_up()
        check_there(source, record, "a restart of the far system")


def fill(sample: Sample, kept: Mapping[str, str]) -> Sample:
    """The sample with what earlier ones kept in the place of $name."""
    body = filled(sample.body, kept)
    headers = {name: str(filled(value, kept)) for name, value in sample.headers.items()}
    return replace(
        sample,
        path=str(filled(sample.path, kept)),
        body=body if isinstance(body, dict) else None,
        headers=headers,
        answer=filled(sample.answer, kept),
    )


def filled(value: object, kept: Mapping[str, str]) -> object:
    """The value with every $name replaced, at every depth."""
    if isinstance(value, str):
        return NAME.sub(lambda match: kept.get(match[1], match[0]), value)
    if isinstance(value, Mapping):
        return {str(filled(name, kept)): filled(item, kept) for name, item in value.items()}
    return [filled(item, kept) for item in value] if isinstance(value, list | tuple) else value


def differs(answer: object, wanted: object, place: str = "the answer") -> str:
    """Where the answer lacks what is wanted; empty where all of it is there."""
    if isinstance(wanted, Mapping):
        for name, inner in wanted.items():
            if not isinstance(answer, Mapping) or name not in answer:
                return f"{place} has no {name}"
            if problem := differs(answer[name], inner, f"{place}.{name}"):
                return problem
        return ""
    if isinstance(wanted, list | tuple):
        if not isinstance(answer, list) or len(answer) != len(wanted):
            return f"{place} is {answer!r:.120}, not a list of {len(wanted)}"
        return next((found for pair in zip(answer, wanted, strict=True) if (found := differs(*pair, place))), "")
    return "" if wanted is None or answer == wanted else f"{place} is {answer!r:.120}, not {wanted!r:.120}"


def at(value: object, place: str) -> object:
    """What stands at a dotted place."""
    for name in place.split("."):
        if isinstance(value, list):
            value = value[int(name)]
        elif isinstance(value, Mapping):
            value = value[name]
    return value
