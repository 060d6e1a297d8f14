"""Auto as one model from expression to a graded outcome: the weighted mean of regressors fitted to the same rows."""

from collections.abc import Sequence
from typing import Self

from sklearn.base import RegressorMixin, clone

from responder_ml.arrays import Floats, Strings
from responder_ml.features.builders.context import Context
from responder_ml.search.mean_model import MeanOfMembers, Member, mean_parameters, members_in_use


class OutcomeModel(RegressorMixin, MeanOfMembers):  # type: ignore[misc]
    """The weighted mean of the outcomes that several candidates predict; parameters and attributes as for `MeanOfMembers`."""

    def fit(self, X: Floats, y: Floats, genes: Strings | None = None, context: Context | None = None) -> Self:
        """Learn every step of every member from training rows.

        Parameters
        ----------
        X, genes, context
            As for `PrefixModel.fit`.
        y
            The outcome in its own unit.
        """
        builders = [clone(builder).fit_outcome(X, y, genes=genes, context=context) for builder in self.builders]
        self._fit_members(builders, X, y, genes, context)
        return self

    def predict(self, X: Floats, covariates: Floats | None = None) -> Floats:
        """Return the predicted outcome in its own unit, shape ``(n_samples,)``; covariates as for `features`."""
        return self.decision_function(X, covariates)


def outcome_model(members: Sequence[Member]) -> OutcomeModel:
    """Return the unfitted mean of the members that have a weight."""
    return OutcomeModel(**mean_parameters(members_in_use(members)))
