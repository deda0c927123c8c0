"""Code tables: one system's words in another's, with a rule for words that the table does not have.

```yaml
codes: priority
version: 1
unknown: park            # park | pass | {default: normal}
rows: {Low: low, Normal: normal}
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.language import Place, Unknown
from mappings.problems import Cause, Refusal
from mappings.values import shown


@dataclass(frozen=True)
class CodeTable:
    """One table. `unknown` is the rule for words without a row; `default` belongs to that rule."""

    name: str
    version: int
    file: str
    unknown: Unknown
    default: str
    rows: Mapping[str, str]
    place: Place

    def code(self, word: str) -> str:
        """The word on the other side. Raises Refusal (unknown_code) where the rule is to park."""
        found = self.rows.get(word)
        if found is not None:
            return found
        return self._unknown(word, self.default)

    def outputs(self) -> frozenset[str]:
        """Every word that the table itself can give (not those it passes through)."""
        default = {self.default} if self.unknown == "default" else set()
        return frozenset({*self.rows.values(), *default})

    def ambiguous(self) -> Mapping[str, tuple[str, ...]]:
        """Words of the right side that several rows give, with the words of those rows."""
        sources: dict[str, list[str]] = {}
        for word, to in self.rows.items():
            sources.setdefault(to, []).append(word)
        return {to: tuple(words) for to, words in sources.items() if len(words) > 1}

    def inverse(self) -> CodeTable:
        """The table read from right to left. Only where nothing is ambiguous; a default does not turn round."""
        turned = {to: word for word, to in self.rows.items()}
        unknown: Unknown = "pass" if self.unknown == "pass" else "park"
        return CodeTable(self.name, self.version, self.file, unknown, "", turned, self.place)

    def _unknown(self, word: str, default: str) -> str:
        match self.unknown:
            case "pass":
                return word
            case "default":
                return default
            case "park":
                message = f"{shown(word)} is not in the code table {self.name}"
                raise Refusal(Cause.UNKNOWN_CODE, message, f"codes/{self.name}")
