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

# Log2 counts per million as voom computes them, with TMM.
dge <- calcNormFactors(DGEList(counts), method = "TMM")
samples$group <- factor(samples$group, levels = c("control", "susceptible", "drug"))
log2_cpm <- voom(dge, model.matrix(~ group + batch, samples))$E
save_table("voom_expression", by_gene(log2_cpm))

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

# One mean per group plus batch, contrasts of groups.
cells <- model.matrix(~ 0 + group + batch, samples)
colnames(cells) <- c("control", "susceptible", "drug", "batch_b")
wanted <- makeContrasts(
  stress = susceptible - control, drug_effect = drug - susceptible, levels = cells
)
plain <- eBayes(contrasts.fit(lmFit(log2_cpm, cells), wanted))
save_table("plain", do.call(rbind, lapply(colnames(wanted), function(name) tidy(plain, name))))

# Two groups only, control and susceptible.
pair <- eBayes(lmFit(log2_cpm[, 1:8], model.matrix(~ droplevels(samples$group[1:8]))))
colnames(pair$coefficients) <- c("intercept", "susceptible")
dimnames(pair$t)[[2]] <- dimnames(pair$p.value)[[2]] <- dimnames(pair$stdev.unscaled)[[2]] <- colnames(pair$coefficients)
save_table("pair", tidy(pair, "susceptible"))
save_table("prior", rbind(prior("plain", plain), prior("pair", pair)))

# The same two groups with batch and a measured covariate held constant: the ranking, and expression without both.
two <- samples[1:8, ]
two$age <- c(8.1, 9.4, 8.8, 10.2, 9.0, 11.5, 9.9, 10.7)
adjusted <- eBayes(lmFit(log2_cpm[, 1:8], model.matrix(~ batch + age + droplevels(group), two)))
removed <- removeBatchEffect(log2_cpm[, 1:8], covariates = cbind(batch_b = as.numeric(two$batch == "b"), age = two$age))
save_table("adjusted", data.frame(gene = genes, t = adjusted$t[, 4], prior_df = adjusted$df.prior, removed, check.names = FALSE))
