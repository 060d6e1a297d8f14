"""One file per command, with what it prints. Commands have no defaults of their own and load heavy libraries only when run."""

from collections.abc import Callable

from responder_ml.commands import (
    check,
    claims,
    compare,
    fetch,
    init,
    list,
    lock,
    meta,
    plan,
    replicate,
    report,
    score,
    selftest,
    sets,
    signatures,
    simulate,
    study,
    track,
    train,
    transfer,
    ui,
)

COMMANDS: dict[str, Callable[..., None]] = {
    "init": init.init,
    "check": check.check,
    "lock": lock.lock,
    "train": train.train,
    "score": score.score,
    "study": study.study,
    "transfer": transfer.transfer,
    "compare": compare.compare,
    "meta": meta.meta,
    "replicate": replicate.replicate,
    "claims": claims.claims,
    "sets": sets.sets,
    "signatures": signatures.signatures,
    "plan": plan.plan,
    "selftest": selftest.selftest,
    "simulate": simulate.simulate,
    "fetch": fetch.fetch,
    "track": track.track,
    "report": report.report,
    "list": list.list_,
    "ui": ui.ui,
}
"""Every command by name, in the order in which ``--help`` shows them."""
