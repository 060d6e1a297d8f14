"""The command `claims`: the founding study's claims on these animals."""

from rich.console import Console

from responder_ml.commands.console import Config, Out, ProgressBar


def claims(config: Config, out: Out = None) -> None:
    """Evaluate the founding study's claims in each region: observed, expected with no effect, p and interval, by drug."""
    from responder_ml.claims import PAGE, claims, default_folder, write_claims
    from responder_ml.config import load_config
    from responder_ml.screen.claims import show_claims

    console, job = Console(), load_config(config)
    folder = out or default_folder(job)
    record = claims(job, ProgressBar(console))
    write_claims(record, folder)
    show_claims(console, record)
    console.print(f"Page:   {folder / PAGE}", highlight=False, soft_wrap=True)
    console.print(f"Folder: {folder}", highlight=False, soft_wrap=True)
