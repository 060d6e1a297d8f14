"""How to reproduce the numbers of a run."""

from collections.abc import Mapping
from typing import Any

import yaml

from responder_ml.records.run import Run
from responder_ml.report.section import Section

# Where a run is logged and on how many cores it ran change no number, and a store's address may hold a password.
_CHANGES_NOTHING = ("tracking", "compute")


class Reproduce(Section):
    """Command, configuration, versions, seed and digest."""

    title = "How to reproduce this"
    anchor = "reproduce"

    def content(self, run: Run) -> Mapping[str, Any]:
        """Return the values needed for a rerun."""
        config = {key: value for key, value in run.config.items() if key not in _CHANGES_NOTHING}
        timings = run.result.timings
        return {
            "config": yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
            "versions": run.result.versions,
            "seed": run.result.seed,
            "digest": run.result.data_sha256,
            "timings": [(name.removesuffix("_s").replace("_", " "), seconds) for name, seconds in timings.items()],
        }
