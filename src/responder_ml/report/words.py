"""How names are written for people: as words, where tables and files keep the name as it is."""

import re

# A name of lower-case words joined by underscores or, for a candidate, by a plus sign; no file, key or quoted text.
_NAME = re.compile(r"(?<![\w./'`+])[a-z][a-z0-9]*(?:[_+][a-z0-9]+)+(?![\w/'`+]|\.\w)")


def spoken(text: object) -> str:
    """Return a name, or a sentence with names in it, in words.

    Parameters
    ----------
    text
        Names of classes, builders and candidates as in tables.

    Examples
    --------
    >>> spoken("gene_sets+elastic_net tells responder from non_responder; see out_of_fold.csv and SIM_BLOOD")
    'gene sets + elastic net tells responder from non-responder; see out_of_fold.csv and SIM_BLOOD'
    """
    return _NAME.sub(lambda name: _as_words(name[0]), str(text))


def conclusion(sentence: str, simulated: bool) -> str:
    """Return a conclusion that begins in lower case as a sentence of its own, or behind the warning of simulated data.

    Examples
    --------
    >>> conclusion("no set differs.", simulated=False), conclusion("no set differs.", simulated=True)
    ('No set differs.', 'Simulated data: no set differs.')
    """
    return f"Simulated data: {sentence}" if simulated else f"{sentence[:1].upper()}{sentence[1:]}"


def _as_words(name: str) -> str:
    parts = [re.sub(r"^non_", "non-", part).replace("_", " ") for part in name.split("+")]
    return " + ".join(parts)
