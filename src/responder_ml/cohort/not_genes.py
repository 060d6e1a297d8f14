"""What stands among the genes of a file and is no gene: one set of rules for every way in.

Names decide, and for totals the values. What counting programs add is left out: counters of reads that belong to no gene
(HTSeq, STAR, featureCounts), columns that describe genes, names that stand for nothing or for several genes, totals and copies
of the pseudoautosomal genes of Y. What may be the label is refused: columns of the sample sheet, and words that only describe
samples. Spike-ins stay unless they are to be dropped.

References
----------
Anders S, Pyl PT, Huber W (2015) HTSeq. Bioinformatics 31:166. doi:10.1093/bioinformatics/btu638 (its special counters)
Dobin A et al. (2013) STAR. Bioinformatics 29:15. doi:10.1093/bioinformatics/bts635
Jiang L et al. (2011) Synthetic spike-in standards for RNA-seq experiments. Genome Res 21:1543. doi:10.1101/gr.121095.111
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from responder_ml.arrays import Flags, Floats
from responder_ml.cohort.grid import letters_and_digits
from responder_ml.cohort.reading_note import ReadingNote
from responder_ml.errors import GeneNameError, list_names


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTERS = re.compile(
    r"_{0,2}(?:no_?feature|ambiguous(?:_?readpair)?|too_?low_?aqual|not_?aligned|alignment_?not_?unique|unmapped|multimapped)"
    r"|N_(?:unmapped|multimapping|noFeature|ambiguous)"
    r"|(?:Un)?assigned(?:_\w+)?",
    re.IGNORECASE,
)
# Genes of flies are called na and nan, so the words in lower case are left out of this.
_NOTHING = re.compile(r"\s*|<?NA>?|#?N/A|#NAME\?|#REF!|#VALUE!|NaN|NULL|None|none|unknown|\?|-{1,3}|_+|\.|NA[._-]\d+")
_SEVERAL = re.compile(r".+\s*///\s*.+")
_PAR_Y = re.compile(r"ENS[A-Z]*G\d{11}(?:\.\d+)?_PAR_Y|ENSGR\d{10}(?:\.\d+)?|.+_PAR_Y")
_SPIKE_INS = re.compile(r"ERCC[-_.]\d{5}|SIRV\d+\w*|(?:SEQUIN|R[12])_\d+_\d+(?:_\d+)?", re.IGNORECASE)
_TOTALS = _words(
    """
    total totals sum sums totalcounts totalreads grandtotal librarysize libsize gesamt summe somme totale totaal
    """
)
_TOTAL_TOLERANCE = 1e-6
_LEAST_TOTAL = 0.4
_FEW_GENES = 10
_LARGEST_CODE = 9
# Samples with the rarer of two words from which on a gene of few counts goes with them by chance seldom, and hardly ever: of 2 x 4
# samples in 1 of 35 such genes, of 2 x 8 in 1 of 6,435.
_NOT_OFTEN_CHANCE, _HARDLY_CHANCE = 4, 8
_SPIKE = "spike-ins"

GENE_FACTS = _words(
    """
    chr chrom chromosome chromosomename seqname seqnames seqid start end stop startposition endposition strand width
    length genelength exonlength exoniclength cdslength effectivelength efflength lengthkb genename genesymbol symbol
    symbols externalgenename hgncsymbol hgncid mgisymbol mgiid genebiotype biotype genetype description genedescription
    entrezgene entrezid entrezgeneid ncbigeneid transcriptid transcriptids txname gccontent basemean log2foldchange
    lfcse stat pvalue padj logfc logcpm aveexpr adjpval pval fdr qvalue
    """
)
"""Headers, as letters and digits, of columns that describe genes or results about them, never samples."""

_SAMPLE_FACTS = _words(
    """
    age sex gender group groups condition treatment treatments batch class label labels outcome outcomes response
    responder status diagnosis phenotype subject subjectid patient patientid donor donorid animal animalid mouseid cage
    sample samples sampleid samplename tissue region brainregion timepoint rin pmi bmi weight bodyweight survival
    survivaltime event target casecontrol
    """
)


@dataclass(frozen=True)
class NamedGenes:
    """Which names of a file's gene axis are genes.

    Attributes
    ----------
    is_gene
        For each name of the axis.
    notes
        What is not, by reason.
    """

    is_gene: Flags
    notes: tuple[ReadingNote, ...]


def find_genes(names: Sequence[str], source: str, *, spike_ins: str = "keep") -> NamedGenes:
    """Tell genes from what else stands among them.

    Parameters
    ----------
    names
        Of the axis of the genes, in the file's order.
    source
        File name, for messages.
    spike_ins
        ``drop`` or ``keep`` ERCC and other spike-ins.

    Raises
    ------
    GeneNameError
        The names are row numbers, or some describe samples.
    """
    _refuse_row_numbers(names, source)
    _refuse_sample_facts(names, source)
    is_gene = np.ones(len(names), dtype=np.bool_)
    notes: list[ReadingNote] = []
    for reason, members in _by_reason(names).items():
        shown = f"{len(members)} row(s) named {list_names(list(dict.fromkeys(names[index] for index in members)))}"
        if reason == _SPIKE and spike_ins != "drop":
            notes.append(
                ReadingNote("info", f"{shown} are {reason} and were kept (`cohort.spike_ins: drop` leaves them out).")
            )
            continue
        is_gene[members] = False
        notes.append(ReadingNote("info", f"{shown} are {reason} and were left out."))
    if not is_gene.any():
        raise GeneNameError(
            f"{source}: none of the {len(names)} names is a gene's: {list_names(names)}. Give genes names."
        )
    return NamedGenes(is_gene, tuple(notes))


def find_totals(values: Floats, names: Sequence[str], is_gene: Flags) -> tuple[Flags, tuple[ReadingNote, ...]]:
    """Return which genes are left when rows that are the sum of the others are taken out, and notes.

    Parameters
    ----------
    values
        Samples x all names of the axis.
    names, is_gene
        From `find_genes`.
    """
    # Values that can be negative are not sums of reads.
    if is_gene.sum() < 3 or not len(values) or any(np.nanmin(row, initial=0.0) < 0 for row in values):
        return is_gene, ()
    genes = np.flatnonzero(is_gene)
    # Row by row: a copy of a large matrix would not fit beside it.
    of_genes = np.array([np.nansum(row[genes]) for row in values])
    of_all = np.array([np.nansum(row) for row in values])
    first = values[0]
    # A sum of the others is half of everything; the first sample tells most rows apart.
    likely = genes[first[genes] > _LEAST_TOTAL * min(of_genes[0], of_all[0])]
    totals = [
        int(gene)
        for gene in likely
        if any(
            np.allclose(values[:, gene], everything - values[:, gene], rtol=_TOTAL_TOLERANCE, atol=0.5)
            for everything in (of_genes, of_all)
        )
    ]
    if not totals or not of_genes.any():
        return is_gene, ()
    without_totals = is_gene.copy()
    without_totals[totals] = False
    shown = list_names([names[gene] for gene in totals])
    return without_totals, (
        ReadingNote("info", f"{len(totals)} row(s) named {shown} are the sum of the others and were left out."),
    )


def refuse_sheet_columns(
    names: Sequence[str], sheet: Mapping[str, Sequence[str]], values: Floats, source: str
) -> tuple[ReadingNote, ...]:
    """Refuse columns of the sample sheet that stand among the genes: with the label there, any model is perfect.

    A column that has a gene's name and other values, such as a measurement by PCR, is only noted.

    Parameters
    ----------
    names
        Genes.
    sheet
        Columns of the sample sheet, as text, for the samples of ``values``.
    values
        Samples x genes.
    source
        File name, for messages.

    Raises
    ------
    GeneNameError
        A column of the sheet is among the genes.
    """
    column_of = {letters_and_digits(name): name for name in sheet if letters_and_digits(name)}
    shared = [
        (index, column_of[letters_and_digits(name)])
        for index, name in enumerate(names)
        if letters_and_digits(name) in column_of
    ]
    copies = [index for index, column in shared if _tells_the_same(values[:, index], sheet[column])]
    if copies:
        raise GeneNameError(
            f"{source}: {len(copies)} column(s) of the sample sheet stand among the genes: "
            f"{list_names([names[index] for index in copies])}. A model must not see them, least of all the label. Take them out "
            "of the expression file."
        )
    if not shared:
        return ()
    shown = list_names([names[index] for index, _ in shared])
    return (
        ReadingNote(
            "warning",
            f"{len(shared)} gene(s) are called like a column of the sample sheet: {shown}. If they are not measured by this "
            "assay, take them out of the expression file.",
        ),
    )


def refuse_hidden_labels(
    names: Sequence[str], sheet: Mapping[str, Sequence[str]], values: Floats, source: str
) -> tuple[ReadingNote, ...]:
    """Refuse a gene that is a column of two words in disguise: one whole number for each word, whatever it is called.

    A gene of few counts can look like that by chance where few samples have one of the words; then it is only noted, or not
    even that.

    Parameters
    ----------
    names, sheet, values, source
        As for `refuse_sheet_columns`.

    Raises
    ------
    GeneNameError
        A gene is a column of the sheet in numbers.
    """
    lowest, highest = values.min(axis=0), values.max(axis=0)
    is_code = (highest - lowest > 0) & (np.abs(lowest) <= _LARGEST_CODE) & (np.abs(highest) <= _LARGEST_CODE)
    candidates = np.flatnonzero(is_code & (lowest % 1 == 0) & (highest % 1 == 0))
    if not len(candidates):
        return ()
    chosen = values[:, candidates]
    is_high = chosen == highest[candidates]
    codes = candidates[(is_high | (chosen == lowest[candidates])).all(axis=0)]
    disguised: dict[str, int] = {}
    for column in sheet.values():
        is_first = np.array([cell == column[0] for cell in column])[:, None]
        fewest = min(int(is_first.sum()), int((~is_first).sum()))
        if len(set(column)) == 2 and fewest >= _NOT_OFTEN_CHANCE:
            same = is_first == (values[:, codes] == highest[codes])
            disguised |= dict.fromkeys((names[gene] for gene in codes[same.all(axis=0) | ~same.any(axis=0)]), fewest)
    if not disguised:
        return ()
    shown = list_names(list(disguised))
    message = f"{source}: {shown} has (have) one number for each of the two words of a column of the sample sheet, as a label has."
    if max(disguised.values()) < _HARDLY_CHANCE:
        return (ReadingNote("warning", f"{message} If it is no gene, take it out of the expression file."),)
    raise GeneNameError(f"{message} A model must not see it. Take it out of the expression file.")


def refuse_same_file(source: str, columns: Sequence[str]) -> None:
    """Refuse one table that is named for expression and for the sheet: nothing tells its genes from its labels.

    Raises
    ------
    GeneNameError
        Always.
    """
    raise GeneNameError(
        f"{source} is named for `expression` and for `samples`, so its columns ({list_names(columns)}) stand among the genes, "
        "the label with them, and a model would be trained on its own answer. Write the columns that describe samples into a file "
        "of their own, and take all but the sample ids out of the expression."
    )


def _by_reason(names: Sequence[str]) -> dict[str, list[int]]:
    reasons: dict[str, list[int]] = {}
    patterns = (
        ("counters of reads without a gene", _COUNTERS),
        ("no names of genes", _NOTHING),
        ("names of several genes", _SEVERAL),
        ("copies on Y of pseudoautosomal genes", _PAR_Y),
        (_SPIKE, _SPIKE_INS),
    )
    for index, name in enumerate(names):
        if letters_and_digits(name) in _TOTALS:
            reasons.setdefault("totals", []).append(index)
        elif letters_and_digits(name) in GENE_FACTS:
            reasons.setdefault("descriptions of genes", []).append(index)
        else:
            reason = next((reason for reason, pattern in patterns if pattern.fullmatch(name)), None)
            if reason:
                reasons.setdefault(reason, []).append(index)
    return reasons


def _refuse_row_numbers(names: Sequence[str], source: str) -> None:
    if len(names) < _FEW_GENES:
        return
    for start in (0, 1):
        if all(name in (str(number), f"{number}.0") for number, name in enumerate(names, start=start)):
            raise GeneNameError(
                f"{source}: the genes are called {names[0]}, {names[1]}, ... {names[-1]}: these are row numbers, as write.csv and "
                "to_csv put in front, and the genes' own names are missing. Write the file again with the names in the first "
                "column (R: row.names = FALSE; pandas: index=False)."
            )


def _refuse_sample_facts(names: Collection[str], source: str) -> None:
    facts = [name for name in names if letters_and_digits(name) in _SAMPLE_FACTS and name != name.upper()]
    facts += [
        name for name in names if name in {"AGE", "SEX", "GENDER", "GROUP", "LABEL", "OUTCOME", "RESPONSE", "BATCH"}
    ]
    if facts:
        raise GeneNameError(
            f"{source}: {list_names(facts)} stand(s) among the genes, but describe(s) samples, as a column of the sample sheet "
            "does. A model must not see them, least of all the label. Take them out of the expression file and keep them in the "
            "sample sheet."
        )


def _tells_the_same(values: Floats, column: Sequence[str]) -> bool:
    """Tell whether numbers are a column of the sheet, or stand one for one for its words."""
    try:
        numbers = np.array([float(cell) for cell in column])
    except ValueError:
        pass
    else:
        if np.allclose(values, numbers, rtol=1e-3, atol=1e-6, equal_nan=True):
            return True
    pairs = set(zip(values.tolist(), column, strict=True))
    stands_for_words = len(pairs) == len({value for value, _ in pairs}) == len({word for _, word in pairs})
    return stands_for_words and 2 * len(pairs) <= len(column)
