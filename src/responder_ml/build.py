"""From a job's configuration to live objects, one way for every flow.

Every parameter is checked against the signature of its target before data are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from anndata import AnnData

from responder_ml.classifiers import CLASSIFIERS
from responder_ml.classifiers.classifier import Classifier
from responder_ml.cohort.audit import audit
from responder_ml.cohort.combine_samples import combine_replicates, combine_samples
from responder_ml.cohort.covariates import check_covariates
from responder_ml.cohort.endpoint import Endpoint, LabelledCohort, label_cohort
from responder_ml.cohort.findings import Finding
from responder_ml.cohort.gene_map import read_gene_map
from responder_ml.cohort.gene_translation import GeneRules, GeneTranslation
from responder_ml.config import JobConfig
from responder_ml.contrasts.claim_result import ClaimResult
from responder_ml.contrasts.comparisons import FDR_CUTOFFS, FOUNDING_CUTOFFS_UNVERIFIED, Cutoffs
from responder_ml.contrasts.response_fraction import ResponseRule, response_lines
from responder_ml.endpoint_config import EndpointConfig
from responder_ml.errors import ConfigError, EndpointError
from responder_ml.evaluation.baselines import marker_notes
from responder_ml.evaluation.composition import with_composition
from responder_ml.evaluation.evidence import power_note
from responder_ml.evaluation.fingerprints import Fingerprints
from responder_ml.evaluation.pairs_and_blocks import compared_within_pairs, fit_to_blocks
from responder_ml.evaluation.permutation import NullPlan
from responder_ml.evaluation.rivals import RELABELLINGS
from responder_ml.evaluation.small_n import FeasiblePlan, fit_plan_to_n
from responder_ml.features.builders import BUILDERS
from responder_ml.features.builders.builder import Builder
from responder_ml.job_checks import check_params, check_scorer, refuse_label, refuse_label_elsewhere
from responder_ml.job_sections import (
    ClaimsConfig,
    CohortConfig,
    ComponentConfig,
    ComputeConfig,
    GenesConfig,
)
from responder_ml.search.candidate import Candidate, classifier_notes
from responder_ml.search.draw import SearchPlan
from responder_ml.search.search_data import context_of
from responder_ml.search.splits import count_classes
from responder_ml.search.unit_store import UnitStore
from responder_ml.search.workers import Workers

# Set by the job as a whole, never by a component's own params.
_SET_ELSEWHERE = ("units",)


def build_candidates(job: JobConfig) -> list[Candidate]:
    """Return every builder x classifier of a job.

    Raises
    ------
    UnknownNameError, ConfigError
        An unknown kind or parameter, or two components of one name.
    """
    refuse_label_elsewhere(job)
    builders: dict[str, Builder] = {}
    # Members of pairs are compared on the log2 scale, whatever the units of the files.
    units = job.cohort.units if job.endpoint.pairs is None else "log2"
    for component in job.builders:
        kind = BUILDERS[component.kind]
        check_params(f"builder '{component.kind}'", kind, component.params, _SET_ELSEWHERE)
        check_scorer(component)
        refuse_label(f"builder '{component.kind}'", component.params.get("covariates", ()), job.endpoint)
        builders[_unique(component, builders, "builder")] = kind(units=units, **component.params)
    classifiers: dict[str, tuple[type[Classifier], Mapping[str, Any]]] = {}
    for component in job.classifiers:
        family = CLASSIFIERS[component.kind]
        check_params(f"classifier '{component.kind}'", family, component.params, ())
        classifiers[_unique(component, classifiers, "classifier")] = (family, component.params)
    return [
        Candidate(builder_name, builder, family, params, classifier_name)
        for builder_name, builder in builders.items()
        for classifier_name, (family, params) in classifiers.items()
    ]


@dataclass(frozen=True)
class PreparedJob:
    """A job whose data have been read and whose plan fits their number; nothing is trained yet.

    Attributes
    ----------
    labelled, findings
        The data with their labels, and the audit.
    feasible
        Search plan and candidates that the number of subjects allows, with notes on what was changed.
    null_plan
        How the null is run.
    power_note
        What this null can show with these subjects.
    fingerprints
        Of the single samples, by which a bundle recognises them.
    """

    labelled: LabelledCohort
    findings: tuple[Finding, ...]
    feasible: FeasiblePlan
    null_plan: NullPlan
    power_note: str
    fingerprints: Fingerprints


def prepare_job(job: JobConfig, cohort: AnnData | None = None) -> PreparedJob:
    """Check the job against its targets, read and audit its cohort, and fit the plan to the number of subjects.

    Parameters
    ----------
    job
        Configuration.
    cohort
        The job's rows, where they have been read already.

    Raises
    ------
    ResponderError
        Anything the user can mend.
    """
    candidates = build_candidates(job)
    cohort = build_cohort(job.cohort, job.seed) if cohort is None else cohort
    labelled = label_cohort(*with_composition(cohort, build_endpoint(job.endpoint)))
    findings = tuple(audit(labelled))
    fingerprints = Fingerprints.of(labelled)
    labelled = compared_within_pairs(combine_samples(labelled))
    check_covariates(labelled)
    for candidate in candidates:
        candidate.builder.check(context_of(labelled))
    builders = {candidate.builder_name: candidate.builder for candidate in candidates}
    notes = [f"{name}: {note}" for name, builder in builders.items() for note in builder.notes(labelled.genes)]
    notes += (*classifier_notes(candidates), *marker_notes(labelled))
    plan, of_blocks = fit_to_blocks(build_search_plan(job), labelled)
    if job.compute.backend is not None:
        notes.append("compute.backend is not needed any more: compute.scheduler alone selects a Dask cluster.")
    sizes = int(labelled.labels.sum()), int((labelled.labels == 0).sum())
    try:
        feasible = fit_plan_to_n(
            plan, candidates, *sizes, strata_counts=count_classes(labelled.labels, labelled.strata)
        )
    except EndpointError as problem:
        # Those who are missing may be why there are too few.
        left_out = "; ".join(exclusion.sentence for exclusion in labelled.excluded)
        said = [str(problem), *of_blocks, left_out and f"Left out were: {left_out}."]
        raise EndpointError(" ".join(filter(None, said))) from problem
    check_covariates(labelled, feasible.plan.smallest_training(len(labelled.labels)))
    feasible = replace(feasible, notes=(*feasible.notes, *of_blocks, *notes))
    null_plan = build_null_plan(job)
    return PreparedJob(labelled, findings, feasible, null_plan, power_note(labelled, null_plan), fingerprints)


def build_search_plan(job: JobConfig) -> SearchPlan:
    """Return how a job's search is done, before it is fitted to the number of subjects."""
    search = job.search
    return SearchPlan(
        folds=5 if search.folds is None else search.folds,
        inner_folds=search.inner_folds,
        trials=search.trials,
        seed=job.seed,
        repeats=10 if search.repeats is None else search.repeats,
        inner_repeats=search.inner_repeats,
        complete=search.folds is None and search.repeats is None,
        paired=job.endpoint.pairs is not None,
    )


def build_null_plan(job: JobConfig) -> NullPlan:
    """Return how a job's null is run."""
    return NullPlan(job.null.permutations, job.null.alpha, job.seed)


def build_rival_plan(job: JobConfig) -> NullPlan | None:
    """Return how rival explanations are tested; None where they are not."""
    asks = bool(job.endpoint.adjust) or job.endpoint.block is not None
    relabellings = (RELABELLINGS if asks else 0) if job.null.rivals is None else job.null.rivals
    if relabellings == 0 or job.endpoint.pairs is not None or job.null.permutations == 0:
        return None
    return NullPlan(relabellings, job.null.alpha, job.seed)


def build_endpoint(config: EndpointConfig) -> Endpoint:
    """Return the question a job asks."""
    config.require_two_classes()
    return Endpoint(
        config.column,
        config.positive,
        config.negative,
        config.strata,
        config.nuisance,
        rule=config.rule,
        among=config.among,
        library_size=config.library_size,
        pairs=config.pairs,
        positive_values=config.positive_values,
        negative_values=config.negative_values,
        kinds=config.kinds,
        adjust=config.adjust,
        block=config.block,
    )


def build_workers(config: ComputeConfig, store: UnitStore | None = None) -> Workers:
    """Return who does the work.

    Parameters
    ----------
    config
        This machine or a cluster.
    store
        Where finished units are kept, if anywhere.

    Raises
    ------
    ConfigError
        Dask is asked for and not installed.
    WorkerError
        Its scheduler does not answer.
    """
    if config.scheduler is None:
        return Workers(config.workers, store)
    if find_spec("distributed") is None:
        raise ConfigError(
            "compute.scheduler names a Dask cluster, but Dask is not installed. Install the extra: responder-ml[dask]."
        )
    from responder_ml.search.dask_workers import DaskWorkers

    return DaskWorkers(config.scheduler, store)


def build_cohort(config: CohortConfig, seed: int) -> AnnData:
    """Read or simulate the cohort a job names, and put replicate libraries together where it asks for that.

    Raises
    ------
    CohortError
        The data cannot be used as declared.
    ConfigError
        A parameter the source does not have.
    """
    cohort = _read_cohort(config, seed)
    return cohort if config.replicates is None else combine_replicates(cohort, config.replicates)


def _read_cohort(config: CohortConfig, seed: int) -> AnnData:
    if config.source == "simulated":
        from responder_ml.cohort.read import keep_rows
        from responder_ml.cohort.simulate import simulate_cohort

        check_simulation(config)
        return keep_rows(simulate_cohort(**{"seed": seed, **config.params}), config.where)
    from responder_ml.cohort.read import read_h5ad, read_table

    genes = None if config.genes is None else build_genes(config.genes)
    if config.params:
        raise ConfigError("cohort.params belong to source 'simulated'; remove them.")
    if config.expression is None:
        raise ConfigError(f"cohort.source '{config.source}' needs cohort.expression, which is not given.")
    options: dict[str, Any] = {
        name: getattr(config, name) for name in ("units", "columns", "where", "spike_ins", "samples_sheet", "layer")
    }
    if config.source == "h5ad":
        if not isinstance(config.expression, Path):
            raise ConfigError("cohort.source 'h5ad' reads one file. Join them with anndata, or take `source: table`.")
        return read_h5ad(config.expression, samples=config.samples, genes=genes, **options)
    if config.samples is None:
        raise ConfigError("cohort.source 'table' needs cohort.samples, which is not given.")
    return read_table(config.expression, config.samples, genes=genes, sheet=config.sheet, **options)


def build_genes(config: GenesConfig) -> GeneTranslation:
    """Return the translation of gene names that a job or a user names.

    Raises
    ------
    GeneNameError
        The table cannot be used.
    """
    cut = config.versions == "cut"
    gene_map = None
    if config.map is not None:
        gene_map = read_gene_map(config.map, config.identifier, config.gene, cut_versions=cut)
    elif config.identifier or config.gene or config.relation != "identifiers" or config.repair:
        raise ConfigError("cohort.genes names columns, a relation or a repair, but no table. Name one with `map`.")
    rules = GeneRules(config.relation, config.many_to_one, config.one_to_many, cut, config.repair)
    return GeneTranslation(rules, gene_map)


def build_cutoffs(preset: str) -> Cutoffs:
    """Return when a gene counts as changed."""
    return {"bagot2017": FOUNDING_CUTOFFS_UNVERIFIED, "fdr": FDR_CUTOFFS}[preset]


def build_behaviour(config: ClaimsConfig, cohort: AnnData) -> list[ClaimResult]:
    """Return the lines of claim R1 from the behaviour a job names, none without it.

    Raises
    ------
    CohortError, ContrastError
        The table cannot be read, or does not say what is needed.
    """
    behaviour = config.behaviour
    if behaviour is None:
        return []
    from responder_ml.cohort.sample_sheet import read_sheet, typed

    table = cohort.obs if behaviour.path is None else typed(read_sheet(behaviour.path))
    rule = ResponseRule(behaviour.rule, behaviour.cut, behaviour.delta)
    return response_lines(table, behaviour.post, behaviour.pre, rule, config.words)


def simulate_to(folder: Path, job: JobConfig | None) -> None:
    """Write a simulated cohort as ordinary files, with a job's parameters and seed, or the simulator's own defaults."""
    from responder_ml.cohort.simulate import simulate_cohort
    from responder_ml.cohort.write import write_cohort

    seed = JobConfig.model_fields["seed"].default if job is None else job.seed
    if job is not None:
        check_simulation(job.cohort)
    write_cohort(simulate_cohort(**{"seed": seed, **({} if job is None else job.cohort.params)}), folder)


def check_simulation(config: CohortConfig) -> None:
    """Refuse parameters the simulator does not have."""
    from responder_ml.cohort.simulate import simulate_cohort

    check_params("the simulator", simulate_cohort, config.params, ())
    if config.genes is not None:
        raise ConfigError("cohort.genes translates the names of a file; the simulator's need none. Remove it.")
    if config.units != "counts":
        raise ConfigError(f"cohort.units is '{config.units}', but the simulator makes counts.")


def _unique(component: ComponentConfig, taken: Mapping[str, Any], family: str) -> str:
    name = component.name or component.kind
    if name in taken:
        raise ConfigError(f"Two {family}s are called '{name}'. Give one of them its own `name`.")
    return name
