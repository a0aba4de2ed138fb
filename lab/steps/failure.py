"""How a step fails other than by an expectation: in words, for the report."""

from __future__ import annotations


class StepFailed(Exception):
    """A step could not do what it says; the text tells why, in the tools' own words."""
