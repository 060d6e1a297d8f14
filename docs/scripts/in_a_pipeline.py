from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

import responder_ml as rml

cohort = rml.simulate(seed=7, effect=2.0, n_genes=1500, regions=["PFC"])  # simulated
treated = cohort[cohort.obs["response"].isin(["responder", "non_responder"])]
pipeline = make_pipeline(rml.BUILDERS["genes"](units="counts"), rml.CLASSIFIERS["elastic_net"]())
search = GridSearchCV(pipeline, {"genes__max_genes": [20, 100]}, cv=StratifiedKFold(3), scoring="roc_auc")
search.fit(treated.to_df(), treated.obs["response"])
print(search.best_params_, search.best_estimator_[:-1].get_feature_names_out()[:3])
