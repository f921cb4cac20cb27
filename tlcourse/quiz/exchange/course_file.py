"""A quiz as the YAML file of a course, laid out as people write it."""

from __future__ import annotations

from typing import Any

from tlcourse.course.model import Quiz
from tlcourse.quiz.exchange.common import as_dict


def write(quiz: Quiz) -> str:
    """The text of `quizzes/NAME.yaml`."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Listings as blocks, lists set in."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return yaml.dump(as_dict(quiz), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=118)
