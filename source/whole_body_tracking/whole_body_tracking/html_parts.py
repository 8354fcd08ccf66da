"""Pieces of reports in one HTML file: style, tables, pictures."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Sequence

from matplotlib.figure import Figure

STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1060px;margin:32px auto;padding:0 16px}"
    "table{border-collapse:collapse;font-size:13px;display:block;overflow-x:auto}"
    "td,th{border-bottom:1px solid #ddd;padding:4px 10px;text-align:left}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}.lead{font-size:17px}"
    "img,video{max-width:100%;display:block;margin:10px 0}h2{margin-top:36px}"
)


def page(title: str, parts: Sequence[str]) -> str:
    """The whole file."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def image(figure: Figure, title: str) -> str:
    """A figure with a heading, inside the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<h3>{html.escape(title)}</h3><img alt="{html.escape(title)}" src="data:image/png;base64,{data}">'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; numbers are set to the right. Headers that are all empty are those of a list of facts."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    cell = _cell if any(header) else _plain_cell
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(text: str) -> str:
    is_number = re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text) is not None
    return f'<td class="n">{text}</td>' if is_number else _plain_cell(text)


def _plain_cell(text: str) -> str:
    return f"<td>{html.escape(text)}</td>"
