# Makes limma_sets*.csv in this folder from limma_voom_expression.csv. See README.md for the command, the versions and the tolerances.
suppressMessages(library(limma))
table <- read.csv("limma_voom_expression.csv", row.names = 1)
expression <- as.matrix(table)
samples <- read.csv("limma_samples.csv")
samples$group <- factor(samples$group, levels = c("drug", "control", "susceptible"))
design <- model.matrix(~ batch + group, samples) # last column: susceptible against drug

# 1,000 sets, the last 200 with a down side.
set.seed(20261129)
n_sets <- 1000
sets <- lapply(seq_len(n_sets), function(i) sort(sample(300, sample(2:40, 1))))
sets[[1]] <- 1:40
sets[[2]] <- 41:60
signs <- lapply(seq_len(n_sets), function(i) {
  if (i <= 800) return(rep(1, length(sets[[i]])))
  sign <- sample(c(-1, 1), length(sets[[i]]), replace = TRUE)
  sign[1:2] <- c(1, -1)
  sign
})

estimated <- camera(expression, sets[1:800], design, inter.gene.cor = NA, sort = FALSE)
preset <- camera(expression, sets[1:800], design, inter.gene.cor = 0.01, sort = FALSE)
rotations <- 499
of_one <- function(i) {
  set.seed(7) # the same rotations for every set
  roast(expression, sets[[i]], design, gene.weights = signs[[i]], nrot = rotations)$p.value
}
roasted <- lapply(seq_len(n_sets), of_one)
set.seed(7)
drawn <- matrix(rnorm(rotations * 9), rotations, 9)
write.csv(drawn, "limma_sets_rotations.csv", row.names = FALSE, quote = FALSE)
padded <- function(values) c(values, rep(NA, 200))
write.csv(data.frame(
  genes = sapply(sets, paste, collapse = " "),
  signs = sapply(signs, paste, collapse = " "),
  correlation = padded(estimated$Correlation),
  camera = padded(estimated$PValue),
  camera_direction = padded(estimated$Direction),
  camera_preset = padded(preset$PValue),
  roast = sapply(roasted, function(p) p["UpOrDown", "P.Value"]),
  roast_mixed = sapply(roasted, function(p) p["Mixed", "P.Value"])
), "limma_sets.csv", row.names = FALSE, quote = FALSE)
