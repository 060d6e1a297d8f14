"""Put the example jobs of ``configs/`` into the wheel, so that it needs no repository; everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

EXAMPLES = Path("configs")


class BuildWithExamples(build_py):
    """Copy the jobs that need no file from outside, and their gene sets."""

    def run(self) -> None:
        """Build, then copy; an editable installation reads them where they are."""
        super().run()
        if self.editable_mode:
            return
        folder = Path(self.build_lib) / "responder_ml" / EXAMPLES.name
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(EXAMPLES.iterdir()):
            if path.is_dir():
                shutil.copytree(path, folder / path.name, dirs_exist_ok=True)
            elif not path.name.startswith("gse"):
                shutil.copy(path, folder)


setup(cmdclass={"build_py": BuildWithExamples})
