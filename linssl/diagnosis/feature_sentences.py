"""Which features matter, in words."""

from linssl.diagnosis.facts import Facts, Feature
from linssl.diagnosis.phrases import NAMES, capital, named_shares, named_weights, percent

LINES = 3  # codes, or directions, that text shows


def feature_lines(d: Facts, most: int = LINES) -> list[tuple[str, str]]:
    """Say which features matter, (what, which) each.

    Args:
        d: all but its words.
        most: codes, and directions, of each kind.
    """
    found = d.named_features
    if found is None:
        return []
    je, rc = NAMES.values()
    lines = _of_both(
        "{} keeps, most first",
        [named_shares(getattr(found, key)) for key in NAMES],
        "both keep, most first",
    )
    lines += [
        (f"kept more by {name}", ", ".join(f"{f.name} (+{percent(f.value)})" for f in features))
        for name, features in (
            (je, found.joint_embedding_more),
            (rc, found.reconstruction_more),
        )
        if features
    ]
    codes = [found.joint_embedding_codes[:most], found.reconstruction_codes[:most]]
    lines += _of_codes(codes)
    lines += [
        (f"nuisance {i}", named_weights(features))
        for i, features in enumerate(found.nuisance[:most], start=1)
    ]
    return [(capital(what), which) for what, which in lines]


def _of_both(what: str, which: list[str], both: str) -> list[tuple[str, str]]:
    """Return one line where both paradigms have the same, else one each."""
    if which[0] == which[1]:
        return [(both, which[0])] if which[0] else []
    return [
        (what.format(name), one) for name, one in zip(NAMES.values(), which, strict=True) if one
    ]


def _of_codes(codes: list[tuple[tuple[Feature, ...], ...]]) -> list[tuple[str, str]]:
    words = [[named_weights(code) for code in each] for each in codes]
    if words[0] == words[1]:
        return [(f"code {i} of both", line) for i, line in enumerate(words[0], start=1)]
    return [
        (f"code {i} of {name}", line)
        for name, each in zip(NAMES.values(), words, strict=True)
        for i, line in enumerate(each, start=1)
    ]
