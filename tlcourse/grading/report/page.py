"""The frame of a page that stands alone: its style within it, nothing loaded, nothing run."""

from __future__ import annotations

from tlcourse.text import markup

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2125; --paper: #fff; --soft: #e9edf1; --dim: #5b6670; --bar: #0072B2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #14171a; --soft: #262b30; --dim: #9aa5af; --bar: #56B4E9; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem;
  border-bottom: 1px solid var(--soft); vertical-align: top; overflow-wrap: anywhere; }
th { overflow-wrap: normal; white-space: nowrap; } table.small { width: auto; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { background: var(--soft); padding: .7rem; overflow-x: auto; font-size: .85rem; white-space: pre-wrap; }
.dim { color: var(--dim); }
.next { border-left: 4px solid var(--bar); padding: .4rem .9rem; background: var(--soft); }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; flex: 1 1 22rem; max-width: 30rem; }
figcaption { font-size: .9rem; } svg { width: 100%; height: auto; }
svg text { font: 11px sans-serif; fill: var(--ink); }
svg rect { fill: var(--bar); } svg .axis { stroke: var(--dim); } svg .bar { stroke: #D55E00; stroke-width: 2;
  stroke-dasharray: 5 3; }
.pass { color: #00745a; } .fail { color: #b34a00; } .pass, .fail { font-weight: 600; white-space: nowrap; }
@media (prefers-color-scheme: dark) { .pass { color: #3fd1ac; } .fail { color: #ff9a5c; } }
@media (max-width: 50rem) { th, td.number, .pass, .fail { white-space: normal; } th { overflow-wrap: anywhere; } }
mark { background: #ffe08a; color: #000; }
.columns { display: flex; gap: 1rem; } .columns > * { flex: 1; min-width: 0; }
"""


def page(title: str, body: str) -> str:
    """A whole document; `title` is text, `body` is markup."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{markup(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def figure(svg: str, caption: str) -> str:
    """A plot with its caption; nothing where there is no plot."""
    return f"<figure>{svg}<figcaption>{markup(caption)}</figcaption></figure>" if svg else ""
