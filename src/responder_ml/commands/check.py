"""The command `check`: read and audit, train nothing."""

from rich.console import Console

from responder_ml.commands.console import Config


def check(config: Config) -> None:
    """Read configuration and data, print the audit and what n allows. Trains nothing."""
    from responder_ml.config import load_config
    from responder_ml.screen.job import show_prepared
    from responder_ml.train import prepare

    job = load_config(config)
    show_prepared(Console(), job, prepare(job))
