"""What a conversion did."""

from __future__ import annotations

import dataclasses
import html


@dataclasses.dataclass(frozen=True)
class Block:
    """A feed-forward block of a model.

    name: of the module in the model. reason: why it was not replaced; empty if it was (or, in a dry run, would be).
    note: what was assumed of it.
    """

    name: str
    d_model: int
    d_ffn: int
    reason: str = ""
    note: str = ""


@dataclasses.dataclass(frozen=True)
class ConversionReport:
    """Every feed-forward block of a model, in the order of its modules. Prints as a table."""

    blocks: tuple[Block, ...]
    dry_run: bool = False

    @property
    def replaced(self) -> tuple[Block, ...]:
        """Those that were replaced."""
        return tuple(block for block in self.blocks if not block.reason)

    @property
    def kept(self) -> tuple[Block, ...]:
        """Those that were left alone, each with its reason."""
        return tuple(block for block in self.blocks if block.reason)

    def __str__(self) -> str:
        if not self.blocks:
            return self._summary()
        rows = self._rows()
        widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
        lines = [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, self._summary()])

    def _repr_html_(self) -> str:
        head, *rows = self._rows()
        cells = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        heads = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
        return f"<table><tr>{heads}</tr>{cells}</table><p>{html.escape(self._summary())}</p>"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        done = "would be replaced" if self.dry_run else "replaced"
        return [
            ("block", "d_model", "d_ffn", "outcome"),
            *(
                (
                    block.name or "(the model)",
                    str(block.d_model),
                    str(block.d_ffn),
                    f"left alone: {block.reason}" if block.reason else done + (f", {block.note}" if block.note else ""),
                )
                for block in self.blocks
            ),
        ]

    def _summary(self) -> str:
        if not self.blocks:
            return "no feed-forward blocks found"
        done = "would be replaced" if self.dry_run else "replaced"
        return f"{len(self.replaced)} of {len(self.blocks)} feed-forward blocks {done}"
