"""One YAML file lists external signatures: where each comes from, what may be done with it, and how its file is read."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from responder_ml.config import read_yaml
from responder_ml.config_problems import explain
from responder_ml.endpoint_config import Section, Word
from responder_ml.errors import ConfigError, list_names
from responder_ml.features.external_signatures import TableColumns
from responder_ml.parameters import Share


def _as_list(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else [value]


Words = Annotated[tuple[Word, ...], BeforeValidator(_as_list)]
"""One word of a table, or a list of words."""


class SignatureConfig(Section):
    """One file of signatures: a GMT file, or with ``gene`` a table with one row for each gene."""

    name: str = Field(min_length=1, max_length=200)
    """Name of the signature; sets of a GMT file with several have their own names."""
    path: Path
    """GMT file, or table (CSV, TSV, Parquet or Excel); text may be packed with gzip. Relative to this file."""
    source: str = Field(min_length=1)
    """Where it was published: citation, DOI or address."""
    licence: str = Field(min_length=1)
    """Under what terms it may be used: an SPDX identifier, or words."""
    gene: str | None = None
    """Column of gene names; makes the file a table."""
    sets: str | None = None
    """Column of names of gene sets, for a table of several."""
    effect: str | None = None
    """Column of signed numbers: log fold change, t or z."""
    direction: str | None = None
    """Column of words of direction, in place of ``effect``; ``up`` and ``down`` say which."""
    up: Words = ()
    """Words of ``direction`` for genes that rise."""
    down: Words = ()
    """Words of ``direction`` for genes that fall."""
    neither: Words = ()
    """Words of ``direction`` for genes that do neither; they are left out."""
    p: str | None = None
    """Column of p by which genes are chosen; with ``at_most``."""
    at_most: int | None = Field(None, ge=1)
    """Genes to use: those of smallest p, or without ``p`` of largest effect; all if not given."""
    only: tuple[str, ...] = ()
    """Names of the sets to use; all if not given."""
    mapping: Path | None = None
    """Table of two columns that translates the signature's gene names to those of the cohort, such as orthologs or Entrez ids."""
    damaged_names: Literal["refuse", "drop"] = "refuse"
    """What is done with gene names that a spreadsheet program turned into dates."""

    @model_validator(mode="after")
    def _columns_go_together(self) -> Self:
        of_tables = [key for key in ("sets", "effect", "direction", "p", "at_most") if getattr(self, key) is not None]
        if self.gene is None and of_tables:
            raise ValueError(
                f"signature '{self.name}': `{of_tables[0]}` belongs to a table; name its column of genes in `gene`"
            )
        kinds = [key for key in ("effect", "direction", "sets") if getattr(self, key) is not None]
        if len(kinds) > 1:
            raise ValueError(f"signature '{self.name}': name one of {' and '.join(f'`{key}`' for key in kinds)}")
        if (self.direction is None) != (not self.up and not self.down):
            raise ValueError(f"signature '{self.name}': `direction` and its words under `up` and `down` go together")
        words = (*self.up, *self.down, *self.neither)
        if len(set(words)) < len(words):
            raise ValueError(f"signature '{self.name}': a word stands for two directions")
        if self.p is not None and self.at_most is None:
            raise ValueError(f"signature '{self.name}': `p` chooses genes; say how many with `at_most`")
        if self.at_most is not None and self.p is None and self.effect is None:
            raise ValueError(f"signature '{self.name}': `at_most` needs `p` or `effect` to choose genes by")
        return self

    @property
    def columns(self) -> TableColumns | None:
        """The columns of a table; None for a GMT file."""
        if self.gene is None:
            return None
        return TableColumns(
            self.gene,
            self.sets,
            self.effect,
            self.direction,
            self.up,
            self.down,
            self.neither,
            self.p,
            self.at_most,
        )


class SignaturesConfig(Section):
    """External signatures to compare with a cohort."""

    signatures: tuple[SignatureConfig, ...] = Field(min_length=1)
    """The files."""
    min_genes: int = Field(5, ge=1)
    """A signature with fewer of its genes in the data is left out."""
    min_coverage: Share = 0.5
    """A signature with a smaller share of its genes in the data is left out."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [signature.name for signature in self.signatures]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two signatures have one name ({list_names(twice)}); name each differently")
        return self

    def resolved(self) -> dict[str, Any]:
        """Return plain values, themselves valid input."""
        return self.model_dump(mode="json", exclude_none=True)


def load_signatures(path: Path) -> SignaturesConfig:
    """Read and check a list of signatures.

    Parameters
    ----------
    path
        YAML file. Relative paths inside it are taken from its own folder.

    Raises
    ------
    ConfigError
        The file is missing, not YAML, or has an unknown key or an impossible value; all findings at once.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> text = "signatures: [{name: stress, path: stress.gmt, source: our own, licence: CC0-1.0}]"
    >>> with TemporaryDirectory() as folder:
    ...     manifest = Path(folder) / "signatures.yaml"
    ...     _ = manifest.write_text(text)
    ...     load_signatures(manifest).signatures[0].path.name
    'stress.gmt'
    """
    content, folder = read_yaml(path), path.resolve().parent
    listed = content.get("signatures")
    if isinstance(listed, list):
        content = {**content, "signatures": [_with_folder(entry, folder) for entry in listed]}
    try:
        return SignaturesConfig.model_validate(content)
    except ValidationError as problem:
        findings = "\n".join(f"  - {line}" for line in explain(problem, SignaturesConfig))
        raise ConfigError(f"{path} cannot be used:\n{findings}") from problem


def _with_folder(entry: Any, folder: Path) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {
        **entry,
        **{key: str(folder / entry[key]) for key in ("path", "mapping") if isinstance(entry.get(key), str)},
    }
