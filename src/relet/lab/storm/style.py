"""The looks of a storm's picture: one style sheet, for light and dark pages. Each run has a colour and a dash of its own."""

SANS = "Inter, system-ui, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"

DASHES = ("none", "9 4", "3 3", "12 3 3 3", "1 4", "6 2")
_LIGHT_RUNS = ("#0b62c4", "#c2570c", "#177a37", "#7a3fc4", "#b0236e", "#55606e")
_DARK_RUNS = ("#63aeff", "#f5a25d", "#4cc870", "#c19cff", "#ff8cc3", "#9aa7b5")

_LIGHT = {
    "card": "#ffffff",
    "edge": "#d5dbe3",
    "grid": "#e6eaef",
    "ink": "#1b2430",
    "soft": "#55606e",
    "good": "#177a37",
    "bad": "#c3222f",
}
_DARK = {
    "card": "#10161e",
    "edge": "#2b3542",
    "grid": "#222c38",
    "ink": "#e8edf3",
    "soft": "#9aa7b5",
    "good": "#4cc870",
    "bad": "#ff7f79",
}


def style_sheet() -> str:
    """The text of the style element."""
    dashes = "\n".join(f".run{run} {{ stroke-dasharray: {dash}; }}" for run, dash in enumerate(DASHES))
    fixed = f"""text {{ font-family: {SANS}; font-size: 13px; }}
.title {{ font-size: 22px; font-weight: 600; }}
.panel {{ font-size: 15px; font-weight: 600; }}
.name {{ font-size: 14px; font-weight: 600; paint-order: stroke; stroke-width: 5px; stroke-linejoin: round; }}
.cell, .good, .bad {{ font-size: 14px; font-variant-numeric: tabular-nums; }}
.good, .bad {{ font-weight: 600; }}
.wrong {{ font-style: italic; }}
.tick {{ font-size: 12px; font-variant-numeric: tabular-nums; }}
.line {{ fill: none; stroke-width: 2.5; stroke-linejoin: round; }}
.thin {{ fill: none; stroke-width: 1.2; stroke-linejoin: round; opacity: 0.75; }}
.grid, .axis {{ fill: none; stroke-width: 1; }}"""
    dark = _colours(_DARK, _DARK_RUNS).replace("\n", "\n  ")
    sheets = (fixed, dashes, ".solid { stroke-dasharray: none; }", _colours(_LIGHT, _LIGHT_RUNS))
    return "\n".join(sheets) + f"\n@media (prefers-color-scheme: dark) {{\n  {dark}\n}}"


def _colours(palette: dict[str, str], runs: tuple[str, ...]) -> str:
    rules = [
        f".card {{ fill: {palette['card']}; stroke: {palette['edge']}; }}",
        f".name {{ stroke: {palette['card']}; }}",
        f".grid {{ stroke: {palette['grid']}; }}",
        f".axis {{ stroke: {palette['soft']}; }}",
        f".title, .panel, .cell {{ fill: {palette['ink']}; }}",
        f".soft, .tick {{ fill: {palette['soft']}; }}",
        f".good {{ fill: {palette['good']}; }}",
        f".bad {{ fill: {palette['bad']}; }}",
    ]
    for run, colour in enumerate(runs):
        rules += [f".run{run} {{ stroke: {colour}; }}", f".text{run} {{ fill: {colour}; }}"]
    return "\n".join(rules)
