"""What the reading of a step needs besides the step: what it can name, and where mistakes go."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lab.spec.addresses import Surroundings, check_node
from lab.spec.findings import Findings, Path
from lab.spec.misfit import Misfit


@dataclass(frozen=True, slots=True)
class Context:
    """``on`` is the step's own node, the default of what it looks at; None where it names none."""

    around: Surroundings
    findings: Findings
    on: str | None = None

    def at_node(self, name: str | None, path: Path) -> Context:
        """The same for what names a node of its own; a wrong name is noted at ``path``."""
        if name is None:
            return self
        self.findings.attempt(path, check_node, name, self.around)
        return replace(self, on=name)

    def node(self, path: Path) -> str:
        """The node that is looked at; a mistake at ``path`` where none is named."""
        if self.on is None:
            self.findings.at(path, "'on' is missing", "name the node here or in the step")
        return self.on or ""


def check_regex(pattern: str) -> str:
    """A regular expression that compiles."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Misfit(f"'{pattern}' is no regular expression: {error}") from None
    return pattern
