# Makes every limma_*.csv in this folder from one seed. See README.md for the command, the versions and the tolerances.
suppressMessages({
  library(limma)
  library(edgeR)
})

save_table <- function(name, table) {
  write.csv(table, paste0("limma_", name, ".csv"), row.names = FALSE, quote = FALSE)
}
by_gene <- function(matrix) data.frame(gene = genes, matrix, check.names = FALSE)

# Simulated counts: 300 genes, 12 samples, three groups and an unbalanced batch. Nothing here was measured.
set.seed(81672)
genes <- sprintf("gene%03d", 1:300)
samples <- data.frame(
  sample = sprintf("s%02d", 1:12),
  group = rep(c("control", "susceptible", "drug"), each = 4),
  batch = c("a", "a", "a", "b", "a", "b", "b", "b", "a", "a", "b", "b")
)
effect <- matrix(0, 300, 3, dimnames = list(genes, c("control", "susceptible", "drug")))
effect[1:40, "susceptible"] <- rep(c(1.2, -1.2), 20)
effect[1:40, "drug"] <- rep(c(0.5, -0.5), 20)
effect[41:60, "drug"] <- 2.5 # a one-sided change, so that library composition differs
log_mean <- rnorm(300, 4, 2) + effect[, samples$group] + outer(rnorm(300, 0, 0.4), samples$batch == "b")
depth <- exp(rnorm(12, 0, 0.4))
counts <- matrix(
  rnbinom(300 * 12, mu = t(t(2^log_mean) * depth), size = rep(rgamma(300, 4, 0.4), 12)),
  300, 12, dimnames = list(genes, samples$sample)
)
counts[296:300, ] <- 0
storage.mode(counts) <- "integer"
save_table("counts", by_gene(counts))
save_table("samples", samples)

# TMM: limma's default reference and a fixed one, as edgeR returns it (re-centred) and before re-centring.
present <- counts[rowSums(counts > 0) > 0, ]
library_size <- colSums(counts)
quartile <- edgeR:::.calcFactorQuantile(present, lib.size = library_size, p = 0.75)
default_reference <- which.min(abs(quartile - mean(quartile)))
raw_tmm <- function(reference) {
  sapply(1:12, function(i) {
    edgeR:::.calcFactorTMM(present[, i], present[, reference], library_size[i], library_size[reference])
  })
}
save_table("tmm_factors", data.frame(
  sample = samples$sample,
  library_size = library_size,
  quartile = quartile,
  default_reference = samples$sample[default_reference],
  default_factor = calcNormFactors(counts, method = "TMM"),
  default_raw = raw_tmm(default_reference),
  fixed_reference = "s03",
  fixed_factor = calcNormFactors(counts, method = "TMM", refColumn = 3),
  fixed_raw = raw_tmm(3)
))
save_table("cpm", by_gene(cpm(counts)))

# voom with TMM, and the trend it rests on.
dge <- calcNormFactors(DGEList(counts), method = "TMM")
samples$group <- factor(samples$group, levels = c("control", "susceptible", "drug"))
design <- model.matrix(~ group + batch, samples)
weighted <- voom(dge, design, save.plot = TRUE)
save_table("voom_expression", by_gene(weighted$E))
dimnames(weighted$weights) <- dimnames(counts)
save_table("voom_weights", by_gene(weighted$weights))
save_table("voom_points", data.frame(x = weighted$voom.xy$x, y = weighted$voom.xy$y))
save_table("voom_trend", data.frame(x = weighted$voom.line$x, y = weighted$voom.line$y))

# lowess on points with ties, at several spans and with R's default delta.
tied <- data.frame(x = round(sort(runif(80, 0, 10)), 1), y = rnorm(80))
tied$y[7] <- 12 # an outlier for the robust iterations
for (span in c(0.2, 0.5, 0.9)) tied[[paste0("span_", span)]] <- lowess(tied$x, tied$y, f = span)$y
save_table("lowess", tied)

tidy <- function(fit, contrast) {
  data.frame(
    contrast = contrast, gene = genes, coefficient = fit$coefficients[, contrast],
    stdev_unscaled = fit$stdev.unscaled[, contrast], sigma = fit$sigma, df_residual = fit$df.residual,
    df_total = fit$df.total, t = fit$t[, contrast], p = fit$p.value[, contrast],
    fdr = p.adjust(fit$p.value[, contrast], "BH"), holm = p.adjust(fit$p.value[, contrast], "holm"),
    rank = rank(fit$p.value[, contrast], ties.method = "first")
  )
}
prior <- function(model, fit) data.frame(model = model, prior_df = fit$df.prior, prior_variance = fit$s2.prior)

# No weights: one mean per group plus batch, contrasts of groups.
cells <- model.matrix(~ 0 + group + batch, samples)
colnames(cells) <- c("control", "susceptible", "drug", "batch_b")
wanted <- makeContrasts(
  stress = susceptible - control, drug_effect = drug - susceptible, levels = cells
)
plain <- eBayes(contrasts.fit(lmFit(weighted$E, cells), wanted))
save_table("plain", do.call(rbind, lapply(colnames(wanted), function(name) tidy(plain, name))))

# Weights: treatment coding, where limma's standard errors are exact.
fit <- eBayes(lmFit(weighted, design))
colnames(fit$coefficients) <- c("intercept", "susceptible", "drug", "batch_b")
dimnames(fit$t)[[2]] <- dimnames(fit$p.value)[[2]] <- dimnames(fit$stdev.unscaled)[[2]] <- colnames(fit$coefficients)
save_table("weighted", do.call(rbind, lapply(c("susceptible", "drug"), function(name) tidy(fit, name))))

# Two groups only, control and susceptible: the shape of contrast_many.
pair <- eBayes(lmFit(weighted$E[, 1:8], model.matrix(~ droplevels(samples$group[1:8]))))
colnames(pair$coefficients) <- c("intercept", "susceptible")
dimnames(pair$t)[[2]] <- dimnames(pair$p.value)[[2]] <- dimnames(pair$stdev.unscaled)[[2]] <- colnames(pair$coefficients)
save_table("pair", tidy(pair, "susceptible"))
save_table("prior", rbind(prior("plain", plain), prior("weighted", fit), prior("pair", pair)))

# genas: technical and biological correlation of two contrasts that share a group.
shared <- genas(plain, coef = c(1, 2))
save_table("genas", data.frame(
  technical = shared$technical.correlation, biological = shared$biological.correlation,
  deviance = shared$deviance, p = shared$p.value,
  v11 = shared$covariance.matrix[1, 1], v12 = shared$covariance.matrix[1, 2], v22 = shared$covariance.matrix[2, 2]
))
