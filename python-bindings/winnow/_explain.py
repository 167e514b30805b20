"""What the compiler decided, as a table."""

from __future__ import annotations

import html
import shutil
import textwrap
from collections.abc import Sequence

from ._winnow import Remark

_HEADINGS = ("where", "decision", "facts", "why")


class Explanation:
    """Prints as a table in a terminal and shows as one in a notebook. `remarks` holds what it is made of."""

    def __init__(self, title: str, remarks: Sequence[Remark]) -> None:
        self.title = title
        self.remarks = list(remarks)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        rows = []
        for remark in self.remarks:
            where = remark.location or remark.function
            decision = remark.name if remark.kind != "failed" else f"{remark.name} (failed)"
            rows.append((where, decision, remark.facts, remark.message))
        return rows

    def __str__(self) -> str:
        rows = self._rows()
        if not rows:
            return f"{self.title}\n(no decisions)"
        fixed = [max(len(heading), *(len(row[i]) for row in rows)) for i, heading in enumerate(_HEADINGS[:2])]
        rest = max(40, shutil.get_terminal_size((120, 24)).columns - sum(fixed) - 6)
        facts = min(max(len(_HEADINGS[2]), *(len(row[2]) for row in rows)), rest // 2)
        widths = [*fixed, facts, rest - facts]
        lines = [self.title, _line(_HEADINGS, widths), "  ".join("-" * width for width in widths)]
        for row in rows:
            cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths)]
            for i in range(max(map(len, cells))):
                lines.append(_line([cell[i] if i < len(cell) else "" for cell in cells], widths))
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows()
        )
        return (
            f"<table><caption>{html.escape(self.title)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
