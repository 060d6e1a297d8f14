"""How much work a self-test does; apart from it, so that ``--help`` shows the defaults without loading heavy libraries."""

from dataclasses import dataclass

from responder_ml.errors import ConfigError

_FEWEST_COHORTS = 5
_FEWEST_SEEDS = 2


@dataclass(frozen=True)
class SelfTestSize:
    """The size of a self-test.

    Attributes
    ----------
    cohorts
        Cohorts without effect of each kind.
    permutations
        Most relabellings in the null of each cohort.
    seeds
        Seeds under which the job itself is run as well, its own included; none by default.

    Raises
    ------
    ConfigError
        A number is too small for any conclusion.
    """

    cohorts: int = 20
    permutations: int = 39
    seeds: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes too small for any conclusion."""
        least = {"cohorts": _FEWEST_COHORTS, "permutations": 1}
        if self.seeds != 0:
            least["seeds"] = _FEWEST_SEEDS
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}, but a self-test needs at least {smallest}. Raise it."
                )
