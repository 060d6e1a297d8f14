"""The change between the classes of one study, over all genes, and how much of its square is noise.

Each gene is divided by the moderated standard deviation of its residuals in the linear model of class, strata and covariates
(limma's posterior), and each sample is then centred over genes. The change is the class coefficient ``d = a'E``, a weighted sum of
subjects. Its square holds that of the true change and noise; with residuals ``r_i`` and leverages ``h_i`` the noise is

    kappa * sum_i a_i^2 |r_i|^2 / (1 - h_i),

which is right whatever the variance of each class and the correlation of genes (HC2; MacKinnon and White 1985). ``kappa`` undoes
what dividing by an estimated variance does to the mean of a square. Everything but the change itself is found in the products of
subjects, n x n, so leaving subjects out costs nothing.

References
----------
MacKinnon JG, White H (1985) Some heteroskedasticity-consistent covariance matrix estimators with improved finite sample properties.
    J Econom 29:305-325. doi:10.1016/0304-4076(85)90158-7
Smyth GK (2004) Linear models and empirical Bayes methods. Stat Appl Genet Mol Biol 3:3. doi:10.2202/1544-6115.1027
"""

from dataclasses import dataclass, field

import numpy as np

from responder_ml.arrays import Floats, Indices
from responder_ml.errors import ContrastError
from responder_ml.statistics.squeeze import fit_f_dist, squeeze

# Shares of a subject's variance, and of the class's, below which a model leaves nothing of them.
_NOTHING = 1e-9
# An inverse chi-square has no mean with two degrees of freedom or fewer.
_LEAST_DF = 0.5


@dataclass(frozen=True)
class ClassCoefficient:
    """The class coefficient of a linear model of some subjects, as a weighted sum of all.

    Attributes
    ----------
    weights
        Weight of every subject, 0 for those that are not in the model, ``(n_subjects,)``.
    residuals
        What takes expression to residuals, each divided by the root of the share of its variance that the model leaves, subjects x
        subjects; rows of subjects that the model fits exactly are 0.
    exact
        Sum of squared weights of subjects that the model fits exactly, whose noise can only be taken from the others.
    df
        Residual degrees of freedom.
    """

    weights: Floats
    residuals: Floats = field(repr=False)
    exact: float
    df: int

    @classmethod
    def of(cls, design: Floats, rows: Indices | None = None) -> "ClassCoefficient | None":
        """Return the coefficient of the last column of a design; None where it cannot be told from the others.

        Parameters
        ----------
        design
            Subjects x coefficients, of any rank.
        rows
            Subjects in the model; all by default.
        """
        rows = np.arange(len(design)) if rows is None else rows
        part = design[rows]
        others, last = part[:, :-1], part[:, -1]
        beyond = last - others @ (np.linalg.pinv(others) @ last)
        rank = int(np.linalg.matrix_rank(part))
        if beyond @ beyond <= _NOTHING * (last @ last) or len(rows) <= rank:
            return None
        inverse = np.linalg.pinv(part)
        maker = np.eye(len(rows)) - part @ inverse
        share = np.diag(maker)
        varies = share > _NOTHING
        maker = np.where(varies[:, None], maker / np.sqrt(np.where(varies, share, 1.0))[:, None], 0.0)
        weights, residuals = np.zeros(len(design)), np.zeros((len(design), len(design)))
        weights[rows] = inverse[-1]
        residuals[np.ix_(rows, rows)] = maker
        return cls(weights, residuals, float(np.sum(inverse[-1][~varies] ** 2)), len(rows) - rank)


@dataclass(frozen=True)
class StudyChange:
    """One study: its standardised expression, and the class coefficient of all subjects.

    Attributes
    ----------
    standard
        Log2 expression in units of each gene's moderated standard deviation, centred over genes, subjects x genes.
    design
        Subjects x coefficients; the last is the class.
    sd
        Moderated standard deviation of each gene, log2 units, ``(n_genes,)``.
    change
        Class coefficient of each gene, log2 units, ``(n_genes,)``.
    total_df
        Degrees of freedom of the moderated variances; may be infinite.
    correction
        ``kappa``: factor on squared residuals.
    coefficient
        The class coefficient as a weighted sum of subjects.
    gram
        Products of subjects over genes, divided by the number of genes, subjects x subjects.
    """

    standard: Floats = field(repr=False)
    design: Floats = field(repr=False)
    sd: Floats = field(repr=False)
    change: Floats = field(repr=False)
    total_df: float
    correction: float
    coefficient: ClassCoefficient = field(repr=False)
    gram: Floats = field(repr=False)

    @classmethod
    def of(cls, log2: Floats, design: Floats) -> "StudyChange":
        """Fit a study.

        Parameters
        ----------
        log2
            Log2 expression, subjects x genes; every gene varies.
        design
            Subjects x coefficients, of any rank; the last column is the class.

        Raises
        ------
        ContrastError
            Values that are not finite, a class that cannot be told from strata and covariates, or nothing to estimate variance
            from.
        """
        if not np.all(np.isfinite(log2)):
            raise ContrastError("Studies are compared on finite expression; some values are missing or infinite.")
        coefficient = ClassCoefficient.of(design)
        if coefficient is None:
            raise ContrastError(
                "The classes cannot be told apart from strata or covariates, or too few subjects remain to estimate variance from. "
                "Leave a covariate out."
            )
        centred = log2 - log2.mean(axis=0)
        errors = centred - design @ (np.linalg.pinv(design) @ centred)
        variance = np.sum(errors**2, axis=0) / coefficient.df
        # What rounding leaves of a model that fits exactly is no variance.
        if not np.any(variance > _NOTHING**2 * np.mean(centred**2)):
            raise ContrastError(
                "No gene varies within the classes, so there is no noise to compare changes with. Check for copies of samples."
            )
        prior_df, prior = (float(value) for value in fit_f_dist(variance, coefficient.df))
        posterior = squeeze(variance, coefficient.df, prior_df, prior)
        sd = np.sqrt(posterior)
        standard = centred / sd
        standard -= standard.mean(axis=1, keepdims=True)
        total_df = coefficient.df + prior_df
        spread = 1.0 if np.isinf(total_df) else total_df / max(total_df - 2.0, _LEAST_DF)
        return cls(
            standard=standard,
            design=design,
            sd=sd,
            change=coefficient.weights @ centred,
            total_df=total_df,
            correction=spread / float(np.mean(variance / posterior)),
            coefficient=coefficient,
            gram=standard @ standard.T / standard.shape[1],
        )

    @property
    def signature(self) -> Floats:
        """The change of each gene in units of its standard deviation, less the mean over genes, ``(n_genes,)``."""
        return np.asarray(self.coefficient.weights @ self.standard, dtype=np.float64)

    @property
    def t(self) -> Floats:
        """Moderated t of each gene."""
        return np.asarray(self.change / (self.sd * np.linalg.norm(self.coefficient.weights)), dtype=np.float64)

    @property
    def noise_of_subject(self) -> float:
        """Mean squared noise of one subject per gene, near 1."""
        return self._pooled(self.coefficient)

    def square(self, coefficient: ClassCoefficient) -> float:
        """Return the mean squared change per gene of a coefficient of this study, noise in it."""
        return float(coefficient.weights @ self.gram @ coefficient.weights)

    def noise(self, coefficient: ClassCoefficient) -> float:
        """Return the expected noise in `square`."""
        sizes = np.einsum("ij,jk,ik->i", coefficient.residuals, self.gram, coefficient.residuals)
        apart = self.correction * float(coefficient.weights**2 @ sizes)
        return apart + (coefficient.exact * self._pooled(coefficient) if coefficient.exact else 0.0)

    def _pooled(self, coefficient: ClassCoefficient) -> float:
        scaled = coefficient.residuals
        # Rows are divided by the root of what the model leaves; that is their own diagonal.
        sizes = np.einsum("ij,jk,ik->i", scaled, self.gram, scaled) * np.diag(scaled) ** 2
        return float(self.correction * sizes.sum() / coefficient.df)
