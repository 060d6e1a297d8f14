"""The command `list`: what there is to choose from."""

from rich.console import Console


def list_() -> None:
    """List builders, scorers and classifiers with their references."""
    from responder_ml.screen.job import show_registries

    show_registries(Console())
