"""One registry for every family of named things: what it holds is an explicit tuple, in reading order."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Generic, Protocol, TypeVar

from responder_ml.errors import UnknownNameError


class Named(Protocol):
    """What a registered class declares about itself."""

    name: str
    summary: str
    reference: str


T = TypeVar("T", bound=Named)


def did_you_mean(wrong: str, known: list[str]) -> str:
    """Return the words that help after a misspelt name: the nearest one, and all there are."""
    near = get_close_matches(wrong, known, n=1, cutoff=0.5)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    return f"{hint}Known: {', '.join(known)}."


class Registry(Generic[T]):
    """The members of one family, found by their ``name``.

    Parameters
    ----------
    family
        What a member is called in messages, such as "builder".
    members
        Classes with ``name``, ``summary`` and ``reference``, in the order they are listed to people.
    extras
        Extra of this package that a member needs, by its name; it is a member only where the extra is installed.

    Raises
    ------
    UnknownNameError
        From ``registry[name]``, with the nearest name.
    """

    def __init__(self, family: str, members: tuple[type[T], ...], extras: Mapping[str, str] | None = None) -> None:
        self.family = family
        self.extras = dict(extras or {})
        self._members = {member.name: member for member in members}

    def __getitem__(self, name: str) -> type[T]:
        """Return the member called ``name``."""
        if name not in self._members and name in self.extras:
            extra = self.extras[name]
            raise UnknownNameError(
                f"The {self.family} '{name}' needs what the extra '{extra}' installs, and it is not here. Run "
                f"pip install 'responder-ml[{extra}]', or choose among: {', '.join(self._members)}."
            )
        if name not in self._members:
            raise UnknownNameError(f"There is no {self.family} '{name}'. {did_you_mean(name, list(self._members))}")
        return self._members[name]

    def __iter__(self) -> Iterator[type[T]]:
        """Yield the members in listing order."""
        return iter(self._members.values())

    def names(self) -> list[str]:
        """Return the members' names in listing order."""
        return list(self._members)
