"""The page docs/validation.md and the report at the end of the tests, both made of the same proofs.

python -m tests.reference.validation        writes the page
"""

import importlib
import json
from collections.abc import Iterable
from math import ceil, log10
from pathlib import Path

from analytics.settings import PROJECT_ROOT
from tests.reference.proof import FOUND, PROOFS, Proven, run

PAGE = PROJECT_ROOT / "docs" / "validation.md"
FAMILIES = ("survival", "competing", "change", "counts", "episodes", "published")

for family in FAMILIES:
    importlib.import_module(f"tests.reference.proofs_{family}")
# Declared in the order in which Python happened to read the modules; listed in this one.
PROOFS.sort(key=lambda each: FAMILIES.index(each.compare.__module__.rpartition("_")[2]))

# What reference results exist for and the product does not offer: what, in which cases, and why.
NOT_OFFERED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "Cox models, proportional-hazards test",
        ("cox_lung", "km_freireich_6mp", "km_ctn0027_retention", "cr_bmtcrr", "recurrent_cgd"),
        "Groups are compared by curves, log-rank and differences on a fixed day; a hazard ratio answers no question "
        "that "
        "a program, a family or a surveyor asks.",
    ),
    ("Fine–Gray regression", ("cr_bmtcrr",), "As Cox models; groups are compared by Gray's test and differences."),
    (
        "Mean cumulative function, Andersen–Gill model",
        ("recurrent_cgd",),
        "Measures count people with at least one event, so that one person cannot make a rate.",
    ),
    (
        "Marginal models (MMRM), correlated errors, maximum likelihood, Satterthwaite degrees of freedom",
        ("mixed_claus_bdi", "mixed_sleepstudy"),
        "Scores come at irregular days, for which a line for each person is the model; limits are Wald's.",
    ),
    (
        "Change indices other than Jacobson–Truax (Gulliksen–Lord–Novick, Hsu–Linn–Lord, Edwards–Nunnally, "
        "Nunnally–Kotsch, Hageman–Arrindell, hierarchical), distribution, percentage, anchor, statistical",
        ("rci_claus2020_bdi",),
        "They give other classes to the same person; one definition, which the published thresholds rest on, is used.",
    ),
    ("Peto–Peto test", ("km_lung_by_sex",), "One test of curves, chosen before the data are seen."),
    (
        "Plain, log, logit and arcsine limits, quartiles, restricted mean",
        ("km_lung_overall", "km_lung_by_sex", "km_freireich_6mp", "km_ctn0027_retention", "cr_bmtcrr"),
        "One kind of limits everywhere.",
    ),
    ("Fractional weights in Kaplan–Meier", ("km_weighted",), "A weight is a number of people; fractions are refused."),
    (
        "Continuity-corrected Wilson, Clopper–Pearson, Wald, Agresti–Coull, Jeffreys; Wald and Fisher for differences",
        ("proportion_ci",),
        "One kind of interval everywhere.",
    ),
    (
        "McNemar's chi-square, Wald's paired interval, conditional odds ratio",
        ("mcnemar_paired",),
        "The exact test and Newcombe's interval hold for few pairs too.",
    ),
    (
        "Student's t, Cohen's d of two groups, Glass's Δ; d_rm, change scores in other SDs, Wilcoxon",
        ("independent_groups", "paired_change"),
        "One effect size for groups and three named ones for pairs are enough to be confused by.",
    ),
    (
        "u′, c, moving-range and T charts, charts of the best box and the cut box",
        ("spc_cdi_u", "spc_cabg_monthly"),
        "Shares are drawn as p and p′, rates as u, everything else as XmR.",
    ),
    ("CQC funnel of ratios (square root)", ("funnel_medpar_sr",), "The log scale of SHMI is used."),
    (
        "Poisson and quasi-Poisson segmented regression, HC1 errors",
        ("its_cdi",),
        "Series are shares and means of a month; Newey–West errors allow for months that hang together.",
    ),
    (
        "Definitions of abstinence, relapse and retention beyond the eight endpoints",
        ("abstinence_ctn0027",),
        "Each is listed with its reason where the endpoints are declared (`use_patterns.py`).",
    ),
    ("Readmission within 7 days", ("readmission_30d_rules",), "The windows are 30, 90 and 180 days."),
)


def cases(shared: Path) -> dict[str, dict[str, object]]:
    """Return every reference case with what its maker wrote about it."""
    return {
        folder.parent.name: json.loads(folder.read_text(encoding="utf-8"))
        for folder in sorted((shared / "oracles").glob("*/meta.json"))
    }


def page(shared: Path) -> str:
    """Return docs/validation.md as it has to be today."""
    found = [run(shared, each) for each in PROOFS]
    return "\n".join(
        [
            "# Validation",
            "",
            "Made by `python -m tests.reference.validation` from the declarations in `tests/reference/proofs_*.py`; do "
            "not edit. Every line is computed anew and compared whenever the tests run.",
            "",
            "A line is one method on one reference case: the first number compared, ours beside theirs; how many "
            "numbers "
            "were compared (values, errors, limits, classes, person by person where there are people); a power of "
            "ten below "
            "which the largest difference among all of them stays; and the difference that is allowed for each, "
            "absolute "
            "unless the line says relative. A line that does not hold fails the tests. "
            "The reference data are public, stay outside this project, and are not shown here.",
            "",
            "| case | method | compared first | ours | theirs | numbers | all within | allowed |",
            "|---|---|---|---|---|---|---|---|",
            *map(_row, found),
            "",
            "## Where conventions differ",
            "",
            *(f"- **{', '.join(where)}**: {note}" for note, where in _notes(found).items()),
            "",
            "## Who computed the references",
            "",
            "| case | by | with |",
            "|---|---|---|",
            *(f"| {case} | {_by(meta)} | {meta.get('r', '')} |" for case, meta in cases(shared).items()),
            "",
            "## Not offered",
            "",
            "The reference results hold these too. The program does not compute them.",
            "",
            *(f"- **{what}** ({', '.join(where)}): {why}" for what, where, why in NOT_OFFERED),
            "",
            last_line(shared, found),
            "",
        ]
    )


def report(shared: Path) -> list[str]:
    """Return the lines that are printed at the end of the tests, of the proofs that ran."""
    found = [FOUND[each.name] for each in PROOFS if each.name in FOUND]
    wide = max(len(each.proof.name) for each in found)
    lines = [
        f"{'' if each.holds else 'NOT '}{each.proof.name:{wide}}  {each.shown}: {_number(each.ours)} / "
        f"{_number(each.theirs)}; {each.numbers:,} numbers within {bound(each)} "
        f"(allowed {each.proof.tolerance:g}{' relative' if each.proof.relative else ''})"
        for each in found
    ]
    return [*lines, last_line(shared, found)] if len(found) == len(PROOFS) else lines


def last_line(shared: Path, found: Iterable[Proven]) -> str:
    """Return how many cases are proven, of how many that exist, and why the others are not."""
    available = cases(shared)
    proven = {each.proof.case for each in found if each.holds}
    left = [
        f"{case} ({next((what for what, where, _ in NOT_OFFERED if case in where), 'no proof')})"
        for case in available
        if case not in proven
    ]
    return f"{len(proven & set(available))} of {len(available)} cases proven." + (
        f" Not offered: {', '.join(left)}." if left else ""
    )


def _notes(found: Iterable[Proven]) -> dict[str, list[str]]:
    """Return every note once, with the cases it belongs to."""
    notes: dict[str, list[str]] = {}
    for each in found:
        if each.proof.note:
            where = notes.setdefault(each.proof.note, [])
            where += [each.proof.case] if each.proof.case not in where else []
    return notes


def _row(found: Proven) -> str:
    of = found.proof
    allowed = f"{of.tolerance:g}{' relative' if of.relative else ''}"
    return (
        f"| {of.case} | {of.method} | {found.shown} | {_number(found.ours)} | {_number(found.theirs)} | "
        f"{found.numbers:,} | {bound(found)} | {allowed} |"
    )


def _number(value: float) -> str:
    return f"{value:.5g}"


def bound(found: Proven) -> str:
    """Return the power of ten that every difference stays below, or what is allowed if that is less."""
    if found.difference == 0:
        return "0"
    power = 10.0 ** max(-12, ceil(log10(found.difference)))
    return f"{min(power, found.proof.tolerance) if found.holds else power:g}"


def _by(meta: dict[str, object]) -> str:
    package = meta.get("package", "")
    return ", ".join(map(str, package)) if isinstance(package, list) else str(package)


if __name__ == "__main__":
    beside = PROJECT_ROOT.parent / "shared"
    PAGE.write_text(page(beside), encoding="utf-8")
    print(f"{PAGE.relative_to(PROJECT_ROOT)} is up to date.")
