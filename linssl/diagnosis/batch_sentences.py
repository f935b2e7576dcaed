"""What a diagnosis says of batches: what they hold, and whether centring by them helps."""

from linssl.diagnosis.facts import Batch, BatchCodes, Facts
from linssl.diagnosis.phrases import HEADLINES, NAMES, named_shares, percent, points

MUCH = 0.1  # of the labels' variance: what batches tell of them and is worth a sentence
FEW = 3  # features


def sentence_for(b: Batch, d: Facts) -> str:
    """Say what batches hold, what codes tell of them, and whether centring helps."""
    return " ".join([_held(b), *_mixed_up(b), _centring(b, d)])


def _held(b: Batch) -> str:
    who = f"{b.name} ({b.count} batches)"
    if b.verdict == "nothing held":
        return (
            f"{who} holds nothing that can be told from chance: "
            f"{points(b.share, b.share_error)} % of the variance, and codes tell none of it."
        )
    where = f", most of all that of {named_shares(b.features[:FEW])}" if b.features else ""
    told = [_told(getattr(b, key)) for key in NAMES]
    if told[0] == told[1]:
        read = f"The codes of both tell {told[0]} of it (R²)."
    else:
        je, rc = NAMES.values()
        read = f"The codes of {je} tell {told[0]} of it (R²), those of {rc} {told[1]}."
    return f"{who} holds {points(b.share, b.share_error)} % of the variance{where}. {read}"


def _told(codes: BatchCodes) -> str:
    arbitrary = codes.told_error == float("inf")
    return "an arbitrary part" if arbitrary else f"{points(codes.told, codes.told_error)} %"


def _mixed_up(b: Batch) -> list[str]:
    """Say how far batches and labels can't be told apart."""
    if b.verdict == "confounded":
        return []
    found = []
    if b.one_label:
        found.append(f"{b.one_label} of its batches have one label only.")
    if b.of_labels is not None and b.of_labels > MUCH:
        found.append(
            f"By itself it tells {percent(b.of_labels)} of the labels' variance, which centring "
            "takes out too."
        )
    return found


def _centring(b: Batch, d: Facts) -> str:
    by = f"centring by {b.name}"
    if b.verdict == "confounded":
        return (
            "Each of its batches has one label only: what is of the batch and what is of the label "
            f"can't be told apart, and {by} takes the labels out. Only data with several labels in "
            "a batch can tell."
        )
    if b.verdict == "nothing held":
        return "There is nothing to centre by."
    if b.recommendation is None:
        return _unknown(b, d)
    told = [_change(getattr(b, key), getattr(d, key).kept) for key in NAMES]
    pairs = zip(NAMES.values(), told, strict=True)
    changes = f"both {told[0]}" if told[0] == told[1] else " and ".join(map(" ".join, pairs))
    changes = changes.replace("both keeps", "both keep")
    words = {
        "helps": f"C{by[1:]} helps. Of the labels {changes}.",
        "harms": f"C{by[1:]} doesn't help. Of the labels {changes}.",
        "mixed": f"C{by[1:]} helps one and harms the other. Of the labels {changes}.",
        "no difference": f"C{by[1:]} makes no difference. Of the labels {changes}.",
        "undecided": f"Whether {by} helps can't be told from these rows. Of the labels {changes}.",
    }
    return words[str(b.verdict)]


def _change(codes: BatchCodes, before: float) -> str:
    assert codes.kept is not None
    assert codes.change is not None
    assert codes.change_error is not None
    if codes.change_error == float("inf"):
        return "keeps an arbitrary part, as scores tie at the cut"
    sign = "+" if codes.change >= 0 else ""
    return (
        f"keeps {percent(codes.kept)} in place of {percent(before)} "
        f"({sign}{points(codes.change, codes.change_error)} points)"
    )


def _unknown(b: Batch, d: Facts) -> str:
    if d.labels == "none":
        return f"Labels (--labels) would say whether centring by {b.name} helps."
    return "Nothing that codes could be made of is left once the data are centred by it."


def centring_steps(d: Facts) -> list[str]:
    """Say by what to centre."""
    return [
        f"Centre {_what(d)} by {b.name}, which subtracts from each row the mean of its batch (by= "
        f"in linssl.pairs). The verdict is then: {HEADLINES[b.recommendation].lower()}."
        for b in d.batches
        if b.verdict == "helps" and b.recommendation is not None
    ]


def _what(d: Facts) -> str:
    called = d.augmentation.endswith("views of each")
    return "the data, and what the view returns," if called else "the data"
