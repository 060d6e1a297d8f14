"""Gene names of a file translated by the user's table, by declared rules; nothing is guessed.

A translation uses names alone and learns nothing from any sample, so it is the same for training samples and for new ones.
Several rows of one gene are merged within each sample: counts and TPM add up; log2 values do not, and their mean is not the
logarithm of anything that was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.gene_ids import check_gene_names, damaged_by_excel, kind_of, original_of
from responder_ml.cohort.gene_map import GeneMap, without_version
from responder_ml.errors import GeneNameError, list_names

Relation = Literal["identifiers", "aliases", "orthologs"]
ManyToOne = Literal["refuse", "sum", "max", "drop"]
OneToMany = Literal["refuse", "drop"]


@dataclass(frozen=True)
class GeneRules:
    """What a translation does where names are not one to one.

    Attributes
    ----------
    relation
        ``identifiers``: other names of the same genes; a name the table lacks is dropped. ``aliases``: old and other symbols;
        a symbol that is official for any gene stays what it is, and so does a name the table lacks. ``orthologs``: genes of
        two species; only pairs that are one to one in the table are used.
    many_to_one
        Several rows of one gene: ``refuse``, ``sum`` (counts and TPM only), ``max`` within each sample, or ``drop`` the gene.
    one_to_many
        An identifier of several genes: ``refuse``, or ``drop`` it.
    cut_versions
        Take Ensembl identifiers without their versions.
    repair
        Turn back names that a spreadsheet damaged, where only one gene of the table can have been meant.
    """

    relation: Relation = "identifiers"
    many_to_one: ManyToOne = "refuse"
    one_to_many: OneToMany = "refuse"
    cut_versions: bool = False
    repair: bool = False


@dataclass(frozen=True)
class TranslatedGenes:
    """One file's genes after translation, and the rows of each.

    Attributes
    ----------
    genes
        In the order in which the file first names them.
    report
        How many names were mapped, dropped, merged and repaired, as plain values.
    """

    genes: list[str]
    report: dict[str, Any]
    _members: tuple[Indices, ...] = field(repr=False)
    _merge: np.ufunc = field(repr=False)

    def rows_of(self, genes: Indices) -> Indices:
        """Return the file's rows of some genes, each gene's rows together."""
        rows = [self._members[gene] for gene in genes.tolist()]
        return np.concatenate(rows) if rows else np.empty(0, dtype=np.intp)

    def merged(self, values: Floats, genes: Indices) -> Floats:
        """Return samples x genes from samples x the rows of `rows_of`."""
        sizes = np.array([len(self._members[gene]) for gene in genes.tolist()], dtype=np.intp)
        if not len(sizes) or np.all(sizes == 1):
            return values
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        return np.ascontiguousarray(self._merge.reduceat(values, starts, axis=1), dtype=np.float64)


class GeneTranslation:
    """Translates the gene names of files.

    Parameters
    ----------
    rules
        What to do where names are not one to one.
    gene_map
        The pairs; without one, only versions and repeated names are dealt with.
    """

    def __init__(self, rules: GeneRules, gene_map: GeneMap | None = None) -> None:
        self._rules = rules
        self._map = gene_map

    def translate_certain(self, names: Sequence[str]) -> list[str]:
        """Return names translated where they stand for one gene, others as they are: enough to find the axis of the genes."""
        return [genes[0] if len(genes := self._targets(name)) == 1 else name for name in names]

    def plan(self, names: Sequence[str], units: str, source: str) -> TranslatedGenes:
        """Translate the gene names of a file.

        Parameters
        ----------
        names
            In the file's order; repeated ones are rows of one gene.
        units
            Of the values.
        source
            File name, for messages.

        Raises
        ------
        GeneNameError
            A rule refuses the names, names are damaged beyond repair, or nothing can be translated.
        """
        if self._rules.many_to_one == "sum" and units == "log2":
            raise GeneNameError(
                "cohort.genes.many_to_one is 'sum', but the values are log2: a sum of logarithms is a product. Give counts or "
                "TPM, or set it to `max` or `drop`."
            )
        names, repaired = self._repaired(names, source)
        rows: dict[str, list[int]] = {}
        unmapped: list[str] = []
        ambiguous: list[str] = []
        for row, name in enumerate(names):
            targets = self._targets(name)
            if len(targets) == 1:
                rows.setdefault(targets[0], []).append(row)
            else:
                (ambiguous if targets else unmapped).append(name)
        self._check(names, rows, ambiguous, source)
        merged = [gene for gene, members in rows.items() if len(members) > 1]
        rows_of = {
            gene: members for gene, members in rows.items() if len(members) == 1 or self._rules.many_to_one != "drop"
        }
        n_mapped = sum(len(members) for members in rows_of.values())
        report = {
            **self._described(),
            "names": len(names),
            "mapped": n_mapped,
            "share": round(n_mapped / max(len(names), 1), 6),
            "genes": len(rows_of),
            "unmapped": len(unmapped),
            "ambiguous": len(ambiguous),
            "of_several_rows": len(merged),
            "repaired": repaired,
        }
        members = tuple(np.array(gene_rows, dtype=np.intp) for gene_rows in rows_of.values())
        return TranslatedGenes(
            list(rows_of), report, members, np.maximum if self._rules.many_to_one == "max" else np.add
        )

    def _described(self) -> dict[str, Any]:
        gene_map, rules = self._map, self._rules
        return {
            "table": gene_map.name if gene_map else None,
            "sha256": gene_map.sha256 if gene_map else None,
            "columns": list(gene_map.columns) if gene_map else None,
            "relation": rules.relation,
            "many_to_one": rules.many_to_one,
            "one_to_many": rules.one_to_many,
            "versions": "cut" if rules.cut_versions else "keep",
        }

    def _targets(self, name: str) -> tuple[str, ...]:
        """Return the genes a name can stand for under the rules; none where it is unknown."""
        name, gene_map = without_version(name) if self._rules.cut_versions else name, self._map
        if gene_map is None:
            return (name,)
        genes = gene_map.genes_of.get(name, ())
        if self._rules.relation == "aliases":
            return (name,) if name in gene_map.identifiers_of or not genes else genes
        if self._rules.relation == "orthologs" and len(genes) == 1 and len(gene_map.identifiers_of[genes[0]]) > 1:
            # Not one to one: counted as ambiguous.
            return (genes[0], genes[0])
        return genes

    def _repaired(self, names: Sequence[str], source: str) -> tuple[list[str], dict[str, str]]:
        damaged = damaged_by_excel(names)
        if damaged and self._rules.repair:
            known = self._known()
            originals = {name: original_of(name, known) for name in dict.fromkeys(damaged)}
            candidates = [original for original in originals.values() if original is not None]
            undamaged = set(names).difference(originals)
            repaired = {
                name: original
                for name, original in originals.items()
                if original is not None and original not in undamaged and candidates.count(original) == 1
            }
            damaged = [name for name in damaged if name not in repaired]
            if damaged:
                raise GeneNameError(
                    f"{source}: {len(damaged)} gene name(s) that a spreadsheet turned into dates or numbers can be more than one "
                    f"gene of the table, or none: {list_names(damaged)} (1-Mar can be March1 or Marc1). Take them out of the file, "
                    "or export it again without a spreadsheet."
                )
            names = [repaired.get(name, name) for name in names]
            check_gene_names(dict.fromkeys(names), source)
            return list(names), repaired
        check_gene_names(dict.fromkeys(names), source)
        return list(names), {}

    def _known(self) -> set[str]:
        """Return the names to look for: as in the file, or for aliases the official ones, too."""
        if self._map is None:
            return set()
        known = set(self._map.genes_of)
        return known | set(self._map.identifiers_of) if self._rules.relation == "aliases" else known

    def _check(
        self, names: Sequence[str], rows: Mapping[str, Sequence[int]], ambiguous: Sequence[str], source: str
    ) -> None:
        if not rows:
            raise GeneNameError(
                f"{source}: none of the {len(names)} gene names can be translated. {self._why_none(names)}"
            )
        if ambiguous and self._rules.one_to_many == "refuse" and self._rules.relation != "orthologs":
            raise GeneNameError(
                f"{source}: {len(ambiguous)} gene name(s) stand for more than one gene in the table: {list_names(ambiguous)}. Set "
                "`one_to_many: drop` to leave them out, or use a table that is one to one."
            )
        merged = [gene for gene, members in rows.items() if len(members) > 1]
        if merged and self._rules.many_to_one == "refuse":
            raise GeneNameError(
                f"{source}: {len(merged)} gene(s) come from more than one row: {list_names(merged)}. Choose how to merge them: "
                "`many_to_one: sum` (counts, TPM), `max` (the largest in each sample) or `drop`."
            )

    def _why_none(self, names: Sequence[str]) -> str:
        gene_map = self._map
        if gene_map is None:
            return "Name a table with `map`."
        bare = {without_version(name) for name in gene_map.genes_of}
        if any(without_version(name) in bare for name in names):
            return "They differ from the table's by Ensembl version: set `versions: cut`."
        in_gene_column = set(names) & set(gene_map.identifiers_of)
        if in_gene_column:
            return f"They are in column '{gene_map.columns[1]}': swap `identifier` and `gene`."
        lower = {name.lower() for name in gene_map.genes_of}
        if any(name.lower() in lower for name in names):
            return "They differ from the table's by case: another species' symbols need a table of orthologs, not another case."
        return (
            f"The file has {kind_of(names)} names such as {list_names(names[:2])}, column '{gene_map.columns[0]}' of "
            f"{gene_map.name} has {kind_of(gene_map.genes_of)} names such as {list_names(list(gene_map.genes_of)[:2])}."
        )
