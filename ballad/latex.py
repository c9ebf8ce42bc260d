"""Tables in LaTeX, set as papers set them: booktabs' rules, numbers to the right."""

from collections.abc import Iterable, Sequence
from itertools import chain

_SIGNS = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
    "λ": r"$\lambda$",
    "τ": r"$\tau$",
    "ρ": r"$\rho$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "→": r"$\rightarrow$",
    "Δ": r"$\Delta$",
    "·": r"$\cdot$",
    "†": r"$\dagger$",
}


def escaped(text: str) -> str:
    """The text as LaTeX shows it, on one line; the signs that our tables use become ASCII."""
    return "".join(_SIGNS.get(sign, sign) for sign in " ".join(text.split()))


def table(
    header: Sequence[str],
    *blocks: Iterable[Sequence[str]],
    alignment: str,
    caption: str,
    label: str,
    above: Sequence[str] = (),
) -> str:
    """A ``table`` environment; needs ``\\usepackage{booktabs}``.

    ``header`` and the rows of each block are cells in LaTeX, see :func:`escaped`; a rule parts the blocks. ``caption``
    is plain text, ``alignment`` has a letter per column, ``above`` are lines that stand above the header.
    """
    body = [[r"\midrule", *map(line, block)] for block in map(list, blocks) if block]
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{escaped(caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        *above,
        line(header),
        *chain.from_iterable(body),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def line(cells: Sequence[str]) -> str:
    """A row of the table."""
    return rf"{' & '.join(cells)} \\"
