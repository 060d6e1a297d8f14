"""Builders: expression in, named feature columns in rank order out."""

from responder_ml.features.builders.all_genes import AllGenes
from responder_ml.features.builders.all_genes_ridge import AllGenesRidge
from responder_ml.features.builders.builder import Builder
from responder_ml.features.builders.derived import Derived
from responder_ml.features.builders.gene_sets import GeneSets
from responder_ml.features.builders.genes import Genes
from responder_ml.features.builders.pairs import Pairs
from responder_ml.features.builders.reference import Reference
from responder_ml.registry import Registry

BUILDERS: Registry[Builder] = Registry("builder", (Genes, AllGenes, AllGenesRidge, GeneSets, Derived, Reference, Pairs))
