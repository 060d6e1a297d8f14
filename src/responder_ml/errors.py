"""The errors a user can cause and mend, and how their messages list names.

Every message says what was found, what was expected and what to do. The command line turns any of
these into exit code 2; every other exception is a bug and keeps its traceback.

    ResponderError
    ├── ConfigError            a key or value in a YAML file
    ├── UnknownNameError       a name no registry knows
    ├── ProposalError          files from which no job can be proposed, or an answer that is none
    ├── CohortError            the data that were read
    │   ├── ExpressionError    values of the expression matrix, or its units
    │   ├── SampleSheetError   the sample sheet, or its match with the matrix
    │   └── GeneNameError      gene identifiers
    ├── EndpointError          classes, subjects and strata of the question asked
    ├── AuditError             findings of the audit that nobody accepted
    ├── FeatureError           a gene set or builder that cannot be used on these data
    ├── ContrastError          a contrast or claim that these groups cannot answer
    ├── BundleError            a saved model that cannot be trusted or read
    ├── CoverageError          new samples that miss too much of what a model needs
    ├── RunError               a run folder
    ├── TrackingError          the tracking store
    ├── FetchError             a download
    └── WorkerError            the processes that do the work
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from responder_ml.masking import hide_secrets

_MOST_CHARACTERS = 300


class ResponderError(Exception):
    """Root of everything a user can mend; no password or token reaches its message."""

    def __init__(self, message: str = "") -> None:
        super().__init__(hide_secrets(message))


class ConfigError(ResponderError):
    """A key or value in a YAML file."""


class UnknownNameError(ResponderError):
    """A name no registry knows."""


class ProposalError(ResponderError):
    """Files from which no job can be proposed, or an answer that is none."""


class CohortError(ResponderError):
    """The data that were read."""


class ExpressionError(CohortError):
    """Values of the expression matrix, or its units."""


class SampleSheetError(CohortError):
    """The sample sheet, or its match with the expression matrix."""


class GeneNameError(CohortError):
    """Gene identifiers."""


class EndpointError(ResponderError):
    """Classes, subjects and strata of the question asked."""


class AuditError(ResponderError):
    """Findings of the audit that nobody accepted."""


class FeatureError(ResponderError):
    """A gene set or builder that cannot be used on these data."""


class ContrastError(ResponderError):
    """A contrast or claim that these groups cannot answer."""


class BundleError(ResponderError):
    """A saved model that cannot be trusted or read."""


class CoverageError(ResponderError):
    """New samples that miss too much of what a model needs."""


class RunError(ResponderError):
    """A run folder."""


class TrackingError(ResponderError):
    """The tracking store."""


class FetchError(ResponderError):
    """A download."""


class WorkerError(ResponderError):
    """The processes that do the work."""


class NotInArchiveError(FetchError):
    """An address the archive does not have."""


class UnreachableError(FetchError):
    """No way to the archive, or it stopped answering."""


@contextmanager
def door(error: type[ResponderError], message: str, advice: str = "Use an intact copy.") -> Iterator[None]:
    """Turn whatever a library raises at something that came from outside into one message.

    This stands once at each door through which files, folders and answers of others come in, and nowhere further in: there an
    exception of any kind means that the file is not what it should be.

    Parameters
    ----------
    error
        Class to raise.
    message
        What could not be read; the library's own reason is added.
    advice
        What to do.

    Raises
    ------
    ResponderError
        Of the class ``error``, or the one that was raised within.
    """
    try:
        yield
    except ResponderError:
        raise
    except Exception as problem:
        raise error(f"{message}: {describe_problem(problem)}. {advice}") from problem


def describe_problem(problem: BaseException) -> str:
    """Return the first line of an exception's message, or its type where it has none."""
    lines = str(problem).strip().splitlines()
    return lines[0].strip().rstrip(".")[:_MOST_CHARACTERS] if lines else type(problem).__name__


def list_names(names: Sequence[str], most: int = 5, quote: str = "'") -> str:
    """Return the first ``most`` names, quoted, and the number of the others.

    Examples
    --------
    >>> list_names(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(f"{quote}{name}{quote}" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
