"""Gene names of a file translated by the user's table, by rules that are said and never guessed.

A translation is made from names alone and learns nothing from any sample, so it is the same for training and for a
stranger. What several rows of one gene become is settled within each sample: counts and TPM add up; log2 values do not,
and their mean is not the log of anything that was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.cohort.gene_ids import check_gene_names, damaged_by_excel, kind_of, original_of
from responder_ml.cohort.gene_table import GeneTable, without_version
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
        Turn names back that a spreadsheet damaged, where only one gene of the table can have been meant.
    """

    relation: Relation = "identifiers"
    many_to_one: ManyToOne = "refuse"
    one_to_many: OneToMany = "refuse"
    cut_versions: bool = False
    repair: bool = False


@dataclass(frozen=True)
class TranslatedGenes:
    """One file's genes after translation, and how its rows make them up.

    Attributes
    ----------
    genes
        In the order in which the file first names them.
    report
        What was mapped, dropped, merged and repaired, as plain values.
    """

    genes: list[str]
    report: dict[str, Any]
    _members: tuple[Indices, ...] = field(repr=False)
    _merge: np.ufunc = field(repr=False)

    def rows_of(self, genes: Indices) -> Indices:
        """Return the file's rows behind some genes, one gene's rows together."""
        chosen = [self._members[gene] for gene in genes.tolist()]
        return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.intp)

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
    table
        The pairs; without one names stay but for versions and repeats.
    """

    def __init__(self, rules: GeneRules, table: GeneTable | None = None) -> None:
        self._rules = rules
        self._table = table

    def familiar(self, names: Sequence[str]) -> list[str]:
        """Return names translated where that is certain, others as they are: enough to tell which axis holds genes."""
        return [found[0] if len(found := self._targets(name)) == 1 else name for name in names]

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
            A rule says to refuse, names are damaged beyond repair, or nothing can be translated.
        """
        if self._rules.many_to_one == "sum" and units == "log2":
            raise GeneNameError(
                "cohort.genes.many_to_one is 'sum', but the values are log2: a sum of logarithms is a product. Give counts or "
                "TPM, or say `max` or `drop`."
            )
        names, repaired = self._repaired(names, source)
        rows: dict[str, list[int]] = {}
        unmapped: list[str] = []
        several: list[str] = []
        for row, name in enumerate(names):
            targets = self._targets(name)
            if len(targets) == 1:
                rows.setdefault(targets[0], []).append(row)
            else:
                (several if targets else unmapped).append(name)
        self._check(names, rows, several, source)
        merged = [gene for gene, members in rows.items() if len(members) > 1]
        kept = {
            gene: members for gene, members in rows.items() if len(members) == 1 or self._rules.many_to_one != "drop"
        }
        n_mapped = sum(len(members) for members in kept.values())
        report = {
            **self._described(),
            "names": len(names),
            "mapped": n_mapped,
            "share": round(n_mapped / max(len(names), 1), 6),
            "genes": len(kept),
            "unmapped": len(unmapped),
            "ambiguous": len(several),
            "of_several_rows": len(merged),
            "repaired": repaired,
        }
        members = tuple(np.array(each, dtype=np.intp) for each in kept.values())
        return TranslatedGenes(list(kept), report, members, np.maximum if self._rules.many_to_one == "max" else np.add)

    def _described(self) -> dict[str, Any]:
        table, rules = self._table, self._rules
        return {
            "table": table.name if table else None,
            "sha256": table.sha256 if table else None,
            "columns": list(table.columns) if table else None,
            "relation": rules.relation,
            "many_to_one": rules.many_to_one,
            "one_to_many": rules.one_to_many,
            "versions": "cut" if rules.cut_versions else "keep",
        }

    def _targets(self, name: str) -> tuple[str, ...]:
        """Return the genes a name can stand for under the rules; none where it is unknown."""
        name, table = without_version(name) if self._rules.cut_versions else name, self._table
        if table is None:
            return (name,)
        found = table.genes_of.get(name, ())
        if self._rules.relation == "aliases":
            return (name,) if name in table.identifiers_of or not found else found
        if self._rules.relation == "orthologs" and len(found) == 1 and len(table.identifiers_of[found[0]]) > 1:
            return (found[0], found[0])
        return found

    def _repaired(self, names: Sequence[str], source: str) -> tuple[list[str], dict[str, str]]:
        damaged = damaged_by_excel(names)
        if damaged and self._rules.repair:
            known = self._known()
            found = {name: original_of(name, known) for name in dict.fromkeys(damaged)}
            taken = [name for name in found.values() if name is not None]
            undamaged = set(names).difference(found)
            right = {
                name: original
                for name, original in found.items()
                if original is not None and original not in undamaged and taken.count(original) == 1
            }
            damaged = [name for name in damaged if name not in right]
            if damaged:
                raise GeneNameError(
                    f"{source}: {len(damaged)} gene name(s) that a spreadsheet turned into dates or numbers can be more than one "
                    f"gene of the table, or none: {list_names(damaged)} (1-Mar can be March1 or Marc1). Take them out of the file, "
                    "or export it again without a spreadsheet."
                )
            names = [right.get(name, name) for name in names]
            check_gene_names(dict.fromkeys(names), source)
            return list(names), right
        check_gene_names(dict.fromkeys(names), source)
        return list(names), {}

    def _known(self) -> set[str]:
        """Return the names to look for: as in the file, or for aliases the official ones, too."""
        if self._table is None:
            return set()
        known = set(self._table.genes_of)
        return known | set(self._table.identifiers_of) if self._rules.relation == "aliases" else known

    def _check(
        self, names: Sequence[str], rows: Mapping[str, Sequence[int]], several: Sequence[str], source: str
    ) -> None:
        if not rows:
            raise GeneNameError(
                f"{source}: none of the {len(names)} gene names can be translated. {self._why_none(names)}"
            )
        if several and self._rules.one_to_many == "refuse" and self._rules.relation != "orthologs":
            raise GeneNameError(
                f"{source}: {len(several)} gene name(s) stand for more than one gene in the table: {list_names(several)}. Say "
                "`one_to_many: drop` to go without them, or use a table that is one to one."
            )
        merged = [gene for gene, members in rows.items() if len(members) > 1]
        if merged and self._rules.many_to_one == "refuse":
            raise GeneNameError(
                f"{source}: {len(merged)} gene(s) come from more than one row: {list_names(merged)}. Say what becomes of them: "
                "`many_to_one: sum` (counts, TPM), `max` (the largest in each sample) or `drop`."
            )

    def _why_none(self, names: Sequence[str]) -> str:
        table = self._table
        if table is None:
            return "Name a table with `map`."
        bare = {without_version(name) for name in table.genes_of}
        if any(without_version(name) in bare for name in names):
            return "They differ from the table's by Ensembl version: say `versions: cut`."
        backwards = set(names) & set(table.identifiers_of)
        if backwards:
            return f"They are in column '{table.columns[1]}': swap `identifier` and `gene`."
        lower = {name.lower() for name in table.genes_of}
        if any(name.lower() in lower for name in names):
            return "They differ from the table's by case: another species' symbols need a table of orthologs, not another case."
        return (
            f"The file has {kind_of(names)} names such as {list_names(names[:2])}, column '{table.columns[0]}' of {table.name} has "
            f"{kind_of(table.genes_of)} names such as {list_names(list(table.genes_of)[:2])}."
        )
