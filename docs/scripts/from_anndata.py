import responder_ml as rml

cohort = rml.simulate(seed=7, effect=2.0, n_genes=1500)  # simulated; yours: anndata.read_h5ad("cohort.h5ad")
endpoint = {"column": "response", "positive": "responder", "negative": "non_responder", "strata": ["drug"]}
run = rml.train(cohort, endpoint=endpoint, where={"region": "PFC"}, classifiers=["nearest_centroid"])
print(run.verdict.sentence)
run.figures.roc().figure.savefig("roc.png")
new = rml.simulate(seed=8, effect=2.0, n_genes=1500, regions=["PFC"])
print(run.model.score(new)[["sample", "probability", "abstain"]])
